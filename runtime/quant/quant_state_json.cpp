#include "runtime/quant/quant_state_json.h"

#include <cmath>
#include <set>

#include <nlohmann/json.hpp>

#include "runtime/base/checked_math.h"
#include "runtime/base/json_depth.h"
#include "runtime/quant/nested_scales.h"
#include "runtime/quant/python_repr.h"

namespace zp::rt {

using nlohmann::json;

namespace {

constexpr const char *kKeys[] = {"quant_type", "blocksize", "dtype", "shape"};
constexpr const char *kNestedKeys[] = {"nested_blocksize", "nested_dtype", "nested_offset"};
constexpr const char *kNestedDType = "float32";
constexpr size_t kMostDims = 8;

struct TorchDType {
  DType dtype;
  const char *name;
};
constexpr TorchDType kDTypes[] = {{DType::F32, "float32"}, {DType::BF16, "bfloat16"}, {DType::F16, "float16"}};

const char *torchNameOf(DType dtype) {
  for (const TorchDType &known : kDTypes)
    if (known.dtype == dtype)
      return known.name;
  return "?";
}

/// Reads one object; the first thing that is wrong is kept, later calls then do nothing.
class StateReader {
public:
  StateReader(std::string_view place, const json &object) : place(place), object(object) {}

  bool has(const char *key) const { return object.contains(key); }

  void require(const char *key) {
    if (!has(key))
      fail(std::string("has no \"") + key + '"');
  }
  void knowOnly() {
    for (const auto &item : object.items()) {
      bool known = false;
      for (const char *key : kKeys)
        known |= item.key() == key;
      for (const char *key : kNestedKeys)
        known |= item.key() == key;
      if (!known)
        fail("has the unknown key \"" + item.key() + '"');
    }
  }
  void refuse(const char *key, const std::string &expected) {
    fail(std::string(key) + " is " + object[key].dump(-1, ' ', true, json::error_handler_t::replace) + ", expected " + expected);
  }
  std::string text(const char *key) const { return object[key].is_string() ? object[key].get<std::string>() : ""; }
  /// 0 for anything but a positive integer.
  uint64_t number(const char *key) const { return object[key].is_number_unsigned() ? object[key].get<uint64_t>() : 0; }
  void fail(const std::string &what) {
    if (error.ok())
      error = Status(ErrorCode::QuantState, place + ": " + what + "; fetch or write the checkpoint again");
  }

  std::string place;
  const json &object;
  Status error;
};

void readFormat(StateReader &reader, QuantType type, QuantState &state) {
  if (reader.text("quant_type") != textOf(type))
    reader.refuse("quant_type", std::string("\"") + textOf(type) + "\" as in the tensor's name");
  state.format.type = type;

  uint64_t blockSize = reader.number("blocksize");
  if (!isQuantBlockSize(blockSize))
    reader.refuse("blocksize", "a power of two from " + std::to_string(kSmallestQuantBlock) + " to " + std::to_string(kLargestQuantBlock));
  state.format.blockSize = static_cast<uint32_t>(blockSize);

  std::string dtype = reader.text("dtype");
  for (const TorchDType &known : kDTypes)
    if (dtype == known.name) {
      state.dtype = known.dtype;
      return;
    }
  reader.refuse("dtype", "\"float32\", \"bfloat16\" or \"float16\"");
}

void readShape(StateReader &reader, QuantState &state) {
  const json &shape = reader.object["shape"];
  bool good = shape.is_array() && !shape.empty() && shape.size() <= kMostDims;
  uint64_t elements = 1;
  for (size_t i = 0; good && i < shape.size(); ++i) {
    good = shape[i].is_number_unsigned() && shape[i].get<uint64_t>() > 0 && checkedMul(elements, shape[i].get<uint64_t>(), elements);
    if (good)
      state.shape.push_back(shape[i].get<uint64_t>());
  }
  if (!good)
    reader.refuse("shape", "a list of positive integers");
}

void readNested(StateReader &reader, QuantState &state) {
  if (reader.number("nested_blocksize") != kNestedBlockSize)
    reader.refuse("nested_blocksize", std::to_string(kNestedBlockSize));
  if (reader.text("nested_dtype") != kNestedDType)
    reader.refuse("nested_dtype", std::string("\"") + kNestedDType + '"');
  const json &offset = reader.object["nested_offset"];
  float value = offset.is_number() ? static_cast<float>(offset.get<double>()) : NAN;
  if (!std::isfinite(value))
    reader.refuse("nested_offset", "a finite number");
  state.nestedOffset = value;
}

/// Parses `text` into `object`; `repeated` becomes the first key that appears twice.
bool parseObject(std::string_view text, json &object, std::string &repeated) {
  if (nestsTooDeep(text))
    return false;
  std::set<std::string> seen;
  auto watch = [&](int depth, json::parse_event_t event, json &value) {
    if (event == json::parse_event_t::key && depth == 1 && !seen.insert(value.get<std::string>()).second && repeated.empty())
      repeated = value.get<std::string>();
    return true;
  };
  object = json::parse(text, watch, /*allow_exceptions=*/false);
  return object.is_object();
}

} // namespace

uint64_t QuantState::elements() const {
  uint64_t n = 1;
  for (uint64_t dim : shape)
    n *= dim;
  return n;
}

std::string quantStateSuffix(QuantType type) { return std::string("quant_state.bitsandbytes__") + textOf(type); }

std::string writeQuantState(const QuantState &state) {
  std::string text = std::string("{\"quant_type\": \"") + textOf(state.format.type) + "\", \"blocksize\": " + std::to_string(state.format.blockSize) +
                     ", \"dtype\": \"" + torchNameOf(state.dtype) + "\", \"shape\": [";
  for (size_t i = 0; i < state.shape.size(); ++i)
    text += (i > 0 ? ", " : "") + std::to_string(state.shape[i]);
  text += ']';
  if (state.nestedOffset)
    text += ", \"nested_blocksize\": " + std::to_string(kNestedBlockSize) + ", \"nested_dtype\": \"" + kNestedDType +
            "\", \"nested_offset\": " + pythonRepr(*state.nestedOffset);
  return text + '}';
}

StatusOr<QuantState> readQuantState(std::string_view place, std::string_view text, QuantType type) {
  json object;
  std::string repeated;
  if (!parseObject(text, object, repeated))
    return Status(ErrorCode::Json, std::string(place) + ": is not a JSON object; fetch or write the checkpoint again");

  StateReader reader(place, object);
  if (!repeated.empty())
    reader.fail("has the key \"" + repeated + "\" twice");
  reader.knowOnly();
  for (const char *key : kKeys)
    reader.require(key);
  bool nested = false;
  for (const char *key : kNestedKeys)
    nested |= reader.has(key);
  for (const char *key : kNestedKeys)
    if (nested)
      reader.require(key);
  ZP_RETURN_IF_ERROR(reader.error);

  QuantState state;
  readFormat(reader, type, state);
  readShape(reader, state);
  if (nested)
    readNested(reader, state);
  ZP_RETURN_IF_ERROR(reader.error);
  return state;
}

Status checkQuantTensors(std::string_view place, const QuantState &state, const QuantTensorSizes &sizes) {
  Status error;
  auto expect = [&](const char *what, uint64_t is, const char *unit, uint64_t expected) {
    if (is != expected && error.ok())
      error = Status(ErrorCode::QuantState, std::string(place) + ": " + what + " has " + std::to_string(is) + unit + ", expected " +
                                                std::to_string(expected) + " for shape " + json(state.shape).dump() + " in blocks of " +
                                                std::to_string(state.format.blockSize) + "; fetch or write the checkpoint again");
  };
  bool nested = state.nestedOffset.has_value();
  if (sizes.scalesAreCodes != nested)
    return Status(ErrorCode::QuantState, std::string(place) + ": absmax is " + (sizes.scalesAreCodes ? "u8" : "f32") + ", expected " +
                                             (nested ? "u8, for" : "f32, for no") + " nested_offset is given; fetch or write the checkpoint again");
  uint64_t scales = blocksOf(state.elements(), state.format.blockSize);
  expect("the packed weight", sizes.packedBytes, " bytes", packedBytesOf(state.elements()));
  expect("absmax", sizes.scales, " elements", scales);
  expect("quant_map", sizes.quantMap, " elements", kQuantCodes);
  expect("nested_absmax", sizes.nestedScales, " elements", nested ? blocksOf(scales, kNestedBlockSize) : 0);
  expect("nested_quant_map", sizes.nestedQuantMap, " elements", nested ? std::tuple_size_v<DynamicMap> : 0);
  return error;
}

} // namespace zp::rt
