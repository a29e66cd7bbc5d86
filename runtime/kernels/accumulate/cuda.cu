#include "runtime/kernels/cuda/elementwise.h"
#include "runtime/kernels/cuda/kernels.h"

namespace zp::rt::cuda {
namespace {

template <typename S, typename T> struct Accumulate {
  const S *source;
  T *target;
  double scale;
  ZP_DEVICE void operator()(int64_t i, auto count) const {
    if constexpr (sizeof(S) == sizeof(double) || sizeof(T) == sizeof(double)) {
      for (int e = 0; e < count; ++e)
        target[i + e] = static_cast<T>(target[i + e] + scale * valueOf(source[i + e]));
    } else {
      float sum[kPack], added[kPack];
      load(target + i, count, sum);
      load(source + i, count, added);
      for (int e = 0; e < kPack; ++e)
        sum[e] += static_cast<float>(scale) * added[e];
      store(target + i, count, sum);
    }
  }
  ZP_DEVICE static double valueOf(double value) { return value; }
  template <typename U> ZP_DEVICE static double valueOf(U value) { return toFloat(value); }
};

template <typename S> void accumulate(const Context &context, const AccumulateArgs &args) {
  const int64_t elements = args.source.elements();
  if (args.target.dtype == DType::F64)
    forElements(context, elements, Accumulate<S, double>{args.source.as<S>(), args.target.as<double>(), args.scale});
  else
    forElements(context, elements, Accumulate<S, float>{args.source.as<S>(), args.target.as<float>(), args.scale}, args.source.as<S>(),
                args.target.as<float>());
}

} // namespace

Status run(const Context &context, const AccumulateArgs &args) {
  if (args.source.dtype == DType::F64)
    accumulate<double>(context, args);
  else
    withElement(args.source.dtype, [&](auto element) { accumulate<decltype(element)>(context, args); });
  return {};
}

} // namespace zp::rt::cuda
