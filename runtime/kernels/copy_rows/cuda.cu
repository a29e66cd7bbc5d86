#include "runtime/kernels/cuda/elementwise.h"
#include "runtime/kernels/cuda/kernels.h"
#include "runtime/schema/step_scalars.h"

namespace zp::rt::cuda {
namespace {

template <typename T> struct CopyRows {
  const T *source;
  const StepScalars *scalars;
  T *target;
  int64_t tokens, width;
  ZP_DEVICE void operator()(auto row, auto column, auto count) const {
    const int64_t from = scalars->firstToken + row;
    float values[kPack] = {};
    if (from < tokens)
      load(source + from * width + column, count, values);
    store(target + width * row + column, count, values);
  }
};

} // namespace

Status run(const Context &context, const CopyRowsArgs &args) {
  withElement(args.source.dtype, [&](auto element) {
    using T = decltype(element);
    const CopyRows<T> body{args.source.as<T>(), args.scalars.as<StepScalars>(), args.target.as<T>(), args.source.dims[0], args.source.dims[1]};
    forRows(context, args.target.dims[0], args.target.dims[1], body, body.source, body.target);
  });
  return {};
}

} // namespace zp::rt::cuda
