// The functions that plan.activation and plan.gated_activation name by number. A number is never reused.
#ifndef ZP_RUNTIME_SCHEMA_ACTIVATIONS_H
#define ZP_RUNTIME_SCHEMA_ACTIVATIONS_H

#include <cstdint>

namespace zp {

enum class Activation : int64_t { Relu = 0, Gelu = 1, GeluTanh = 2 };
inline constexpr int64_t kActivations = 3;

} // namespace zp

#endif // ZP_RUNTIME_SCHEMA_ACTIVATIONS_H
