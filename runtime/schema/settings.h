// A job's settings as a plain struct, made from settings.inc: the boundary between flags, model.mlir and plan.
#ifndef ZP_RUNTIME_SCHEMA_SETTINGS_H
#define ZP_RUNTIME_SCHEMA_SETTINGS_H

#include <cstdint>
#include <string>

#include "runtime/schema/dtypes.h"

namespace zp {

enum class SettingKind : uint8_t { Int, Float, Bool, Text };

namespace setting {
using Int = int64_t;
using Float = double;
using Bool = bool;
using Text = std::string;
} // namespace setting

struct JobSettings {
#define ZP_SETTING(name, kind, initial, doc) setting::kind name = initial;
#include "runtime/schema/settings.inc"
#undef ZP_SETTING

  /// Calls `f(name, value reference, doc)` for each setting, in the list's order.
  template <typename F> void forEach(F &&f) {
#define ZP_SETTING(name, kind, initial, doc) f(#name, name, doc);
#include "runtime/schema/settings.inc"
#undef ZP_SETTING
  }
  template <typename F> void forEach(F &&f) const {
#define ZP_SETTING(name, kind, initial, doc) f(#name, name, doc);
#include "runtime/schema/settings.inc"
#undef ZP_SETTING
  }
};

/// What activations and frozen weights are computed in.
inline DType computeDType(const JobSettings &settings) { return settings.bf16 ? DType::BF16 : settings.fp16 ? DType::F16 : DType::F32; }

} // namespace zp

#endif // ZP_RUNTIME_SCHEMA_SETTINGS_H
