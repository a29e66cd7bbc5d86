#include "runtime/kernels/attention/head_limit.h"
#include "runtime/kernels/cuda/elementwise.h"
#include "runtime/kernels/cuda/kernels.h"

namespace zp::rt::cuda {
namespace {

/// They lie in the plan, on the host: they travel with the launch.
struct Frequencies {
  float at[kMaxHeadDim / 2];
};

template <typename T> struct RopeTable {
  const int32_t *positions;
  T *cosine, *sine;
  Frequencies frequencies;
  int64_t half;
  double scaling;
  ZP_DEVICE void operator()(int64_t token, int64_t column, int count) const {
    for (int e = 0; e < count; ++e) {
      const float angle = static_cast<float>(positions[token]) * frequencies.at[column + e];
      const int64_t i = token * half + column + e;
      cosine[i] = fromFloat<T>(static_cast<float>(cos(static_cast<double>(angle)) * scaling));
      sine[i] = fromFloat<T>(static_cast<float>(sin(static_cast<double>(angle)) * scaling));
    }
  }
};

} // namespace

Status run(const Context &context, const RopeTableArgs &args) {
  const auto half = static_cast<int64_t>(args.inverseFrequencies.size());
  Frequencies frequencies{};
  for (int64_t i = 0; i < half; ++i)
    frequencies.at[i] = args.inverseFrequencies[static_cast<size_t>(i)];
  withElement(args.cosine.dtype, [&](auto element) {
    using T = decltype(element);
    forRows(context, args.positions.dims[0], half,
            RopeTable<T>{args.positions.as<int32_t>(), args.cosine.as<T>(), args.sine.as<T>(), frequencies, half, args.scaling});
  });
  return {};
}

} // namespace zp::rt::cuda
