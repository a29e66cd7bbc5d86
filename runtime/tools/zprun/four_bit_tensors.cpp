#include "runtime/tools/zprun/four_bit_tensors.h"

#include "runtime/quant/nested_scales.h"

namespace zp::rt {

namespace {

template <typename Values> std::string bytesOfAll(const Values &values) {
  return {reinterpret_cast<const char *>(values.data()), values.size() * sizeof values[0]};
}

} // namespace

bool FourBitTensors::storageFits() const { return packedBytesOf(state.elements()) % (bitsOf(storage) / 8) == 0; }

std::vector<SafetensorsEntry> FourBitTensors::entries() const {
  const bool nested = state.nestedOffset.has_value();
  const uint64_t packed = packedBytesOf(state.elements()), scales = blocksOf(state.elements(), state.format.blockSize);
  std::vector<SafetensorsEntry> found = {{name, storage, {packed / (bitsOf(storage) / 8), 1}},
                                         {name + ".absmax", nested ? SafetensorsDtype::U8 : SafetensorsDtype::F32, {scales}},
                                         {name + ".quant_map", SafetensorsDtype::F32, {kQuantCodes}}};
  if (nested) {
    found.push_back({name + ".nested_absmax", SafetensorsDtype::F32, {blocksOf(scales, kNestedBlockSize)}});
    found.push_back({name + ".nested_quant_map", SafetensorsDtype::F32, {dynamicMap().size()}});
  }
  found.push_back({name + "." + quantStateSuffix(state.format.type), SafetensorsDtype::U8, {writeQuantState(state).size()}});
  return found;
}

std::string FourBitTensors::beside(const std::string &entry, std::span<const float> scales) const {
  const std::string suffix = entry.substr(name.size() + 1);
  if (suffix == "quant_map")
    return bytesOfAll(tableOf(state.format.type).values);
  if (suffix == "nested_quant_map")
    return bytesOfAll(dynamicMap());
  if (suffix == "nested_absmax") {
    std::vector<float> groups(blocksOf(scales.size(), kNestedBlockSize));
    nestScales(scales, *state.nestedOffset, 0, groups);
    return bytesOfAll(groups);
  }
  if (suffix != "absmax")
    return writeQuantState(state);
  if (!state.nestedOffset)
    return bytesOfAll(scales);
  std::vector<uint8_t> codes(scales.size());
  quantizeScales(scales, *state.nestedOffset, 0, codes);
  return bytesOfAll(codes);
}

} // namespace zp::rt
