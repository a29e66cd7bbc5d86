#include "runtime/quant/python_json.h"

#include "runtime/quant/python_repr.h"

namespace zp::rt {

using nlohmann::json;

/// Keys are sorted by their UTF-8 bytes, as the object keeps them: the order of code points, which is Python's.
static void append(const json &value, const std::string &indent, std::string &out) {
  if (value.is_number_float()) {
    out += pythonRepr(value.get<double>());
    return;
  }
  if (!value.is_structured() || value.empty()) {
    out += value.dump(-1, ' ', /*ensure_ascii=*/true, json::error_handler_t::replace);
    return;
  }
  const std::string inner = indent + "  ";
  out += value.is_object() ? '{' : '[';
  const char *comma = "";
  for (const auto &item : value.items()) {
    out += comma;
    out += '\n' + inner;
    if (value.is_object())
      out += json(item.key()).dump(-1, ' ', true, json::error_handler_t::replace) + ": ";
    append(item.value(), inner, out);
    comma = ",";
  }
  out += '\n' + indent + (value.is_object() ? '}' : ']');
}

std::string pythonJson(const json &value) {
  std::string out;
  append(value, "", out);
  return out;
}

} // namespace zp::rt
