// What attention and its gradient share on a device: tiles of rows in shared memory, and who sees whom. SIMT code in f32, one head and
// one row at a time: of f32, and of what matrix units don't take (cuda_matrix.h).
#ifndef ZP_RUNTIME_KERNELS_ATTENTION_CUDA_TILE_H
#define ZP_RUNTIME_KERNELS_ATTENTION_CUDA_TILE_H

#include "runtime/kernels/attention/dropout_counter.h"
#include "runtime/kernels/cuda/context.h"
#include "runtime/kernels/cuda/element.h"
#include "runtime/kernels/cuda/philox.h"
#include "runtime/kernels/cuda/reduce.h"
#include "runtime/schema/step_scalars.h"

namespace zp::rt::cuda {

/// Operands of either op, with what they say of the shapes.
struct AttentionShape {
  const int32_t *segments, *keySegments;
  const float *bias;
  int64_t heads, kvHeads, headDim, tokens, length, keyLength, window, rows;
  float scale;
  bool causal, byDistance;
  const StepScalars *scalars; ///< with dropout
  uint64_t threshold;
  uint32_t site;
  float boost; ///< of what dropout keeps: 1 / (1 - dropout)

  template <typename Args>
  explicit AttentionShape(const Args &args)
      : segments(args.segments.template as<int32_t>()), keySegments(args.keySegments.template as<int32_t>()), bias(args.bias.template as<float>()),
        heads(args.heads), kvHeads(args.kvHeads), headDim(args.query.dims[1] / args.heads), tokens(args.query.dims[0]), length(args.length),
        keyLength(args.keyLength), window(args.window), rows(tokens / args.length), scale(static_cast<float>(args.scale)), causal(args.causal),
        byDistance(args.biasByDistance), scalars(args.scalars.template as<StepScalars>()), threshold(dropoutThreshold(args.dropout)),
        site(static_cast<uint32_t>(args.site)), boost(static_cast<float>(1 / (1 - args.dropout))) {}

  ZP_DEVICE int64_t group() const { return heads / kvHeads; }
  /// Query place i of a row sees key place j of it.
  ZP_DEVICE bool sees(int64_t row, int64_t i, int64_t j) const {
    if (i >= length || j >= keyLength || (causal && (j > i || (window != 0 && j <= i - window))))
      return false;
    return segments[row * length + i] == keySegments[row * keyLength + j];
  }
  /// No query of places [i, i + count) sees a key of places [j, j + keys), by position.
  ZP_DEVICE bool hidden(int64_t i, int64_t count, int64_t j, int64_t keys) const {
    return causal && (j > i + count - 1 || (window != 0 && j + keys - 1 <= i - window));
  }
  /// The bias of head, row, query place i and key place j.
  ZP_DEVICE float biasOf(int64_t head, int64_t row, int64_t i, int64_t j) const {
    if (!bias)
      return 0;
    return byDistance ? bias[head * (length + keyLength - 1) + j - i + length - 1] : bias[head * rows * keyLength + row * keyLength + j];
  }
  /// The factors that dropout gives the probabilities of head, row, query place i and key places j, which is even, and j + 1.
  struct KeptPair {
    float at[2];
  };
  ZP_DEVICE KeptPair keptPair(int64_t head, int64_t row, int64_t i, int64_t j) const {
    const Words words = wordsOf(head, row, i, j);
    static_assert(kKeysPerCounter == 4);
    const bool upper = j % 4 == 2;
    return {{(upper ? words.at[2] : words.at[0]) >= threshold ? boost : 0.0f, (upper ? words.at[3] : words.at[1]) >= threshold ? boost : 0.0f}};
  }
  /// The factor that dropout gives the probability of head, row, query place i and key place j. There must be dropout.
  ZP_DEVICE float keptOf(int64_t head, int64_t row, int64_t i, int64_t j) const {
    const Words words = wordsOf(head, row, i, j);
    return words.at[j % kKeysPerCounter] >= threshold ? boost : 0.0f;
  }
  ZP_DEVICE Words wordsOf(int64_t head, int64_t row, int64_t i, int64_t j) const {
    return philox({{static_cast<uint32_t>(i * kCountersPerQuery + j / kKeysPerCounter), scalars->rowBase + static_cast<uint32_t>(row),
                    site + static_cast<uint32_t>(head), scalars->optimizerStep}},
                  static_cast<uint32_t>(scalars->seed), static_cast<uint32_t>(scalars->seed >> 32));
  }
};

/// Rows of a tile for heads of at most D, so that four tiles fit what a block may share, and the threads that a row has.
template <int D> constexpr int kTileRows = D <= 64 ? 32 : D <= 128 ? 16 : 8;
template <int D> constexpr int kRowThreads = kBlockThreads / kTileRows<D>;

/// A tile of rows, one element more than D apart: threads that read one column of several rows meet no bank twice.
template <int D> using Tile = float[kTileRows<D>][D + 1];

/// Rows [place, place + kTileRows) of row `row` of a tensor of `length` places, head `head` of `heads`; zero beyond them and beyond headDim.
template <int D, typename T>
ZP_DEVICE void loadTile(Tile<D> &tile, const T *tensor, int64_t row, int64_t length, int64_t place, int64_t heads, int64_t head, int64_t headDim) {
  for (int i = static_cast<int>(threadIdx.x); i < kTileRows<D> * D; i += kBlockThreads) {
    const int r = i / D, c = i % D;
    const bool inside = place + r < length && c < headDim;
    tile[r][c] = inside ? toFloat(tensor[((row * length + place + r) * heads + head) * headDim + c]) : 0.0f;
  }
}

template <int D> ZP_DEVICE float dot(const float (&a)[D + 1], const float (&b)[D + 1]) {
  float sum = 0;
  for (int c = 0; c < D; ++c)
    sum += a[c] * b[c];
  return sum;
}

/// e^x: of what becomes a T of 16 bits soon by the GPU's own instruction, some roundings of an f32 from right.
template <typename T> ZP_DEVICE float exponential(float x) {
#ifdef __CUDACC__
  if constexpr (sizeof(T) == 2) {
    constexpr float kLog2E = 1.44269504f;
    float power;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(power) : "f"(kLog2E * x));
    return power;
  }
#endif
  return expf(x);
}

/// Calls `body` with whether there is dropout: without it kernels have no trace of it.
template <typename Body> void withDropout(const AttentionShape &shape, const Body &body) {
  if (shape.scalars)
    body.template operator()<true>();
  else
    body.template operator()<false>();
}

/// Calls `body` with the smallest D that holds a head, among those that matrix units leave.
template <typename T, typename Body> void withHead(int64_t headDim, const Body &body) {
  if constexpr (sizeof(T) == 4) {
    if (headDim <= 64)
      return body.template operator()<64>();
    if (headDim <= 128)
      return body.template operator()<128>();
  }
  body.template operator()<256>();
}

} // namespace zp::rt::cuda

#endif // ZP_RUNTIME_KERNELS_ATTENTION_CUDA_TILE_H
