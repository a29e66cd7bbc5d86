#include "runtime/tools/zprun/quantize/tensor_list.h"

#include "runtime/schema/four_bit_modules.h"
#include "runtime/schema/model_limits.h"

namespace zp::rt {

using nlohmann::json;

/// Sizes beyond this are no model's; below it products fit in 64 bits.
static constexpr uint64_t kLargestSize = uint64_t{1} << 24;
static constexpr const char *kSizes = "a whole number from 1 to 2^24";

uint64_t TensorList::size(const char *key, uint64_t absent) {
  auto it = config.find(key);
  if (it == config.end() || it->is_null())
    return absent > 0 ? absent : wrong(key, "null", kSizes);
  const bool good = it->is_number_unsigned() && it->get<uint64_t>() > 0 && it->get<uint64_t>() <= kLargestSize;
  return good ? it->get<uint64_t>() : wrong(key, it->dump(-1, ' ', true, json::error_handler_t::replace), kSizes);
}

uint64_t TensorList::layers(const char *key) {
  const uint64_t count = size(key);
  return count <= uint64_t{kMaxLayers} ? count : wrong(key, std::to_string(count), "at most " + std::to_string(kMaxLayers));
}

bool TensorList::flag(const char *key) const {
  auto it = config.find(key);
  return it != config.end() && it->is_boolean() && it->get<bool>();
}

uint64_t TensorList::wrong(const char *key, const std::string &value, const std::string &expected) {
  if (status.ok())
    status = Status(ErrorCode::Config, path + ": " + key + ": is " + value + ", expected " + expected + "; fetch the file again");
  return 1;
}

void TensorList::linear(const std::string &module, uint64_t out, uint64_t in, bool bias) {
  const bool floats = staysInFloats(modelType, module);
  ModelTensor &weight = tensors.emplace_back(ModelTensor{module + ".weight", {out, in}});
  weight.linear = !floats;
  weight.staysF32 = floats;
  if (bias)
    add(module + ".bias", {out});
}

void TensorList::layerNorm(const std::string &module, uint64_t width) {
  add(module + ".weight", {width});
  add(module + ".bias", {width});
}

void TensorList::buffer(const std::string &name, std::vector<uint64_t> shape) {
  tensors.emplace_back(ModelTensor{name, std::move(shape)}).isParameter = false;
}

} // namespace zp::rt
