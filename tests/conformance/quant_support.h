// Weights in 4-bit records for tests, made by the codec (runtime/quant) and laid out as runtime/schema/quant_records.h says.
#ifndef ZP_TESTS_CONFORMANCE_QUANT_SUPPORT_H
#define ZP_TESTS_CONFORMANCE_QUANT_SUPPORT_H

#include <vector>

#include "runtime/quant/block_codec.h"
#include "runtime/quant/nested_scales.h"
#include "tests/conformance/support.h"

namespace zp::rt::test {

struct QuantWeight {
  TensorView records;
  std::vector<uint8_t> codes; ///< as the codec packs them
  std::vector<float> scales;  ///< what the codec dequantises with: restored ones when nested
};

/// A random weight of [rows, columns], quantised.
inline QuantWeight makeQuantWeight(Maker &maker, QuantRecords format, int64_t rows, int64_t columns) {
  const uint64_t elements = static_cast<uint64_t>(rows) * static_cast<uint64_t>(columns);
  TensorView plain = maker.normal(DType::F32, {rows, columns}, 0.05);
  for (int64_t i = 0; i < plain.elements(); i += 97) // rows of zeros and scales of many sizes occur too
    plain.as<float>()[i] *= static_cast<float>(i % 11);
  QuantWeight weight;
  weight.codes.resize(packedBytesOf(elements));
  weight.scales.resize(blocksOf(elements, format.blockSize));
  quantizeBlocks({format.type, static_cast<uint32_t>(format.blockSize)}, static_cast<const std::byte *>(plain.data), DType::F32, elements,
                 weight.codes.data(), weight.scales.data());

  weight.records = maker.empty(DType::U8, {static_cast<int64_t>(format.bytesFor(elements))});
  auto *record = weight.records.as<uint8_t>();
  std::memset(record, 0, format.bytesFor(elements));
  const float offset = offsetOfScales(weight.scales);
  std::vector<uint8_t> nestedCodes(weight.scales.size());
  std::vector<float> groups(format.countFor(elements));
  if (format.nested) {
    quantizeScales(weight.scales, offset, 0, nestedCodes);
    nestScales(weight.scales, offset, 0, groups);
  }
  for (uint64_t r = 0; r < format.countFor(elements); ++r, record += format.bytes()) {
    const uint64_t code = r * format.codeBytes(), block = r * 256;
    std::memcpy(record, weight.codes.data() + code, std::min(format.codeBytes(), weight.codes.size() - code));
    const uint64_t blocks = std::min<uint64_t>(256, weight.scales.size() - block);
    if (!format.nested) {
      std::memcpy(record + format.codeBytes(), weight.scales.data() + block, blocks * 4);
      continue;
    }
    std::memcpy(record + format.codeBytes(), nestedCodes.data() + block, blocks);
    std::memcpy(record + format.codeBytes() + 256, &groups[r], 4);
    std::memcpy(record + format.codeBytes() + 260, &offset, 4);
  }
  if (format.nested)
    dequantizeScales(nestedCodes, groups, offset, dynamicMap(), 0, weight.scales);
  return weight;
}

template <typename Args> void setWeight(Args &args, const QuantWeight &weight, QuantRecords format) {
  args.weight = weight.records;
  args.quantType = static_cast<int64_t>(format.type);
  args.blockSize = static_cast<int64_t>(format.blockSize);
  args.nested = format.nested;
}

} // namespace zp::rt::test

#endif // ZP_TESTS_CONFORMANCE_QUANT_SUPPORT_H
