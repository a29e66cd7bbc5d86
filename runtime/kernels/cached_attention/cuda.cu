#include <algorithm>

#include "runtime/kernels/attention/head_limit.h"
#include "runtime/kernels/cuda/elementwise.h"
#include "runtime/kernels/cuda/kernels.h"

namespace zp::rt::cuda {
namespace {

constexpr int kPiecePlaces = 64, kMostPieces = 32; ///< a piece of fewer isn't worth a block; merging more takes longer than they save

/// The queries of a row that read one kv head are numbered token by token, so that those of a block share what it loads. What they see is cut
/// into pieces, a block each, where there are too few blocks otherwise.
struct Shape {
  int heads, kvHeads, headDim, length, places, rows;
  int64_t window;
  float scale;
  bool byDistance;
  int group;                 ///< query heads of a kv head
  int lanes;                 ///< of a place: a power of two, a pack of the head each
  int tiles = 1, pieces = 1; ///< of the queries of a row and kv head, and of what they see

  int64_t queries() const { return int64_t{rows} * length * heads; }
};

/// What a query sees, from the first to the last, both included, and its head.
struct Sight {
  int first, last, head;
};

/// What softmax has so far: the sum is of probabilities times e^-largest.
struct Softmax {
  float largest, sum;

  /// Of nothing yet.
  ZP_DEVICE static Softmax begin() { return {-INFINITY, 0}; }

  /// The factor for what is summed relative to `largest`, once it is relative to `other`.
  ZP_DEVICE float factor(float other) const { return largest == other ? 1.0f : expf(largest - other); }
  ZP_DEVICE bool isEmpty() const { return largest == -INFINITY && sum == 0; }
};

/// Σ of count parts, part(i, softmax) being the value of one, divided by the sum of all: an element of the result.
template <typename Part> ZP_DEVICE float merged(int count, const Part &part, Softmax &all) {
  Softmax one;
  all = Softmax::begin();
  for (int i = 0; i < count; ++i) {
    part(i, one);
    all.largest = one.largest > all.largest ? one.largest : all.largest;
  }
  float total = 0;
  for (int i = 0; i < count; ++i) {
    const float value = part(i, one);
    if (one.isEmpty())
      continue;
    const float factor = one.factor(all.largest);
    all.sum += one.sum * factor;
    total += value * factor;
  }
  return total;
}

/// A block for kQueries queries and a piece of the places; shape.lanes lanes for a place, kAtOnce of which they ask for together.
template <typename T, int kQueries, int kAtOnce, typename Count>
__global__ void __launch_bounds__(kBlockThreads) attendCache(Shape shape, const T *query, const T *key, const T *value, const int32_t *positions,
                                                             const float *bias, T *target, Softmax *partial, float *partialOut) {
  __shared__ float q[kQueries][kMaxHeadDim], outs[kBlockThreads][kPack];
  __shared__ Softmax softmaxes[kBlockThreads];
  __shared__ Sight sights[kQueries];
  const int thread = static_cast<int>(threadIdx.x), queries = shape.length * shape.group;
  int block = static_cast<int>(blockIdx.x);
  auto next = [&](int count) { // of the numbers that the block's is made of
    const int number = block % count;
    block /= count;
    return number;
  };
  const int piece = next(shape.pieces), firstQuery = next(shape.tiles) * kQueries, kvHead = next(shape.kvHeads), row = block;
  auto tokenOf = [&](int number) { return row * shape.length + number / shape.group; };
  auto headOf = [&](int number) { return kvHead * shape.group + number % shape.group; };
  auto queryOf = [&](int number) { return static_cast<int64_t>(tokenOf(number)) * shape.heads + headOf(number); };
  // What each query sees, and all of them together. Beyond the last query there is nothing to see.
  int from = shape.places, to = 0, positionsOf[kQueries];
  ZP_UNROLL
  for (int j = 0; j < kQueries; ++j)
    positionsOf[j] = firstQuery + j < queries ? positions[tokenOf(firstQuery + j)] : -1;
  ZP_UNROLL
  for (int j = 0; j < kQueries; ++j) {
    const int number = firstQuery + j, position = positionsOf[j];
    const int last = position < shape.places ? position : shape.places - 1; // negative: padding
    const int first = shape.window == 0 || position < shape.window ? 0 : static_cast<int>(position - shape.window) + 1;
    if (thread == 0)
      sights[j] = {first, last, headOf(number)};
    from = first <= last && first < from ? first : from;
    to = first <= last && last >= to ? last + 1 : to;
    if (thread < shape.lanes * kPack)
      q[j][thread] = number < queries && thread < shape.headDim ? toFloat(query[queryOf(number) * shape.headDim + thread]) : 0.0f;
  }
  const int equal = to > from ? (to - from + shape.pieces - 1) / shape.pieces : 0, share = equal > kPiecePlaces ? equal : kPiecePlaces;
  from += piece * share;
  to = from + share < to ? from + share : to;
  __syncthreads();

  const int lanes = shape.lanes, teams = kBlockThreads / lanes, team = thread / lanes, column = thread % lanes * kPack;
  const bool holds = column < shape.headDim;
  Count count;
  if constexpr (!std::is_same_v<Count, Whole>)
    count = holds ? packAt(column, shape.headDim) : 0;
  float out[kQueries][kPack] = {};
  Softmax softmax[kQueries];
  for (Softmax &one : softmax)
    one = Softmax::begin();
  for (int base = from; base < to; base += teams * kAtOnce) {
    Pack<T> keys[kAtOnce] = {}, values[kAtOnce] = {};
    int places[kAtOnce];
    for (int i = 0; i < kAtOnce; ++i) {
      places[i] = base + i * teams + team;
      const int place = places[i] < to ? places[i] : to - 1; // what lies beyond nobody sees
      const int64_t at = (static_cast<int64_t>(row * shape.places + place) * shape.kvHeads + kvHead) * shape.headDim + column;
      if (holds) {
        keys[i] = packOf(key + at, count);
        values[i] = packOf(value + at, count);
      }
    }
    ZP_UNROLL
    for (int j = 0; j < kQueries; ++j) {
      float scores[kAtOnce] = {}, largest = softmax[j].largest;
      for (int i = 0; i < kAtOnce; ++i) {
        float k[kPack];
        unpack(keys[i], k);
        for (int e = 0; e < kPack; ++e)
          scores[i] = multipliedAndAdded(q[j][column + e], k[e], scores[i]);
      }
      for (int mask = lanes / 2; mask > 0; mask /= 2) // all of them on their way together
        for (float &score : scores)
          score += __shfl_xor_sync(0xffffffffu, score, mask);
      const Sight sight = sights[j];
      for (int i = 0; i < kAtOnce; ++i) {
        scores[i] *= shape.scale;
        const bool seen = places[i] < to && places[i] >= sight.first && places[i] <= sight.last;
        if (seen && bias)
          scores[i] += bias[shape.byDistance ? static_cast<int64_t>(sight.head) * (2 * shape.places - 1) + places[i] - sight.last + shape.places - 1
                                             : static_cast<int64_t>(sight.head) * shape.places + places[i]];
        scores[i] = seen ? scores[i] : -INFINITY;
        largest = scores[i] > largest ? scores[i] : largest;
      }
      const float factor = softmax[j].factor(largest);
      softmax[j].largest = largest;
      softmax[j].sum *= factor;
      for (float &element : out[j])
        element *= factor;
      for (int i = 0; i < kAtOnce; ++i) {
        if (scores[i] == -INFINITY) // not by a probability of zero: the value is another query's, and may be infinite
          continue;
        const float probability = expf(scores[i] - largest);
        float v[kPack];
        unpack(values[i], v);
        softmax[j].sum += probability;
        for (int e = 0; e < kPack; ++e)
          out[j][e] = multipliedAndAdded(probability, v[e], out[j][e]);
      }
    }
  }

  ZP_UNROLL
  for (int j = 0; j < kQueries; ++j) {
    __syncthreads(); // the sums of the query before have been read
    softmaxes[thread] = softmax[j];
    for (int e = 0; e < kPack; ++e)
      outs[thread][e] = out[j][e];
    __syncthreads();
    if (firstQuery + j >= queries || thread >= shape.headDim)
      continue;
    const int64_t at = queryOf(firstQuery + j);
    Softmax all;
    const float total = merged(
        teams,
        [&](int i, Softmax &one) {
          one = softmaxes[i * lanes];
          return outs[i * lanes + thread / kPack][thread % kPack];
        },
        all);
    if (shape.pieces == 1) {
      target[at * shape.headDim + thread] = fromFloat<T>(all.isEmpty() ? 0.0f : total / all.sum);
      continue;
    }
    partialOut[(at * shape.pieces + piece) * shape.headDim + thread] = total;
    if (thread == 0)
      partial[at * shape.pieces + piece] = all;
  }
}

/// A thread an element of the result.
template <typename T>
__global__ void mergePieces(int64_t elements, int headDim, int pieces, const Softmax *partial, const float *partialOut, T *target) {
  const int64_t i = static_cast<int64_t>(blockIdx.x) * kBlockThreads + threadIdx.x, query = i / headDim;
  if (i >= elements)
    return;
  Softmax all;
  const float total = merged(
      pieces,
      [&](int piece, Softmax &one) {
        one = partial[query * pieces + piece];
        return partialOut[(query * pieces + piece) * headDim + i % headDim];
      },
      all);
  target[i] = fromFloat<T>(all.isEmpty() ? 0.0f : total / all.sum);
}

/// As many as give each multiprocessor two blocks, where there are `blocks` without; their parts have room in the scratch.
int piecesOf(const Context &context, const Shape &shape, int64_t blocks) {
  const int64_t room = static_cast<int64_t>(kScratchBytes) / (shape.queries() * (shape.headDim * 4 + static_cast<int64_t>(sizeof(Softmax))));
  const int64_t most = std::min<int64_t>({(shape.places + kPiecePlaces - 1) / kPiecePlaces, kMostPieces, room});
  return static_cast<int>(std::max<int64_t>(1, std::min(2 * context.multiprocessors / blocks, most)));
}

template <typename T, int kQueries, int kAtOnce, typename Count>
void launchQueries(const Context &context, Shape shape, const CachedAttentionArgs &args) {
  shape.tiles = (shape.length * shape.group + kQueries - 1) / kQueries;
  const int64_t blocks = int64_t{shape.rows} * shape.kvHeads * shape.tiles, queries = shape.queries();
  shape.pieces = piecesOf(context, shape, blocks);
  auto *partial = static_cast<Softmax *>(context.scratch);
  auto *partialOut = reinterpret_cast<float *>(partial + queries * shape.pieces);
  T *target = args.target.as<T>();
  launch(context.stream, blocks * shape.pieces, kBlockThreads, attendCache<T, kQueries, kAtOnce, Count>, shape, args.query.as<T>(), args.key.as<T>(),
         args.value.as<T>(), args.positions.as<int32_t>(), args.bias.as<float>(), target, partial, partialOut);
  const int64_t elements = queries * shape.headDim;
  if (shape.pieces > 1)
    launch(context.stream, blocksOf(elements), kBlockThreads, mergePieces<T>, elements, shape.headDim, shape.pieces, partial, partialOut, target);
}

} // namespace

/// Bound by the cache that it reads, and read once for up to eight queries.
Status run(const Context &context, const CachedAttentionArgs &args) {
  static_assert(kMaxHeadDim <= kBlockThreads && kMaxHeadDim <= kWarp * kPack);
  if (args.query.elements() == 0)
    return {};
  if (args.query.dims[0] * args.heads > INT32_MAX || args.key.dims[0] > INT32_MAX)
    return Status(ErrorCode::PlanInvalid, "cached_attention: has " + std::to_string(args.query.dims[0]) + " tokens of " + std::to_string(args.heads) +
                                              " heads and " + std::to_string(args.key.dims[0]) + " places, expected less than 2^31 of both");
  auto number = [](int64_t value) { return static_cast<int>(value); };
  const int64_t rows = args.query.dims[0] / args.length;
  Shape shape{number(args.heads),
              number(args.kvHeads),
              number(args.query.dims[1] / args.heads),
              number(args.length),
              number(args.key.dims[0] / rows),
              number(rows),
              args.window,
              static_cast<float>(args.scale),
              args.biasByDistance,
              number(args.heads / args.kvHeads),
              1};
  while (shape.lanes * kPack < shape.headDim)
    shape.lanes *= 2;
  withElement(args.query.dtype, [&](auto element) {
    using T = decltype(element);
    if constexpr (sizeof(T) == 2) // what has to be fast
      if (areWhole(shape.headDim, args.key.as<T>(), args.value.as<T>())) {
        if (shape.length * shape.group == 1)
          return launchQueries<T, 1, 4, Whole>(context, shape, args);
        if (shape.length * shape.group <= 4)
          return launchQueries<T, 4, 4, Whole>(context, shape, args);
        return launchQueries<T, 8, 2, Whole>(context, shape, args);
      }
    launchQueries<T, 8, 2, int>(context, shape, args);
  });
  return {};
}

} // namespace zp::rt::cuda
