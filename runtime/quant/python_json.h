// JSON as Python's json.dumps writes it, to the letter.
#ifndef ZP_RUNTIME_QUANT_PYTHON_JSON_H
#define ZP_RUNTIME_QUANT_PYTHON_JSON_H

#include <string>

#include <nlohmann/json.hpp>

namespace zp::rt {

/// json.dumps(value, indent=2, sort_keys=True): ASCII, numbers as repr prints them. `value` has no binary and no
/// discarded parts.
std::string pythonJson(const nlohmann::json &value);

} // namespace zp::rt

#endif // ZP_RUNTIME_QUANT_PYTHON_JSON_H
