#include "runtime/io/prequantized_weight.h"

#include <cmath>

#include "runtime/quant/block_codec.h"
#include "runtime/quant/dynamic_map.h"
#include "runtime/quant/nested_scales.h"
#include "runtime/quant/python_repr.h"

namespace zp::rt {

namespace {

const char *const kOtherImport = "; name the directory that the plan was imported from, or import this one";

bool holdsBytes(SafetensorsDtype dtype) {
  switch (dtype) {
#define ZP_QUANT_STORAGE(label, name) case SafetensorsDtype::label:
#include "runtime/schema/quant_storages.inc"
#undef ZP_QUANT_STORAGE
    return true;
  default:
    return false;
  }
}

/// The tensor `name`.`suffix`, which has to be of one of two types.
StatusOr<WeightTensor> findPart(ModelWeights &from, const std::string &name, SafetensorsDtype dtype, SafetensorsDtype other) {
  ZP_ASSIGN_OR_RETURN(WeightTensor tensor, from.find(name));
  if (tensor.info->dtype != dtype && tensor.info->dtype != other)
    return Status(ErrorCode::TensorDtype, placeOf(tensor, name) + "dtype is " + textOf(tensor.info->dtype) + ", expected " + textOf(dtype) +
                                              (other == dtype ? std::string() : std::string(" or ") + textOf(other)) +
                                              " beside a 4-bit weight; fetch or write the checkpoint again");
  return tensor;
}

} // namespace

StatusOr<PrequantizedWeight> PrequantizedWeight::open(ModelWeights &from, const ParameterRecords &records) {
  const std::string name = textOf(records.parameter->checkpoint());
  ZP_ASSIGN_OR_RETURN(WeightTensor packed, from.find(name));
  const std::string found = quantizedAs(from, name), expected = textOf(records.layout.type);
  if (found != expected)
    return Status(ErrorCode::QuantFormat, placeOf(packed, name) + (found.empty() ? "isn't quantized" : "is quantized to " + found) + ", expected " +
                                              expected + " by the plan" + kOtherImport);
  ZP_ASSIGN_OR_RETURN(PrequantizedWeight weight, open(from, name, records.layout.type));
  ZP_RETURN_IF_ERROR(weight.checkPlan(records));
  return weight;
}

StatusOr<PrequantizedWeight> PrequantizedWeight::open(ModelWeights &from, const std::string &name, QuantType type) {
  PrequantizedWeight weight;
  weight.name = name;
  ZP_ASSIGN_OR_RETURN(weight.packed, from.find(weight.name));
  if (!holdsBytes(weight.packed.info->dtype))
    return Status(ErrorCode::TensorDtype, placeOf(weight.packed, weight.name) + "dtype is " + textOf(weight.packed.info->dtype) +
                                              ", expected U8, or another bnb_4bit_quant_storage; fetch or write the checkpoint again");

  const std::string stateName = weight.name + "." + quantStateSuffix(type);
  ZP_ASSIGN_OR_RETURN(WeightTensor text, findPart(from, stateName, SafetensorsDtype::U8, SafetensorsDtype::U8));
  weight.place = text.file->path() + ":" + stateName;
  ZP_ASSIGN_OR_RETURN(weight.state, readQuantState(weight.place, {reinterpret_cast<const char *>(text.data()), text.info->bytes}, type));
  ZP_ASSIGN_OR_RETURN(weight.absmax, findPart(from, weight.name + ".absmax", SafetensorsDtype::F32, SafetensorsDtype::U8));
  ZP_ASSIGN_OR_RETURN(weight.quantMap, findPart(from, weight.name + ".quant_map", SafetensorsDtype::F32, SafetensorsDtype::F32));
  if (from.contains(weight.name + ".nested_absmax") || weight.state.nestedOffset) {
    ZP_ASSIGN_OR_RETURN(weight.nestedAbsmax, findPart(from, weight.name + ".nested_absmax", SafetensorsDtype::F32, SafetensorsDtype::F32));
    ZP_ASSIGN_OR_RETURN(weight.nestedMap, findPart(from, weight.name + ".nested_quant_map", SafetensorsDtype::F32, SafetensorsDtype::F32));
  }
  ZP_RETURN_IF_ERROR(weight.checkSizes());
  ZP_RETURN_IF_ERROR(weight.checkMap(weight.quantMap, ".quant_map", tableOf(type).values, textOf(type)));
  if (weight.nestedMap.info)
    ZP_RETURN_IF_ERROR(weight.checkMap(weight.nestedMap, ".nested_quant_map", dynamicMap(), "dynamic"));
  return weight;
}

Status PrequantizedWeight::checkSizes() const {
  QuantTensorSizes sizes;
  sizes.packedBytes = packed.info->bytes;
  sizes.scales = absmax.info->elements();
  sizes.scalesAreCodes = absmax.info->dtype == SafetensorsDtype::U8;
  sizes.quantMap = quantMap.info->elements();
  if (nestedAbsmax.info) {
    sizes.nestedScales = nestedAbsmax.info->elements();
    sizes.nestedQuantMap = nestedMap.info->elements();
  }
  return checkQuantTensors(place, state, sizes);
}

Status PrequantizedWeight::checkPlan(const ParameterRecords &records) const {
  auto differs = [&](const std::string &what, const std::string &is, const std::string &expected) {
    return Status(ErrorCode::QuantFormat, place + ": " + what + " is " + is + ", expected " + expected + " by the plan" + kOtherImport);
  };
  if (std::vector<uint64_t> expected = shapeOf(*records.parameter); state.shape != expected)
    return differs("shape", shapeText(state.shape), shapeText(expected));
  if (state.format.blockSize != records.layout.blockSize)
    return differs("blocksize", std::to_string(state.format.blockSize), std::to_string(records.layout.blockSize));
  if (state.nestedOffset.has_value() != records.layout.nested)
    return differs("the kind of scales", state.nestedOffset ? "nested" : "plain", records.layout.nested ? "nested" : "plain");
  return {};
}

Status PrequantizedWeight::checkMap(const WeightTensor &map, const char *suffix, std::span<const float> expected, const char *kind) const {
  for (size_t i = 0; i < expected.size(); ++i) {
    float value;
    std::memcpy(&value, map.data() + i * sizeof value, sizeof value);
    if (value == expected[i])
      continue;
    const std::string is = std::isfinite(value) ? pythonRepr(value) : std::to_string(value);
    return Status(ErrorCode::QuantState, placeOf(map, name + suffix) + "value " + std::to_string(i) + " is " + is + ", expected " +
                                             pythonRepr(expected[i]) + " as in bitsandbytes' " + kind + " map; quantize the model again");
  }
  return {};
}

Status PrequantizedWeight::checkFinite(const WeightTensor &tensor, const char *suffix, uint64_t first, const std::byte *values,
                                       uint64_t count) const {
  for (uint64_t i = 0; i < count; ++i) {
    float value;
    std::memcpy(&value, values + i * sizeof value, sizeof value);
    if (!std::isfinite(value))
      return Status(ErrorCode::NonFinite, placeOf(tensor, name + suffix) + "element " + std::to_string(first + i) + " is " + std::to_string(value) +
                                              ", expected finite scales; fetch the checkpoint again or quantize it again");
  }
  return {};
}

Status PrequantizedWeight::copy(const ParameterRecords &records) const {
  const QuantRecords &layout = records.layout;
  const uint64_t scaleBytes = layout.nested ? 1 : sizeof(float);
  for (uint64_t k = records.begin; k < records.end; ++k) {
    const uint64_t firstScale = k * QuantRecords::kBlocks, blocks = records.blocksIn(k);
    std::memcpy(records.at(k), packed.data() + k * layout.codeBytes(), packedBytesOf(records.elementsIn(k)));
    std::memcpy(records.scalesOf(k), absmax.data() + firstScale * scaleBytes, blocks * scaleBytes);
    if (!layout.nested) {
      ZP_RETURN_IF_ERROR(checkFinite(absmax, ".absmax", firstScale, records.scalesOf(k), blocks));
      continue;
    }
    static_assert(kNestedBlockSize == QuantRecords::kBlocks, "a group of nested scales is a record");
    const std::byte *group = nestedAbsmax.data() + k * sizeof(float);
    ZP_RETURN_IF_ERROR(checkFinite(nestedAbsmax, ".nested_absmax", k, group, 1));
    float scale;
    std::memcpy(&scale, group, sizeof scale);
    records.putNested(k, scale, *state.nestedOffset);
  }
  const uint64_t codes = records.begin * layout.codeBytes();
  packed.file->release(*packed.info, codes, std::min(records.end * layout.codeBytes(), packed.info->bytes) - codes);
  return {};
}

Status PrequantizedWeight::dequantize(uint64_t first, uint64_t count, void *out) const {
  const uint64_t firstScale = first / state.format.blockSize, blocks = blocksOf(count, state.format.blockSize);
  std::vector<float> scales(blocks);
  if (!state.nestedOffset) {
    const std::byte *values = absmax.data() + firstScale * sizeof(float);
    ZP_RETURN_IF_ERROR(checkFinite(absmax, ".absmax", firstScale, values, blocks));
    std::memcpy(scales.data(), values, blocks * sizeof(float));
  } else if (blocks > 0) {
    // Of the groups, those that these scales are in.
    const uint64_t firstGroup = firstScale / kNestedBlockSize, groups = (firstScale + blocks - 1) / kNestedBlockSize + 1 - firstGroup;
    const std::byte *values = nestedAbsmax.data() + firstGroup * sizeof(float);
    ZP_RETURN_IF_ERROR(checkFinite(nestedAbsmax, ".nested_absmax", firstGroup, values, groups));
    std::vector<float> nested(groups);
    std::memcpy(nested.data(), values, groups * sizeof(float));
    const auto *codes = reinterpret_cast<const uint8_t *>(absmax.data()) + firstScale;
    dequantizeScales({codes, blocks}, nested, *state.nestedOffset, dynamicMap(), firstScale - firstGroup * kNestedBlockSize, scales);
  }
  const auto *bytes = reinterpret_cast<const uint8_t *>(packed.data()) + first / 2;
  dequantizeBlocks(state.format, bytes, scales.data(), count, state.dtype, out);
  packed.file->release(*packed.info, first / 2, packedBytesOf(count));
  return {};
}

} // namespace zp::rt
