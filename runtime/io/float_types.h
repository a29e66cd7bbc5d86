// The float types of checkpoints by the names that config.json and safetensors headers give them.
#ifndef ZP_RUNTIME_IO_FLOAT_TYPES_H
#define ZP_RUNTIME_IO_FLOAT_TYPES_H

#include <string_view>

#include "runtime/io/safetensors.h"
#include "runtime/schema/dtypes.h"

namespace zp::rt {

struct FloatType {
  const char *name; ///< as config.json spells it
  DType dtype;
  SafetensorsDtype label;
};
/// Null for another name.
const FloatType *findFloat(std::string_view name);
/// That of F32 for what is no float.
const FloatType &floatOf(DType dtype);

} // namespace zp::rt

#endif // ZP_RUNTIME_IO_FLOAT_TYPES_H
