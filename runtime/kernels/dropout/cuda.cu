#include "runtime/kernels/cuda/elementwise.h"
#include "runtime/kernels/cuda/kernels.h"
#include "runtime/kernels/cuda/philox.h"
#include "runtime/schema/step_scalars.h"

namespace zp::rt::cuda {
namespace {

/// Row = one of the update. A pack begins where a counter does.
template <typename T> struct Dropout {
  const T *source;
  const StepScalars *scalars;
  T *target;
  int64_t rowElements;
  uint64_t threshold;
  uint32_t site;
  float keep, inverse; ///< 1 - probability; 1 over it
  ZP_DEVICE void operator()(auto row, auto column, auto count) const {
    const int64_t at = rowElements * row + column;
    const uint32_t place = static_cast<uint32_t>(column / 4), updateRow = scalars->rowBase + static_cast<uint32_t>(row);
    const uint32_t step = scalars->optimizerStep;
    const auto seed0 = static_cast<uint32_t>(scalars->seed), seed1 = static_cast<uint32_t>(scalars->seed >> 32);
    float values[kPack];
    load(source + at, count, values);
    for (int half = 0; half < 2; ++half) {
      const Words words = philox({{place + half, updateRow, site, step}}, seed0, seed1);
      for (int e = 0; e < 4; ++e) {
        float &value = values[4 * half + e];
        value = words.at[e] < threshold ? 0.0f : scaled(value);
      }
    }
    store(target + at, count, values);
  }
  /// A product where it is rounded far more coarsely than the two differ.
  ZP_DEVICE float scaled(float value) const {
    if constexpr (sizeof(T) == 2)
      return value * inverse;
    return value / keep;
  }
};

} // namespace

Status run(const Context &context, const DropoutArgs &args) {
  const int64_t rowElements = args.length * args.source.dims[1];
  const auto keep = static_cast<float>(1 - args.probability);
  withElement(args.source.dtype, [&](auto element) {
    using T = decltype(element);
    const Dropout<T> body{args.source.as<T>(),
                          args.scalars.as<StepScalars>(),
                          args.target.as<T>(),
                          rowElements,
                          dropoutThreshold(args.probability),
                          static_cast<uint32_t>(args.site),
                          keep,
                          1 / keep};
    forRows(context, args.source.dims[0] / args.length, rowElements, body, body.source, body.target);
  });
  return {};
}

} // namespace zp::rt::cuda
