#include "runtime/collective/ordered_sum.h"

#include <algorithm>
#include <cstring>
#include <string>

namespace zp::rt {

template <typename T> static void sum(const std::byte *first, size_t stride, int parts, size_t count, T *out) {
  // A block of sums stays in registers and cache while the parts go by.
  constexpr size_t kBlock = 2048 / sizeof(T);
  T block[kBlock];
  for (size_t begin = 0; begin < count; begin += kBlock) {
    size_t n = std::min(kBlock, count - begin);
    std::memcpy(block, first + begin * sizeof(T), n * sizeof(T));
    for (int part = 1; part < parts; ++part) {
      const T *next = reinterpret_cast<const T *>(first + static_cast<size_t>(part) * stride) + begin;
      for (size_t i = 0; i < n; ++i)
        block[i] += next[i];
    }
    std::memcpy(out + begin, block, n * sizeof(T));
  }
}

void sumInOrder(const void *first, size_t stride, int parts, size_t count, DType dtype, void *out) {
  if (dtype == DType::F32)
    sum(static_cast<const std::byte *>(first), stride, parts, count, static_cast<float *>(out));
  else
    sum(static_cast<const std::byte *>(first), stride, parts, count, static_cast<double *>(out));
}

Status checkSummed(const char *what, DType dtype) {
  if (dtype == DType::F32 || dtype == DType::F64)
    return {};
  return Status(ErrorCode::Internal, std::string(what) + ": dtype is " + textOf(dtype) + ", expected f32 or f64");
}

} // namespace zp::rt
