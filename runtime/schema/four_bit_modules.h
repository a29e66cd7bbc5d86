// Which linears a model keeps in floats when its others are in 4 bits, beside the head and those that somebody skips.
#ifndef ZP_RUNTIME_SCHEMA_FOUR_BIT_MODULES_H
#define ZP_RUNTIME_SCHEMA_FOUR_BIT_MODULES_H

#include <string_view>

namespace zp {

/// transformers' _keep_in_fp32_modules: the second linear of T5's MLP. In a model of float16 it is float32, in others as the rest.
inline bool staysInFloats(std::string_view modelType, std::string_view module) {
  return (modelType == "t5" || modelType == "mt5") && (module == "wo" || module.ends_with(".wo"));
}

} // namespace zp

#endif // ZP_RUNTIME_SCHEMA_FOUR_BIT_MODULES_H
