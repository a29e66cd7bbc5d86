#include "runtime/kernels/attention_gradient/cuda_gradient_matrix.h"
#include "runtime/kernels/cuda/elementwise.h"
#include "runtime/kernels/cuda/fused_attention.h"
#include "runtime/kernels/cuda/kernels.h"

namespace zp::rt::cuda {
namespace {

/// deltas[head, token] = Σ grad_out·out, which is Σ over keys of probability times its gradient. `lanes` of them for a head, a power of two, add
/// its packs.
template <typename T>
__global__ void addDeltas(const T *gradOut, const T *out, float *deltas, int64_t heads, int64_t headDim, int64_t tokens, int lanes) {
  const int64_t number = (static_cast<int64_t>(blockIdx.x) * kBlockThreads + threadIdx.x) / lanes, begin = number * headDim;
  float sum = 0, x[kPack], y[kPack];
  for (int64_t c = static_cast<int64_t>(threadIdx.x % lanes) * kPack; number < tokens * heads && c < headDim; c += lanes * kPack) {
    load(gradOut + begin + c, packAt(c, headDim), x);
    load(out + begin + c, packAt(c, headDim), y);
    for (int e = 0; e < kPack; ++e)
      sum += x[e] * y[e];
  }
  sum = reduceLanes(sum, lanes, Sum());
  if (number < tokens * heads && threadIdx.x % lanes == 0)
    deltas[number % heads * tokens + number / heads] = sum;
}

template <int D, bool kDropped, typename T>
ZP_DEVICE Weighted weighRows(const AttentionShape &shape, const GradientOperands<T> &operands, int64_t head, int64_t row, int64_t i, int64_t j,
                             const float (&query)[D + 1], const float (&gradOut)[D + 1], const float (&key)[D + 1], const float (&value)[D + 1]) {
  if (!shape.sees(row, i, j))
    return {0, 0};
  const int64_t at = head * shape.tokens + row * shape.length + i;
  const float score = shape.scale * dot<D>(query, key) + shape.biasOf(head, row, i, j);
  return weigh<T, kDropped>(shape, head, row, i, j, score, dot<D>(gradOut, value), operands.logSumExp[at], operands.deltas[at]);
}

/// As attend: a block has a tile of queries, keys pass by.
template <int D, bool kDropped, typename T>
__global__ void queryGradient(AttentionShape shape, GradientOperands<T> operands, T *gradQuery, int64_t tiles) {
  constexpr int kRows = kTileRows<D>, kThreads = kRowThreads<D>, kColumns = D / kThreads;
  __shared__ Tile<D> queries, gradOuts, keys, values;
  __shared__ float gradients[kRows][kRows];
  const int64_t firstPlace = blockIdx.x % tiles * kRows, row = blockIdx.x / tiles % shape.rows, head = blockIdx.x / tiles / shape.rows,
                kvHead = head / shape.group();
  const int r = static_cast<int>(threadIdx.x) / kThreads, lane = static_cast<int>(threadIdx.x) % kThreads;
  loadTile<D>(queries, operands.query, row, shape.length, firstPlace, shape.heads, head, shape.headDim);
  loadTile<D>(gradOuts, operands.gradOut, row, shape.length, firstPlace, shape.heads, head, shape.headDim);
  float out[kColumns] = {};
  for (int64_t first = 0; first < shape.keyLength; first += kRows) {
    if (shape.hidden(firstPlace, kRows, first, kRows))
      continue;
    __syncthreads();
    loadTile<D>(keys, operands.key, row, shape.keyLength, first, shape.kvHeads, kvHead, shape.headDim);
    loadTile<D>(values, operands.value, row, shape.keyLength, first, shape.kvHeads, kvHead, shape.headDim);
    __syncthreads();
    for (int k = lane; k < kRows; k += kThreads)
      gradients[r][k] =
          weighRows<D, kDropped>(shape, operands, head, row, firstPlace + r, first + k, queries[r], gradOuts[r], keys[k], values[k]).gradient;
    __syncthreads();
    for (int i = 0; i < kColumns; ++i)
      for (int k = 0; k < kRows; ++k)
        out[i] += gradients[r][k] * keys[k][lane + i * kThreads];
  }
  const int64_t place = firstPlace + r;
  for (int i = 0; i < kColumns; ++i) {
    const int c = lane + i * kThreads;
    if (place < shape.length && c < shape.headDim)
      gradQuery[((row * shape.length + place) * shape.heads + head) * shape.headDim + c] = fromFloat<T>(shape.scale * out[i]);
  }
}

/// A block has a tile of keys of one row and kv head; the queries of all its heads pass by, so that nothing is summed across blocks.
template <int D, bool kDropped, typename T>
__global__ void keyGradient(AttentionShape shape, GradientOperands<T> operands, T *gradKey, T *gradValue, int64_t tiles) {
  constexpr int kRows = kTileRows<D>, kThreads = kRowThreads<D>, kColumns = D / kThreads;
  __shared__ Tile<D> queries, gradOuts, keys, values;
  __shared__ Weighted weights[kRows][kRows]; // [key][query]
  const int64_t firstPlace = blockIdx.x % tiles * kRows, row = blockIdx.x / tiles % shape.rows, kvHead = blockIdx.x / tiles / shape.rows;
  const int r = static_cast<int>(threadIdx.x) / kThreads, lane = static_cast<int>(threadIdx.x) % kThreads;
  loadTile<D>(keys, operands.key, row, shape.keyLength, firstPlace, shape.kvHeads, kvHead, shape.headDim);
  loadTile<D>(values, operands.value, row, shape.keyLength, firstPlace, shape.kvHeads, kvHead, shape.headDim);
  float outKey[kColumns] = {}, outValue[kColumns] = {};
  for (int64_t head = kvHead * shape.group(); head < (kvHead + 1) * shape.group(); ++head)
    for (int64_t first = 0; first < shape.length; first += kRows) {
      if (shape.hidden(first, kRows, firstPlace, kRows))
        continue;
      __syncthreads();
      loadTile<D>(queries, operands.query, row, shape.length, first, shape.heads, head, shape.headDim);
      loadTile<D>(gradOuts, operands.gradOut, row, shape.length, first, shape.heads, head, shape.headDim);
      __syncthreads();
      for (int q = lane; q < kRows; q += kThreads)
        weights[r][q] = weighRows<D, kDropped>(shape, operands, head, row, first + q, firstPlace + r, queries[q], gradOuts[q], keys[r], values[r]);
      __syncthreads();
      for (int i = 0; i < kColumns; ++i)
        for (int q = 0; q < kRows; ++q) {
          outKey[i] += weights[r][q].gradient * queries[q][lane + i * kThreads];
          outValue[i] += weights[r][q].probability * gradOuts[q][lane + i * kThreads];
        }
    }
  const int64_t place = firstPlace + r;
  for (int i = 0; i < kColumns; ++i) {
    const int c = lane + i * kThreads;
    if (place >= shape.keyLength || c >= shape.headDim)
      continue;
    const int64_t at = ((row * shape.keyLength + place) * shape.kvHeads + kvHead) * shape.headDim + c;
    gradKey[at] = fromFloat<T>(shape.scale * outKey[i]);
    gradValue[at] = fromFloat<T>(outValue[i]);
  }
}

/// A block a head and a distance; the rows and their queries are its threads'.
template <bool kDropped, typename T> __global__ void biasGradient(AttentionShape shape, GradientOperands<T> operands, float *gradBias) {
  const int64_t distances = shape.length + shape.keyLength - 1, head = blockIdx.x / distances, kvHead = head / shape.group();
  const int64_t distance = blockIdx.x % distances - (shape.length - 1); // key's place minus query's
  float sum = 0;
  for (int64_t token = threadIdx.x; token < shape.tokens; token += blockDim.x) {
    const int64_t row = token / shape.length, i = token % shape.length, j = i + distance;
    if (j < 0 || !shape.sees(row, i, j))
      continue;
    const T *query = operands.query + (token * shape.heads + head) * shape.headDim, *gradOut = operands.gradOut + (query - operands.query);
    const T *key = operands.key + ((row * shape.keyLength + j) * shape.kvHeads + kvHead) * shape.headDim,
            *value = operands.value + (key - operands.key);
    float score = 0, gradP = 0, x[kPack], y[kPack];
    auto addProduct = [&](const T *first, const T *second, int64_t c, float &sum) {
      load(first + c, packAt(c, shape.headDim), x);
      load(second + c, packAt(c, shape.headDim), y);
      for (int e = 0; e < kPack; ++e)
        sum += x[e] * y[e];
    };
    for (int64_t c = 0; c < shape.headDim; c += kPack) {
      addProduct(query, key, c, score);
      addProduct(gradOut, value, c, gradP);
    }
    const int64_t at = head * shape.tokens + token;
    score = shape.scale * score + shape.biasOf(head, row, i, j);
    sum += weigh<T, kDropped>(shape, head, row, i, j, score, gradP, operands.logSumExp[at], operands.deltas[at]).gradient;
  }
  sum = reduceBlock(sum, Sum());
  if (threadIdx.x == 0)
    gradBias[blockIdx.x] = sum;
}

/// target[row, head, place] = source[head, row·length + place]
struct ByRow {
  const float *source;
  float *target;
  int64_t heads, length, tokens;
  ZP_DEVICE void operator()(int64_t i, int count) const {
    for (int64_t at = i; at < i + count; ++at) {
      const int64_t place = at % length, head = at / length % heads, row = at / length / heads;
      target[at] = source[head * tokens + row * length + place];
    }
  }
};

template <int D, bool kDropped, typename T>
void launchMatrix(const Context &context, const AttentionShape &shape, const GradientOperands<T> &operands, const AttentionGradientArgs &args) {
  if constexpr (sizeof(T) == 2) {
    const int64_t tiles = (shape.length + kOwnRows - 1) / kOwnRows, keyTiles = (shape.keyLength + kOwnRows - 1) / kOwnRows;
    launch(context.stream, tiles * shape.rows * shape.heads, kMatrixThreads, queryGradientByMatrix<D, kDropped, T>, shape, operands,
           args.gradQuery.as<T>(), static_cast<int>(tiles));
    launch(context.stream, keyTiles * shape.rows * shape.kvHeads, kMatrixThreads, keyGradientByMatrix<D, kDropped, T>, shape, operands,
           args.gradKey.as<T>(), args.gradValue.as<T>(), static_cast<int>(keyTiles));
  }
}

} // namespace

Status run(const Context &context, const AttentionGradientArgs &args) {
  const AttentionShape shape(args);
  if (context.fusedAttention && context.fusedAttention->takes(args)) {
    if (shape.rows > 1)
      forElements(context, shape.tokens * shape.heads,
                  ByRow{args.logSumExp.as<float>(), args.workspace.as<float>(), shape.heads, shape.length, shape.tokens});
    return context.fusedAttention->run(context, args);
  }
  // Of the workspace's parts (runtime/schema/workspaces.h) only the first is needed here.
  auto *deltas = args.workspace.as<float>();
  withElement(args.query.dtype, [&](auto element) {
    using T = decltype(element);
    int lanes = 1;
    while (lanes < kWarp && lanes * kPack < shape.headDim)
      lanes *= 2;
    launch(context.stream, blocksOf(shape.tokens * shape.heads * lanes), kBlockThreads, addDeltas<T>, args.gradOut.as<T>(), args.out.as<T>(), deltas,
           shape.heads, shape.headDim, shape.tokens, lanes);
    const GradientOperands<T> operands{args.gradOut.as<T>(), args.query.as<T>(),         args.key.as<T>(),
                                       args.value.as<T>(),   args.logSumExp.as<float>(), deltas};
    withDropout(shape, [&]<bool kDropped>() {
      if (isForMatrix<T>(shape))
        withMatrixHead(shape.headDim, [&]<int D>() { launchMatrix<D, kDropped>(context, shape, operands, args); });
      else
        withHead<T>(shape.headDim, [&]<int D>() {
          const int64_t tiles = (shape.length + kTileRows<D> - 1) / kTileRows<D>, keyTiles = (shape.keyLength + kTileRows<D> - 1) / kTileRows<D>;
          launch(context.stream, tiles * shape.rows * shape.heads, kBlockThreads, queryGradient<D, kDropped, T>, shape, operands,
                 args.gradQuery.as<T>(), tiles);
          launch(context.stream, keyTiles * shape.rows * shape.kvHeads, kBlockThreads, keyGradient<D, kDropped, T>, shape, operands,
                 args.gradKey.as<T>(), args.gradValue.as<T>(), keyTiles);
        });
      if (args.gradBias)
        launch(context.stream, shape.heads * (shape.length + shape.keyLength - 1), kBlockThreads, biasGradient<kDropped, T>, shape, operands,
               args.gradBias.as<float>());
    });
  });
  return {};
}

} // namespace zp::rt::cuda
