#include "runtime/kernels/cuda/column_sums.h"
#include "runtime/kernels/cuda/kernels.h"

namespace zp::rt::cuda {
namespace {

template <typename T> struct Element {
  const T *source;
  int64_t width;
  ZP_DEVICE float operator()(int64_t row, int64_t column) const { return toFloat(source[row * width + column]); }
};

} // namespace

Status run(const Context &context, const ColumnSumArgs &args) {
  withElement(args.source.dtype, [&](auto element) {
    using T = decltype(element);
    addColumnSums(context, args.source.dims[0], args.source.dims[1], Element<T>{args.source.as<T>(), args.source.dims[1]}, args.target.as<float>());
  });
  return {};
}

} // namespace zp::rt::cuda
