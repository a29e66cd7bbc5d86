// What attention and its gradient share where matrix units multiply: rows of 16-bit elements in shared memory, and who sees whom by tiles.
#ifndef ZP_RUNTIME_KERNELS_ATTENTION_CUDA_MATRIX_H
#define ZP_RUNTIME_KERNELS_ATTENTION_CUDA_MATRIX_H

#include "runtime/kernels/attention/cuda_tile.h"
#include "runtime/kernels/cuda/elementwise.h"
#include "runtime/kernels/cuda/tile_product.h"

namespace zp::rt::cuda {

/// A warp has kWarpRows rows of a block's own tile, against which the others pass by.
constexpr int kMatrixThreads = 128, kWarpRows = 16, kOwnRows = kMatrixThreads / kWarp * kWarpRows;
constexpr int64_t kMaxMatrixHead = 128;

/// A row of a head of at most D in shared memory, a pack more than D apart: eight rows of a pack each meet no bank twice.
template <int D> constexpr int kStride = D + kPack;

/// rows[0, kRows) = rows [place, place + kRows) of row `row` of a tensor of `length` places, head `head` of `heads`; zero beyond them and beyond
/// headDim. They are there after awaitPacks and a barrier.
template <int D, int kRows, typename T>
ZP_DEVICE void shareRows(T (*rows)[kStride<D>], const T *tensor, int row, int length, int place, int heads, int head, int headDim) {
  constexpr int kPacks = D / kPack, kEach = kRows * kPacks / kMatrixThreads;
  static_assert(kRows * kPacks % kMatrixThreads == 0);
  const T *first = tensor + (static_cast<int64_t>(row * length + place) * heads + head) * headDim;
  auto forPacks = [&](const auto &body) {
    for (int i = 0; i < kEach; ++i) {
      const int number = static_cast<int>(threadIdx.x) + i * kMatrixThreads, r = number / kPacks, column = number % kPacks * kPack;
      const bool inside = place + r < length && column < headDim;
      body(&rows[r][column], inside ? first + static_cast<int64_t>(r) * heads * headDim + column : first, inside, column);
    }
  };
  if (headDim % kPack == 0 && reinterpret_cast<uintptr_t>(tensor) % 16 == 0)
    forPacks([&](T *target, const T *source, bool inside, int) { askForPack(target, source, inside); });
  else
    forPacks([&](T *target, const T *source, bool inside, int column) {
      *reinterpret_cast<Pack<T> *>(target) = packOf(source, inside ? packAt(column, headDim) : 0);
    });
}

/// segments[0, kRows) = those of places [place, place + kRows) of a row; beyond the row, some.
template <int kRows> ZP_DEVICE void shareSegments(int (&shared)[kRows], const int32_t *segments, int row, int length, int place) {
  const int r = static_cast<int>(threadIdx.x);
  if (r < kRows)
    shared[r] = place + r < length ? segments[row * length + place + r] : 0;
}

/// How kRows segments are to one: some may be the same, all are, none is.
enum class Meeting { Some = 0, All = 1, None = 2 };
/// All threads of the warp ask together and hear the same.
template <int kRows> ZP_DEVICE Meeting meetingOf(const int *segments, int segment) {
  int bits = 3;
  for (int begin = 0; begin < kRows; begin += kWarp)
    if (const int i = begin + static_cast<int>(threadIdx.x) % kWarp; i < kRows)
      bits &= segments[i] == segment ? 1 : 2;
  return static_cast<Meeting>(reduceLanes(bits, kWarp, [](int a, int b) { return a & b; }));
}

/// Whether queries [i, i + queries) all see keys [j, j + keys), by position; both are in the row.
ZP_DEVICE bool seeAll(const AttentionShape &shape, int i, int queries, int j, int keys) {
  return j + keys <= shape.keyLength && i + queries <= shape.length &&
         (!shape.causal || (j + keys - 1 <= i && (shape.window == 0 || j > i + queries - 1 - shape.window)));
}
/// Places [first, end) of a row.
struct Sight {
  int first, end;
};
/// Whether a place is in sight and its segment the same, without a branch.
ZP_DEVICE bool sees(const Sight &sight, int place, int segment, int other) {
  return static_cast<bool>((place >= sight.first) & (place < sight.end) & (segment == other));
}
/// The keys that query place i sees, by position.
ZP_DEVICE Sight keysOf(const AttentionShape &shape, int64_t i) {
  const int64_t end = i >= shape.length ? 0 : shape.causal ? i + 1 : shape.keyLength;
  return {shape.causal && shape.window != 0 && i >= shape.window ? static_cast<int>(i - shape.window) + 1 : 0, static_cast<int>(end)};
}
/// The queries that see key place j, by position.
ZP_DEVICE Sight queriesOf(const AttentionShape &shape, int64_t j) {
  int64_t end = shape.causal && shape.window != 0 && j + shape.window < shape.length ? j + shape.window : shape.length;
  end = j < shape.keyLength ? end : 0;
  return {shape.causal ? static_cast<int>(j) : 0, static_cast<int>(end)};
}

template <typename T> struct alignas(2 * sizeof(T)) Pair { T at[2]; };

/// Rows g and g + 8 of a warp's sums become rows of a tensor, `scales` times themselves.
template <int D, typename T>
ZP_DEVICE void storeRows(T *tensor, int row, int length, int place, int heads, int head, int headDim, const float (&sums)[D / 8][4],
                         const float (&scales)[2]) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const bool inPairs = headDim % 2 == 0 && reinterpret_cast<uintptr_t>(tensor) % sizeof(Pair<T>) == 0;
  for (int half = 0; half < 2; ++half) {
    const int r = place + lane / 4 + half * 8;
    if (r >= length)
      continue;
    T *target = tensor + (static_cast<int64_t>(row * length + r) * heads + head) * headDim;
    for (int n = 0; n < D / 8; ++n) {
      const int column = n * 8 + lane % 4 * 2;
      Pair<T> pair;
      fromFloats<T>(scales[half] * sums[n][2 * half], scales[half] * sums[n][2 * half + 1], pair.at);
      if (inPairs) {
        if (column < headDim)
          *reinterpret_cast<Pair<T> *>(target + column) = pair;
      } else {
        for (int e = 0; e < 2; ++e)
          if (column + e < headDim)
            target[column + e] = pair.at[e];
      }
    }
  }
}

/// Whether matrix units take it, as numbers of 32 bits.
template <typename T> bool isForMatrix(const AttentionShape &shape) {
  return sizeof(T) == 2 && shape.headDim <= kMaxMatrixHead && shape.tokens * shape.heads <= INT32_MAX && shape.rows * shape.keyLength <= INT32_MAX;
}

/// body(score, half, at) for each of the lane's scores: of the warp's row g + 8·half and column `at` of the tile.
template <int kTiles, typename Body> ZP_DEVICE void forScores(float (&scores)[kTiles][4], const Body &body) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  ZP_UNROLL
  for (int n = 0; n < kTiles; ++n)
    ZP_UNROLL
  for (int e = 0; e < 4; ++e)
    body(scores[n][e], e / 2, n * 8 + lane % 4 * 2 + e % 2);
}

/// scores += own·rowsᵀ, of as many rows as there are columns of scores; own(k, a) gives columns [16·k, 16·k + 16) of the warp's own rows as `a`.
template <int D, int kTiles, typename T, typename Own>
ZP_DEVICE void addScores(float (&scores)[kTiles][4], const Own &own, const T (*rows)[kStride<D>]) {
  ZP_UNROLL
  for (int k = 0; k < D / 16; ++k) {
    uint32_t a[4];
    own(k, a);
    ZP_UNROLL
    for (int n = 0; n < kTiles / 2; ++n) {
      uint32_t b[2][2];
      loadTransposedB(b, rows, n * 16, k * 16);
      addTileProduct<T>(a, b[0], scores[2 * n]);
      addTileProduct<T>(a, b[1], scores[2 * n + 1]);
    }
  }
}
/// Own rows that the warp keeps in registers.
template <int kCount> struct KeptRows {
  uint32_t at[kCount][4];
  ZP_DEVICE void operator()(int k, uint32_t (&a)[4]) const {
    for (int i = 0; i < 4; ++i)
      a[i] = at[k][i];
  }
};

/// out += weights·rows, the weights rounded to T.
template <int D, int kTiles, typename T>
ZP_DEVICE void addWeighted(float (&out)[D / 8][4], const float (&weights)[kTiles][4], const T (*rows)[kStride<D>]) {
  ZP_UNROLL
  for (int k = 0; k < kTiles / 2; ++k) {
    uint32_t a[4];
    roundA<T>(a, weights[2 * k], weights[2 * k + 1]);
    ZP_UNROLL
    for (int n = 0; n < D / 16; ++n) {
      uint32_t b[2][2];
      loadB(b, rows, k * 16, n * 16);
      addTileProduct<T>(a, b[0], out[2 * n]);
      addTileProduct<T>(a, b[1], out[2 * n + 1]);
    }
  }
}

/// Calls `body` with the smallest D that holds a head of at most kMaxMatrixHead.
template <typename Body> void withMatrixHead(int64_t headDim, const Body &body) {
  if (headDim <= 64)
    body.template operator()<64>();
  else
    body.template operator()<128>();
}

} // namespace zp::rt::cuda

#endif // ZP_RUNTIME_KERNELS_ATTENTION_CUDA_MATRIX_H
