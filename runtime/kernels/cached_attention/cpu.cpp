#include <algorithm>
#include <cmath>

#include "runtime/kernels/attention/check.h"
#include "runtime/kernels/attention/visible.h"
#include "runtime/kernels/kernels.h"
#include "runtime/kernels/parallel.h"
#include "runtime/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/kernels/cached_attention/cpu.cpp"
#include "hwy/foreach_target.h"
#include "runtime/kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace zp::rt::HWY_NAMESPACE {
namespace {

/// Places scored before their values are added: a tile of keys and one of values stay in the nearest cache.
constexpr int64_t kTile = 64;
/// Where a row of scores begins: below any real score, yet finite, so that differences of it are numbers.
constexpr float kLowest = -1e30f;
/// Softmax works in powers of two: the factor goes into the scores.
constexpr float kLog2E = 1.44269504088896341f;
constexpr int64_t kPaddedHead = kMaxHeadDim + HWY_MAX_BYTES / sizeof(float);
static_assert(kTile * sizeof(float) % HWY_MAX_BYTES == 0);

/// Running softmax of one token and head, in powers of two; `out` is not yet divided by `sum`.
struct State {
  HWY_ALIGN float query[kPaddedHead], out[kPaddedHead], scores[kTile];
  float largest = kLowest, sum = 0;
};

template <typename T> HWY_INLINE float dot(const float *query, const T *key, int64_t headDim) {
  const F32 d;
  VF32 sum = hn::Zero(d);
  forVectors(0, headDim, [&](int64_t c, auto vector) HWY_ATTR { sum = hn::MulAdd(hn::Load(d, query + c), vector(d, key + c), sum); });
  return sumLanes(d, sum);
}

/// Scores of [0, count) become 2^(score - largest), those beyond 0; sum, and what has been added up, follow.
HWY_INLINE void takeTile(State &state, int64_t count, int64_t headDim) {
  const F32 d;
  std::fill(state.scores + count, state.scores + kTile, -INFINITY);
  VF32 top = hn::Set(d, state.largest);
  for (int64_t i = 0; i < kTile; i += kLanes)
    top = hn::Max(top, hn::Load(d, state.scores + i));
  const float largest = hn::GetLane(hn::MaxOfLanes(d, top));
  const VF32 shift = hn::Set(d, largest);
  VF32 partial = hn::Zero(d);
  for (int64_t i = 0; i < kTile; i += kLanes) {
    const VF32 p = exp2Negative(d, hn::Sub(hn::Load(d, state.scores + i), shift));
    hn::Store(p, d, state.scores + i);
    partial = hn::Add(partial, p);
  }
  if (largest != state.largest) {
    const float correction = std::exp2(state.largest - largest);
    state.sum *= correction;
    for (int64_t c = 0; c < headDim; c += kLanes)
      hn::Store(hn::Mul(hn::Set(d, correction), hn::Load(d, state.out + c)), d, state.out + c);
    state.largest = largest;
  }
  state.sum += sumLanes(d, partial);
}

template <typename T> HWY_NOINLINE void attendToken(const CachedAttentionArgs &args, int64_t t, int64_t head) {
  const F32 d;
  const int64_t tokens = args.query.dims[0], headDim = args.query.dims[1] / args.heads, stride = args.kvHeads * headDim;
  const int64_t places = args.key.dims[0] / (tokens / args.length);
  const int64_t position = args.positions.as<int32_t>()[t];
  const auto [first, end] = visiblePlaces(position, args.window, places);
  const int64_t cached = t / args.length * places * stride + head / (args.heads / args.kvHeads) * headDim;
  const T *keys = args.key.as<T>() + cached, *values = args.value.as<T>() + cached;
  const T *query = args.query.as<T>() + (t * args.heads + head) * headDim;
  // Of place 0. By distance, the values of all places lie in a row, those of a later token one to the left.
  const float *bias = args.bias ? args.bias.as<float>() + head * args.bias.dims[1] : nullptr;
  if (bias && args.biasByDistance)
    bias += places - 1 - std::clamp<int64_t>(position, 0, places - 1);
  State state;
  std::fill_n(state.query, kPaddedHead, 0.0f);
  std::fill_n(state.out, kPaddedHead, 0.0f);
  const VF32 scale = hn::Set(d, static_cast<float>(args.scale) * kLog2E);
  forVectors(0, headDim, [&](int64_t c, auto vector) HWY_ATTR { hn::Store(hn::Mul(scale, vector(d, query + c)), d, state.query + c); });
  for (int64_t tile = first; tile < end; tile += kTile) {
    const int64_t count = std::min(kTile, end - tile);
    for (int64_t i = 0; i < count; ++i)
      state.scores[i] = dot(state.query, keys + (tile + i) * stride, headDim);
    for (int64_t i = 0; bias && i < count; ++i)
      state.scores[i] += kLog2E * bias[tile + i];
    takeTile(state, count, headDim);
    for (int64_t i = 0; i < count; ++i) {
      const VF32 p = hn::Set(d, state.scores[i]);
      const T *value = values + (tile + i) * stride;
      forVectors(0, headDim, [&](int64_t c, auto vector) HWY_ATTR {
        hn::Store(hn::MulAdd(p, vector(d, value + c), hn::Load(d, state.out + c)), d, state.out + c);
      });
    }
  }
  T *target = args.target.as<T>() + (t * args.heads + head) * headDim;
  const VF32 divisor = hn::Set(d, first < end ? state.sum : 1.0f);
  forVectors(0, headDim, [&](int64_t c, auto vector) HWY_ATTR { vector(d, hn::Div(hn::Load(d, state.out + c), divisor), target + c); });
}

} // namespace

void cachedAttentionCpu(const KernelContext &context, const CachedAttentionArgs &args) {
  parallelFor(context, args.query.dims[0] * args.heads, 1, [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; ++task) {
      const int64_t t = task / args.heads, head = task % args.heads;
      forComputeType(args.query.dtype, [&](auto element) { attendToken<decltype(element)>(args, t, head); });
    }
  });
}

} // namespace zp::rt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace zp::rt {
HWY_EXPORT(cachedAttentionCpu);
namespace cpu {
void run(const KernelContext &context, const CachedAttentionArgs &args) { HWY_DYNAMIC_DISPATCH(cachedAttentionCpu)(context, args); }
} // namespace cpu
} // namespace zp::rt
#endif
