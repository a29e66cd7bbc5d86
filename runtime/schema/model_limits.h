// What a model has at most; a config.json that says more is broken, and would fill the memory with names.
#ifndef ZP_RUNTIME_SCHEMA_MODEL_LIMITS_H
#define ZP_RUNTIME_SCHEMA_MODEL_LIMITS_H

#include <cstdint>

namespace zp {

inline constexpr int64_t kMaxLayers = 10000;

} // namespace zp

#endif // ZP_RUNTIME_SCHEMA_MODEL_LIMITS_H
