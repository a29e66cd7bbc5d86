#include "runtime/kernels/cuda/elementwise.h"
#include "runtime/kernels/cuda/kernels.h"

namespace zp::rt::cuda {
namespace {

template <typename T> struct Fill {
  T *target;
  float value;
  ZP_DEVICE void operator()(int64_t i, auto count) const {
    const float all[kPack] = {value, value, value, value, value, value, value, value};
    store(target + i, count, all);
  }
};

/// Of a type that the host converts to as well.
template <typename T> struct FillExactly {
  T *target, value;
  ZP_DEVICE void operator()(int64_t i, int count) const {
    for (int e = 0; e < count; ++e)
      target[i + e] = value;
  }
};

template <typename T> void fillExactly(const Context &context, const FillArgs &args) {
  forElements(context, args.target.elements(), FillExactly<T>{args.target.as<T>(), static_cast<T>(args.value)});
}

} // namespace

Status run(const Context &context, const FillArgs &args) {
  switch (args.target.dtype) {
  case DType::F64:
    fillExactly<double>(context, args);
    break;
  case DType::I32:
    fillExactly<int32_t>(context, args);
    break;
  case DType::I64:
    fillExactly<int64_t>(context, args);
    break;
  case DType::U8:
    fillExactly<uint8_t>(context, args);
    break;
  default:
    withElement(args.target.dtype, [&](auto element) {
      using T = decltype(element);
      const Fill<T> body{args.target.as<T>(), static_cast<float>(args.value)};
      forElements(context, args.target.elements(), body, body.target);
    });
  }
  return {};
}

} // namespace zp::rt::cuda
