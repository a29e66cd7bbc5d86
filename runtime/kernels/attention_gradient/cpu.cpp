#include <algorithm>
#include <cmath>

#include "runtime/kernels/attention/attention.h"
#include "runtime/kernels/kernels.h"
#include "runtime/kernels/parallel.h"
#include "runtime/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/kernels/attention_gradient/cpu.cpp"
#include "hwy/foreach_target.h"
#include "runtime/kernels/attention/dropout-inl.h"
#include "runtime/kernels/attention/tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace zp::rt::HWY_NAMESPACE {
namespace {

/// out[rows][columns] += A·B, every operand padded to whole register tiles.
template <bool Direct>
HWY_INLINE void addProduct(int64_t rows, int64_t columns, int64_t k, const float *a, int64_t aStride, const float *b, int64_t stride, float *out) {
  for (int64_t column = 0; column < columns; column += kNR)
    for (int64_t i = 0; i < rows; i += kMR) {
      float *to = out + i * stride + column;
      runMicro<Direct>(panelVectors(column, columns), k, a + i * (Direct ? aStride : 1), aStride, b + column, stride, to, stride, to, stride);
    }
}

/// From scores and grad_out·valueᵀ to what meets the values (probabilities, or what is kept of them) and the gradients of q·k, in place;
/// 0 where the mask hides. The gradient of the bias is added into `gradBias` when that is given.
template <bool kWhole, bool kBiased, bool kDropped>
HWY_INLINE void gradientRow(const RowSight &sight, float scale, float logSumExp, float delta, const float *bias, float *gradBias,
                            const TileDropout &dropout, float *scores, float *gradients) {
  const F32 d;
  const VF32 boost = hn::Set(d, 1 / dropout.kept());
  const VF32 factor = hn::Set(d, scale), power = hn::Set(d, scale * kLog2E), shift = hn::Set(d, logSumExp * kLog2E), back = hn::Set(d, delta);
  const int64_t end = kWhole ? kKeyTile : sight.endColumn();
  for (int64_t c = 0; c < end; c += kLanes) {
    VF32 exponent = hn::MulSub(power, hn::Load(d, scores + c), shift);
    if constexpr (kBiased)
      exponent = hn::Add(exponent, hn::LoadU(d, bias + c));
    VF32 p = exp2Negative(d, exponent);
    VF32 gradP = hn::Load(d, gradients + c);
    if constexpr (kDropped)
      gradP = dropout.without(d, hn::Mul(boost, gradP), c);
    VF32 gradient = hn::Mul(p, hn::Sub(gradP, back)); // of the score
    if constexpr (kDropped)
      p = dropout.without(d, hn::Mul(boost, p), c);
    if constexpr (!kWhole) {
      p = sight.masked(p, hn::Zero(d), c);
      gradient = sight.masked(gradient, hn::Zero(d), c);
    }
    hn::Store(p, d, scores + c);
    hn::Store(hn::Mul(factor, gradient), d, gradients + c);
    if constexpr (kBiased)
      if (gradBias)
        hn::StoreU(hn::Add(gradient, hn::LoadU(d, gradBias + c)), d, gradBias + c);
  }
  zeroColumns(scores, end);
  zeroColumns(gradients, end);
}

/// gradientRow of each query of a meeting; `logSumExp` and `delta` are the first's.
template <bool kWhole, bool kBiased, bool kDropped>
HWY_INLINE void gradientMeeting(const Meeting &meeting, const int32_t *tileSegments, float scale, const float *logSumExp, const float *delta,
                                const TileBias &bias, float *gradBias, TileDropout &dropout, float *scores, float *gradients) {
  for (int64_t i = 0; i < meeting.queries; ++i) {
    const RowSight sight(meeting, tileSegments, i);
    if constexpr (kDropped)
      dropout.load(meeting.query + i, meeting.key, sight.endColumn());
    gradientRow<kWhole, kBiased, kDropped>(sight, scale, logSumExp[i], delta[i], kBiased ? bias.row(i) : nullptr,
                                           kBiased && gradBias ? gradBias + bias.offset(i) : nullptr, dropout, scores + i * kKeyTile,
                                           gradients + i * kKeyTile);
  }
}

template <bool kBiased, bool kDropped> HWY_INLINE void gradientRows(const Meeting &meeting, auto &...rest) {
  if (meeting.whole)
    gradientMeeting<true, kBiased, kDropped>(meeting, rest...);
  else
    gradientMeeting<false, kBiased, kDropped>(meeting, rest...);
}

/// Where the gradient of queries is summed in f32: grad_query itself, or the workspace. Row of token t, head h.
struct QueryGradient {
  float *data;
  int64_t tokenStride, headStride;
  float *row(int64_t token, int64_t head) const { return data + token * tokenStride + head * headStride; }
};

/// The five products of a meeting in f32, operands converted. Gradients of keys and values are summed here over a tile.
template <typename T> class F32Products {
public:
  F32Products(const Bf16Engine *, int64_t headDim) : headDim(headDim), stride(roundUpLanes(headDim)) {}
  int64_t outStride() const { return stride; }
  void loadTile(const T *keySource, const T *valueSource, int64_t sourceStride, int64_t keys) {
    packB(RowSource<T>(keySource, sourceStride), true, 0, headDim, 0, keys, packedKeys);
    packB(RowSource<T>(valueSource, sourceStride), true, 0, headDim, 0, keys, packedValues);
    gatherRows(keySource, sourceStride, keys, kKeyTile, headDim, keyRows, stride);
  }
  void loadQueries(const T *querySource, const T *gradOutSource, int64_t sourceStride, int64_t rows) {
    const int64_t allRows = roundUpTo(rows, kMR);
    gatherRows(querySource, sourceStride, rows, allRows, headDim, queries, stride);
    gatherRows(gradOutSource, sourceStride, rows, allRows, headDim, gradOuts, stride);
  }
  void score(const Meeting &meeting, float *scores, float *gradients) {
    scoreTile(meeting, queries, stride, packedKeys, headDim, scores);
    scoreTile(meeting, gradOuts, stride, packedValues, headDim, gradients);
  }
  /// gradKeys += gradientsᵀ·queries, gradValues += scoresᵀ·gradOuts, gradQueries += gradients·keys.
  void addGradients(const Meeting &meeting, const float *scores, const float *gradients, float *gradKeys, float *gradValues, float *gradQueries) {
    const int64_t keys = meeting.endKey(0, kQueryRows), allKeys = roundUpTo(keys, kMR);
    addProduct<false>(allKeys, headDim, meeting.queries, scores, kKeyTile, gradOuts, stride, gradValues);
    addProduct<false>(allKeys, headDim, meeting.queries, gradients, kKeyTile, queries, stride, gradKeys);
    addProduct<true>(roundUpTo(meeting.queries, kMR), headDim, keys, gradients, kKeyTile, keyRows, stride, gradQueries);
  }

private:
  int64_t headDim, stride;
  HWY_ALIGN float queries[kQueryRows * kMaxHeadDim], gradOuts[kQueryRows * kMaxHeadDim];
  HWY_ALIGN float packedKeys[kKeyTile * kMaxHeadDim], packedValues[kKeyTile * kMaxHeadDim], keyRows[kKeyTile * kMaxHeadDim];
};

/// The same on an engine: probabilities and scores' gradients are rounded to bf16 before they are multiplied on.
class PairProducts {
public:
  PairProducts(const Bf16Engine *engine, int64_t headDim)
      : engine(*engine), headDim(headDim), pairs(pairsOf(headDim)), stride(roundUpTo(headDim, engine->columns)) {
    engine->begin();
  }
  ~PairProducts() { engine.end(); }
  int64_t outStride() const { return stride; }
  void loadTile(const Bf16 *keySource, const Bf16 *valueSource, int64_t sourceStride, int64_t keys) {
    packPairsAlongHead(engine, keySource, sourceStride, keys, headDim, packedKeys);
    packPairsAlongHead(engine, valueSource, sourceStride, keys, headDim, packedValues);
    packPairsAlongRows(engine, keySource, sourceStride, keys, headDim, kKeyPairs, keyRows);
  }
  void loadQueries(const Bf16 *querySource, const Bf16 *gradOutSource, int64_t sourceStride, int64_t rows) {
    gatherPairs(querySource, sourceStride, rows, kQueryRows, headDim, queries, pairs);
    gatherPairs(gradOutSource, sourceStride, rows, kQueryRows, headDim, gradOuts, pairs);
    packPairsAlongRows(engine, querySource, sourceStride, rows, headDim, kQueryPairs, queryRows);
    packPairsAlongRows(engine, gradOutSource, sourceStride, rows, headDim, kQueryPairs, gradOutRows);
  }
  void score(const Meeting &meeting, float *scores, float *gradients) {
    scorePairs(engine, meeting, queries, pairs, packedKeys, scores);
    scorePairs(engine, meeting, gradOuts, pairs, packedValues, gradients);
  }
  void addGradients(const Meeting &meeting, const float *scores, const float *gradients, float *gradKeys, float *gradValues, float *gradQueries) {
    const int64_t keys = meeting.endKey(0, kQueryRows);
    turn(scores);
    addPairs(engine, keys, headDim, 0, kQueryPairs, turned, kQueryPairs, gradOutRows, kQueryPairs, gradValues, stride);
    turn(gradients);
    addPairs(engine, keys, headDim, 0, kQueryPairs, turned, kQueryPairs, queryRows, kQueryPairs, gradKeys, stride);
    roundTile(gradients, kQueryRows, rounded);
    addPairs(engine, meeting.queries, headDim, 0, pairsOf(keys), reinterpret_cast<const uint32_t *>(rounded), kKeyPairs, keyRows, kKeyPairs,
             gradQueries, stride);
  }

private:
  /// turned[key][pairs of queries] from a tile of scores, rounded.
  void turn(const float *tile) {
    interleaveTile(tile, between);
    packTransposed(reinterpret_cast<const float *>(between), kKeyTile, kQueryPairs, kKeyTile, reinterpret_cast<float *>(turned), kQueryPairs,
                   kQueryPairs);
  }
  const Bf16Engine &engine;
  int64_t headDim, pairs, stride;
  HWY_ALIGN uint32_t queries[kQueryRows * kMaxHeadPairs], gradOuts[kQueryRows * kMaxHeadPairs];
  HWY_ALIGN uint32_t queryRows[kQueryPairs * kMaxPaddedHead], gradOutRows[kQueryPairs * kMaxPaddedHead];
  HWY_ALIGN uint32_t packedKeys[kKeyTile * kMaxHeadPairs], packedValues[kKeyTile * kMaxHeadPairs], keyRows[kKeyPairs * kMaxPaddedHead];
  HWY_ALIGN Bf16 rounded[kQueryRows * kKeyTile];
  HWY_ALIGN uint32_t between[kQueryPairs * kKeyTile], turned[kKeyTile * kQueryPairs];
};

/// One row of tokens and one head of keys with the query heads that read it: no other writes what this one does, but to grad_bias.
template <typename T, typename Products>
HWY_NOINLINE void gradientTask(const AttentionGradientArgs &args, const Bf16Engine *engine, int64_t row, int64_t kvHead, const QueryGradient &sums,
                               float *deltas) {
  HWY_ALIGN float gradQueries[kQueryRows * kMaxPaddedHead];
  HWY_ALIGN float gradKeys[kKeyTile * kMaxPaddedHead], gradValues[kKeyTile * kMaxPaddedHead];
  HWY_ALIGN float scores[kQueryRows * kKeyTile], gradScores[kQueryRows * kKeyTile];
  HWY_ALIGN float gradBias[TileBias::kValues];
  HWY_ALIGN int32_t tileSegments[kKeyTile];
  const F32 d;
  const int64_t tokens = args.query.dims[0], headDim = args.query.dims[1] / args.heads;
  Products products(engine, headDim);
  const int64_t stride = products.outStride();
  const int64_t group = args.heads / args.kvHeads, queryStride = args.heads * headDim, kvStride = args.kvHeads * headDim;
  const int64_t rowStart = row * args.length, rowEnd = rowStart + args.length, rowKeys = row * args.keyLength;
  const auto scale = static_cast<float>(args.scale);
  const AttentionMask mask(args);
  const int32_t *segments = args.segments.as<int32_t>() + rowStart, *keySegments = args.keySegments.as<int32_t>() + rowKeys;

  for (int64_t head = kvHead * group; head < (kvHead + 1) * group; ++head)
    for (int64_t t = rowStart; t < rowEnd; ++t) {
      const T *gradOut = args.gradOut.as<T>() + t * queryStride + head * headDim, *out = args.out.as<T>() + t * queryStride + head * headDim;
      VF32 dot = hn::Zero(d);
      forVectors(0, headDim, [&](int64_t c, auto vector) HWY_ATTR { dot = hn::MulAdd(vector(d, gradOut + c), vector(d, out + c), dot); });
      deltas[head * tokens + t] = sumLanes(d, dot);
      std::memset(sums.row(t, head), 0, sizeof(float) * headDim);
    }

  for (int64_t key = 0; key < args.keyLength; key += kKeyTile) {
    const int64_t keys = std::min(kKeyTile, args.keyLength - key), at = (rowKeys + key) * kvStride + kvHead * headDim;
    products.loadTile(args.key.as<T>() + at, args.value.as<T>() + at, kvStride, keys);
    std::memset(gradKeys, 0, sizeof(float) * kKeyTile * stride);
    std::memset(gradValues, 0, sizeof(float) * kKeyTile * stride);
    std::memset(tileSegments, 0, sizeof(tileSegments));
    std::memcpy(tileSegments, keySegments + key, sizeof(int32_t) * keys);
    // Blocks of queries lie at multiples of kQueryRows from the row's start; when causal, none before the tile's first key sees it.
    const int64_t firstBlock = args.causal ? key / kQueryRows * kQueryRows : 0;
    for (int64_t head = kvHead * group; head < (kvHead + 1) * group; ++head) {
      TileBias bias(args, head);
      TileDropout dropout(args, head, row);
      for (int64_t query = firstBlock; query < args.length; query += kQueryRows) {
        Meeting meeting{query, std::min(kQueryRows, args.length - query), key, keys, mask, segments, keySegments};
        if (!meeting.any())
          continue;
        const int64_t token = rowStart + query, from = token * queryStride + head * headDim;
        products.loadQueries(args.query.as<T>() + from, args.gradOut.as<T>() + from, queryStride, meeting.queries);
        products.score(meeting, scores, gradScores);
        const float *logSumExp = args.logSumExp.as<float>() + head * tokens + token, *delta = deltas + head * tokens + token;
        if (bias) {
          bias.load(meeting, row);
          std::memset(gradBias, 0, sizeof(gradBias));
        }
        float *biasSums = args.gradBias ? gradBias : nullptr;
        if (dropout && bias)
          gradientRows<true, true>(meeting, tileSegments, scale, logSumExp, delta, bias, biasSums, dropout, scores, gradScores);
        else if (dropout)
          gradientRows<false, true>(meeting, tileSegments, scale, logSumExp, delta, bias, biasSums, dropout, scores, gradScores);
        else if (bias)
          gradientRows<true, false>(meeting, tileSegments, scale, logSumExp, delta, bias, biasSums, dropout, scores, gradScores);
        else
          gradientRows<false, false>(meeting, tileSegments, scale, logSumExp, delta, bias, biasSums, dropout, scores, gradScores);
        if (biasSums)
          bias.addGradient(biasSums, args.gradBias.as<float>() + head * args.gradBias.dims[1]);
        const int64_t filled = meeting.queries * kKeyTile; // the rest only fills a register tile
        std::memset(scores + filled, 0, sizeof(scores) - sizeof(float) * filled);
        std::memset(gradScores + filled, 0, sizeof(gradScores) - sizeof(float) * filled);
        std::memset(gradQueries, 0, sizeof(float) * kQueryRows * stride);
        products.addGradients(meeting, scores, gradScores, gradKeys, gradValues, gradQueries);
        for (int64_t i = 0; i < meeting.queries; ++i) {
          float *sum = sums.row(token + i, head);
          forVectors(0, headDim, [&](int64_t c, auto vector) HWY_ATTR {
            vector(d, hn::Add(vector(d, sum + c), hn::LoadU(d, gradQueries + i * stride + c)), sum + c);
          });
        }
      }
    }
    for (int64_t i = 0; i < keys; ++i) {
      T *gradKey = args.gradKey.as<T>() + at + i * kvStride, *gradValue = args.gradValue.as<T>() + at + i * kvStride;
      forVectors(0, headDim, [&](int64_t c, auto vector) HWY_ATTR {
        vector(d, hn::LoadU(d, gradKeys + i * stride + c), gradKey + c);
        vector(d, hn::LoadU(d, gradValues + i * stride + c), gradValue + c);
      });
    }
  }
  if constexpr (sizeof(T) == 2)
    for (int64_t head = kvHead * group; head < (kvHead + 1) * group; ++head)
      for (int64_t t = rowStart; t < rowEnd; ++t) {
        T *gradQuery = args.gradQuery.as<T>() + t * queryStride + head * headDim;
        const float *sum = sums.row(t, head);
        forVectors(0, headDim, [&](int64_t c, auto vector) HWY_ATTR { vector(d, vector(d, sum + c), gradQuery + c); });
      }
}

} // namespace

void attentionGradientCpu(const KernelContext &context, const AttentionGradientArgs &args, const Bf16Engine *engine) {
  const int64_t tokens = args.query.dims[0], headDim = args.query.dims[1] / args.heads;
  float *deltas = args.workspace.as<float>();
  const bool f32 = args.query.dtype == DType::F32;
  const QueryGradient sums = f32 ? QueryGradient{args.gradQuery.as<float>(), args.heads * headDim, headDim}
                                 : QueryGradient{deltas + args.heads * tokens, headDim, tokens * headDim};
  auto differentiate = [&](int64_t row, int64_t kvHead) {
    if (f32)
      gradientTask<float, F32Products<float>>(args, nullptr, row, kvHead, sums, deltas);
    else if (args.query.dtype == DType::F16)
      gradientTask<F16, F32Products<F16>>(args, nullptr, row, kvHead, sums, deltas);
    else if (engine)
      gradientTask<Bf16, PairProducts>(args, engine, row, kvHead, sums, deltas);
    else
      gradientTask<Bf16, F32Products<Bf16>>(args, nullptr, row, kvHead, sums, deltas);
  };
  const int64_t rows = tokens / args.length, group = args.heads / args.kvHeads;
  if (!args.gradBias) {
    parallelFor(context, rows * args.kvHeads, 1, [&](int64_t begin, int64_t end) {
      for (int64_t task = begin; task < end; ++task)
        differentiate(task / args.kvHeads, task % args.kvHeads);
    });
    return;
  }
  // The rows of a head add into one gradient: in their order, whatever the number of threads.
  parallelFor(context, args.kvHeads, 1, [&](int64_t begin, int64_t end) {
    for (int64_t kvHead = begin; kvHead < end; ++kvHead) {
      const int64_t width = args.gradBias.dims[1];
      std::memset(args.gradBias.as<float>() + kvHead * group * width, 0, sizeof(float) * static_cast<size_t>(group * width));
      for (int64_t row = 0; row < rows; ++row)
        differentiate(row, kvHead);
    }
  });
}

} // namespace zp::rt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace zp::rt {
HWY_EXPORT(attentionGradientCpu);
void attentionGradient(const KernelContext &context, const AttentionGradientArgs &args, const Bf16Engine *engine) {
  HWY_DYNAMIC_DISPATCH(attentionGradientCpu)(context, args, engine && engine->forHeads ? engine->forHeads : engine);
}
void cpu::run(const KernelContext &context, const AttentionGradientArgs &args) { attentionGradient(context, args, nativeBf16Engine()); }
} // namespace zp::rt
#endif
