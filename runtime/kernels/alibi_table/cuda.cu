#include <algorithm>

#include "runtime/kernels/cuda/elementwise.h"
#include "runtime/kernels/cuda/kernels.h"

namespace zp::rt::cuda {
namespace {

/// They lie in the plan, on the host: so many travel with a launch.
struct Slopes {
  static constexpr int64_t kHeads = 256;
  float of[kHeads];
};

struct Alibi {
  const int32_t *positions; ///< null: 0, 1, …
  float *target;
  Slopes slopes;
  int64_t tokens;
  double scale;
  bool roundBf16;
  ZP_DEVICE void operator()(int64_t head, int64_t column, int count) const {
    for (int64_t t = column; t < column + count; ++t) {
      const auto position = static_cast<float>(positions ? positions[t] : t);
      const float slope = slopes.of[head];
      const float product = roundBf16 ? rounded<Bf16>(rounded<Bf16>(slope) * rounded<Bf16>(position)) : slope * position;
      target[head * tokens + t] = static_cast<float>(product * scale);
    }
  }
};

} // namespace

Status run(const Context &context, const AlibiTableArgs &args) {
  const int64_t heads = args.target.dims[0], tokens = args.target.dims[1];
  for (int64_t first = 0; first < heads; first += Slopes::kHeads) {
    const int64_t here = std::min(Slopes::kHeads, heads - first);
    Slopes slopes{};
    std::copy_n(args.slopes.begin() + first, here, slopes.of);
    forRows(context, here, tokens,
            Alibi{args.positions.as<int32_t>(), args.target.as<float>() + first * tokens, slopes, tokens, args.scale, args.roundBf16});
  }
  return {};
}

} // namespace zp::rt::cuda
