// A dense row-major tensor in memory: what instructions take as operands.
#ifndef ZP_RUNTIME_SCHEMA_TENSOR_VIEW_H
#define ZP_RUNTIME_SCHEMA_TENSOR_VIEW_H

#include <array>
#include <cstdint>

#include "runtime/schema/dtypes.h"

namespace zp::rt {

/// Memory that the executing device can touch. An absent optional operand has no data.
struct TensorView {
  void *data = nullptr;
  DType dtype = DType::F32;
  int rank = 0;
  std::array<int64_t, 4> dims{};

  explicit operator bool() const { return data != nullptr; }
  int64_t elements() const {
    int64_t n = 1;
    for (int i = 0; i < rank; ++i)
      n *= dims[i];
    return n;
  }
  uint64_t bytes() const { return bytesOf(dtype, static_cast<uint64_t>(elements())); }
  template <typename T> T *as() const { return static_cast<T *>(data); }
};

} // namespace zp::rt

#endif // ZP_RUNTIME_SCHEMA_TENSOR_VIEW_H
