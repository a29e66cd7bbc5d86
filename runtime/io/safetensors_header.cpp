#include "runtime/io/safetensors_header.h"

#include <algorithm>
#include <set>

#include <nlohmann/json.hpp>

#include "runtime/base/checked_math.h"

namespace zp::rt {

using nlohmann::json;

namespace {

constexpr int kDeepest = 128;
constexpr const char *kMetadata = "__metadata__";
const char *const kFetchAgain = "; the file is damaged: fetch or write it again";

/// Watches a parse for what a DOM no longer shows: repeated keys and nesting.
class KeyWatch {
public:
  bool operator()(int, json::parse_event_t event, json &value) {
    switch (event) {
    case json::parse_event_t::object_start:
      enter();
      if (depth <= 2)
        keys[depth - 1].clear();
      break;
    case json::parse_event_t::array_start:
      enter();
      break;
    case json::parse_event_t::key:
      if (depth <= 2 && !keys[depth - 1].insert(value.get<std::string>()).second && repeated.empty())
        repeated = "key \"" + value.get<std::string>() + "\" appears twice";
      break;
    case json::parse_event_t::object_end:
    case json::parse_event_t::array_end:
      --depth;
      break;
    default:
      break;
    }
    return true;
  }
  std::string repeated;
  bool tooDeep = false;

private:
  void enter() {
    ++depth;
    tooDeep |= depth > kDeepest;
  }
  int depth = 0;
  std::set<std::string> keys[2];
};

bool dtypeFromText(std::string_view text, SafetensorsDtype &dtype) {
#define ZP_SAFETENSORS_DTYPE(name, bits)                                                                                                             \
  if (text == #name) {                                                                                                                               \
    dtype = SafetensorsDtype::name;                                                                                                                  \
    return true;                                                                                                                                     \
  }
#include "runtime/io/safetensors_dtypes.inc"
#undef ZP_SAFETENSORS_DTYPE
  return false;
}

/// Fills `info` from an entry; returns what is wrong, or nothing.
std::string readEntry(const json &entry, SafetensorsInfo &info) {
  const json *fields[3] = {nullptr, nullptr, nullptr};
  static const char *const names[3] = {"dtype", "shape", "data_offsets"};
  if (entry.is_array()) { // the reference reads [dtype, shape, offsets] too
    if (entry.size() != 3)
      return "entry is an array of " + std::to_string(entry.size()) + ", expected an object";
    for (int i = 0; i < 3; ++i)
      fields[i] = &entry[static_cast<size_t>(i)];
  } else if (entry.is_object()) {
    for (int i = 0; i < 3; ++i) {
      auto it = entry.find(names[i]);
      if (it == entry.end())
        return std::string("entry has no ") + names[i];
      fields[i] = &*it;
    }
  } else {
    return "entry is not an object";
  }
  if (!fields[0]->is_string() || !dtypeFromText(fields[0]->get_ref<const std::string &>(), info.dtype))
    return "dtype " + fields[0]->dump(-1, ' ', true, json::error_handler_t::replace) + " is not known";
  if (!fields[1]->is_array())
    return "shape is not a list";
  uint64_t bits = bitsOf(info.dtype);
  for (const json &dim : *fields[1]) {
    if (!dim.is_number_unsigned())
      return "shape holds " + dim.dump(-1, ' ', true, json::error_handler_t::replace) + ", expected whole numbers from 0";
    info.shape.push_back(dim.get<uint64_t>());
  }
  uint64_t elements = 1; // the product must fit even when a later factor is zero
  for (uint64_t dim : info.shape)
    if (!checkedMul(elements, dim, elements))
      return "shape " + shapeText(info.shape) + " overflows";
  if (!checkedMul(elements, bits, bits))
    return "shape " + shapeText(info.shape) + " overflows";
  if (bits % 8 != 0)
    return "shape " + shapeText(info.shape) + " is not a whole number of bytes";
  const json &offsets = *fields[2];
  if (!offsets.is_array() || offsets.size() != 2 || !offsets[0].is_number_unsigned() || !offsets[1].is_number_unsigned())
    return "data_offsets are not two whole numbers from 0";
  uint64_t end = offsets[1].get<uint64_t>();
  info.begin = offsets[0].get<uint64_t>();
  if (end < info.begin)
    return "data_offsets end before they begin";
  info.bytes = end - info.begin;
  if (info.bytes != bits / 8)
    return "data_offsets span " + std::to_string(info.bytes) + " bytes, expected " + std::to_string(bits / 8) + " for " + textOf(info.dtype) +
           shapeText(info.shape);
  return {};
}

} // namespace

StatusOr<SafetensorsHeader> parseSafetensorsHeader(const std::string &path, std::string_view text, uint64_t dataBytes) {
  auto damaged = [&](const std::string &what) { return Status(ErrorCode::Safetensors, path + ": " + what + kFetchAgain); };
  if (text.find('\0') != std::string_view::npos)
    return damaged("header holds a NUL byte, expected JSON padded by spaces");
  if (text.substr(0, 3) == "\xEF\xBB\xBF")
    return damaged("header begins with a byte order mark, expected {");
  KeyWatch watch;
  json root = json::parse(text.begin(), text.end(), std::ref(watch), /*allow_exceptions=*/false);
  if (watch.tooDeep)
    return damaged("header nests deeper than " + std::to_string(kDeepest) + " levels");
  if (root.is_discarded() || !root.is_object())
    return damaged("header is not a JSON object");
  if (!watch.repeated.empty())
    return damaged("header: " + watch.repeated);

  SafetensorsHeader header;
  std::vector<const std::pair<const std::string, SafetensorsInfo> *> order;
  for (auto &[name, entry] : root.items()) {
    if (name == kMetadata) {
      if (entry.is_null())
        continue;
      if (!entry.is_object())
        return damaged("__metadata__ is not an object");
      for (auto &[key, value] : entry.items()) {
        if (!value.is_string())
          return damaged("__metadata__." + key + " is not a string");
        header.metadata[key] = value.get<std::string>();
      }
      continue;
    }
    SafetensorsInfo info;
    if (std::string wrong = readEntry(entry, info); !wrong.empty())
      return damaged("tensor " + name + ": " + wrong);
    order.push_back(&*header.tensors.emplace(name, std::move(info)).first);
  }
  // Neither holes nor overlaps: in order of place, each tensor begins where the one before ended.
  std::sort(order.begin(), order.end(),
            [](auto *a, auto *b) { return std::pair(a->second.begin, a->second.bytes) < std::pair(b->second.begin, b->second.bytes); });
  uint64_t at = 0;
  for (auto *tensor : order) {
    if (tensor->second.begin != at)
      return damaged("tensor " + tensor->first + ": data begin at " + std::to_string(tensor->second.begin) + ", expected " + std::to_string(at) +
                     " where the tensor before ends");
    at += tensor->second.bytes;
    if (at > dataBytes)
      return damaged("tensor " + tensor->first + ": data end at " + std::to_string(at) + ", but the file holds " + std::to_string(dataBytes) +
                     " bytes of data");
  }
  if (at != dataBytes)
    return damaged("file holds " + std::to_string(dataBytes) + " bytes of data, expected " + std::to_string(at));
  return header;
}

} // namespace zp::rt
