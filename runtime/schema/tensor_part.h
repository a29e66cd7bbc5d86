// Consecutive elements of a tensor, in memory of their own: what a loader fills at a time.
#ifndef ZP_RUNTIME_SCHEMA_TENSOR_PART_H
#define ZP_RUNTIME_SCHEMA_TENSOR_PART_H

#include "runtime/schema/tensor_view.h"

namespace zp::rt {

/// Elements [first, first + view.elements()) of a tensor of `whole`, counted along its memory.
struct TensorPart {
  TensorView view;
  uint64_t first = 0, whole = 0;

  TensorPart() = default;
  TensorPart(const TensorView &all) : view(all), whole(static_cast<uint64_t>(all.elements())) {}
  /// `count` elements at `data` that stand for those from `first` on.
  TensorPart(const TensorView &of, uint64_t first, uint64_t count, void *data)
      : view{data, of.dtype, 1, {static_cast<int64_t>(count)}}, first(first), whole(static_cast<uint64_t>(of.elements())) {}

  explicit operator bool() const { return view.data != nullptr; }
};

} // namespace zp::rt

#endif // ZP_RUNTIME_SCHEMA_TENSOR_PART_H
