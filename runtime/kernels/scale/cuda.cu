#include "runtime/kernels/cuda/elementwise.h"
#include "runtime/kernels/cuda/kernels.h"

namespace zp::rt::cuda {
namespace {

template <typename T> struct Scale {
  const T *source;
  T *target;
  float factor;
  ZP_DEVICE void operator()(int64_t i, int count) const {
    float values[kPack];
    load(source + i, count, values);
    for (float &value : values)
      value *= factor;
    store(target + i, count, values);
  }
};

} // namespace

Status run(const Context &context, const ScaleArgs &args) {
  withElement(args.source.dtype, [&](auto element) {
    using T = decltype(element);
    forElements(context, args.source.elements(), Scale<T>{args.source.as<T>(), args.target.as<T>(), static_cast<float>(args.factor)});
  });
  return {};
}

} // namespace zp::rt::cuda
