// A product of few rows of 16-bit elements with a 4-bit weight by matrix units: codes go from memory through registers into tiles of the
// weight, each decoded once for all rows, to the bits that dequantisation gives.
#ifndef ZP_RUNTIME_KERNELS_NF4_MATMUL_CUDA_FEW_ROWS_TILED_H
#define ZP_RUNTIME_KERNELS_NF4_MATMUL_CUDA_FEW_ROWS_TILED_H

#include "runtime/kernels/cuda/tile_product.h"
#include "runtime/kernels/nf4_matmul/cuda_few_rows.h"

namespace zp::rt::cuda {

constexpr int kColumnsOfBlock = 16, kRowsOfTile = 8; ///< of the target
/// A lane reads as many codes of a column at once: 16 bytes, of one block, since blocks are as long or longer. Four lanes read neighbours.
constexpr int kRun = 32, kRunsAtOnce = 4, kPacksOfRun = kRun / kPack;

/// 16 bytes as matrix units take them.
struct alignas(16) Quad {
  uint32_t at[4];
};

/// What a lane has asked memory for.
struct CodedRun {
  Quad words;
  uint8_t code;        ///< of the scale, nested
  float scale, offset; ///< of the group, nested; or the block's
};

/// Run `number` of the weight, whose rows have whole runs.
template <bool kNested> ZP_DEVICE CodedRun askRun(const Records &records, uint32_t number) {
  const int blockShift = records.blockShift - 5, recordShift = blockShift + 8; // of runs to blocks and to records
  const uint32_t record = (number >> recordShift) * static_cast<uint32_t>(records.bytes);
  const uint8_t *codesEnd = records.first + static_cast<uint32_t>(records.codeBytes) + record;
  const uint32_t block = number >> blockShift & 255;
  CodedRun run;
  run.words = *reinterpret_cast<const Quad *>(records.first + (record + (number & ((1u << recordShift) - 1)) * uint32_t{sizeof(Quad)}));
  if constexpr (kNested) {
    run.code = __ldg(codesEnd + block);
    const auto group = __ldg(reinterpret_cast<const unsigned long long *>(codesEnd + 256)); // its scale, the tensor's offset
    run.scale = __uint_as_float(static_cast<uint32_t>(group));
    run.offset = __uint_as_float(static_cast<uint32_t>(group >> 32));
  } else {
    run.scale = __ldg(reinterpret_cast<const float *>(codesEnd) + block);
  }
  return run;
}

/// What the adapter adds to an element of the target, before bias.
template <typename T> ZP_DEVICE float branchAt(const FewRows<T> &p, int64_t row, int64_t column) {
  float sum = 0, a[kPack], b[kPack];
  for (int64_t i = 0; i < p.rank; i += kPack) {
    const int count = packAt(i, p.rank);
    load(p.branchA + row * p.rank + i, count, a);
    load(p.branchB + column * p.rank + i, count, b);
    for (int e = 0; e < kPack; ++e)
      sum = multipliedAndAdded(a[e], b[e], sum);
  }
  return sum * p.branchAlpha;
}

/// A block for kColumnsOfBlock columns and kTiles·kRowsOfTile rows. Its warps take turns along the sum; their parts are added in their order.
template <typename T, bool kNested, int kTiles>
__global__ void __launch_bounds__(kBlockThreads) fewRowsTiledKernel(const float *values16, const float *scales256, Records records, FewRows<T> p) {
  __shared__ CodeValues values;
  __shared__ float scales[256], parts[kWarpsOfBlock][kTiles * 4][kWarp];
  const int lane = static_cast<int>(threadIdx.x) % kWarp, warp = static_cast<int>(threadIdx.x) / kWarp;
  const int group = lane / 4, member = lane % 4;
  const uint32_t runs = static_cast<uint32_t>(p.k / kRun), steps = (runs + kRunsAtOnce - 1) / kRunsAtOnce;
  const int64_t first = static_cast<int64_t>(blockIdx.x) * kColumnsOfBlock;
  uint32_t begin[2]; // of columns `group` and `group + 8`; past the last one it is the last, whose sums nobody takes
  for (int c = 0; c < 2; ++c) {
    const int64_t column = first + group + c * 8;
    begin[c] = static_cast<uint32_t>(column < p.n ? column : p.n - 1) * runs;
  }
  auto runOf = [&](uint32_t step) { return step * kRunsAtOnce + static_cast<uint32_t>(member); };
  CodedRun next[2];
  auto ask = [&](uint32_t step) {
    const uint32_t run = runOf(step) < runs ? runOf(step) : runs - 1;
    for (int c = 0; c < 2; ++c)
      next[c] = askRun<kNested>(records, begin[c] + run);
  };
  ask(static_cast<uint32_t>(warp)); // before all that doesn't need it
  if (threadIdx.x < 16)
    values.at[threadIdx.x] = values16[threadIdx.x];
  if constexpr (kNested)
    scales[threadIdx.x] = scales256[threadIdx.x];
  // The element that this thread will add up.
  const int part = warp % (kTiles * 4);
  const int64_t row = part / 4 * kRowsOfTile + member * 2 + part % 2, column = first + group + part % 4 / 2 * 8;
  const bool stores = warp < kTiles * 4 && row < p.m && column < p.n;
  const float branch = stores ? branchAt(p, row, column) : 0.0f;
  __syncthreads();
  const T *rows[kTiles]; // past the last it is the last, too
  for (int tile = 0; tile < kTiles; ++tile) {
    const int64_t row = tile * kRowsOfTile + group;
    rows[tile] = p.a + (row < p.m ? row : p.m - 1) * p.k;
  }
  float sums[kTiles][4] = {};
  for (uint32_t step = static_cast<uint32_t>(warp); step < steps; step += kWarpsOfBlock) {
    const CodedRun coded[2] = {next[0], next[1]};
    if (step + kWarpsOfBlock < steps)
      ask(step + kWarpsOfBlock);
    float scale[2];
    for (int c = 0; c < 2; ++c)
      scale[c] = kNested ? added(multiplied(scales[coded[c].code], coded[c].scale), coded[c].offset) : coded[c].scale;
    const bool inside = runOf(step) < runs;
    const int64_t run = (inside ? runOf(step) : runs - 1) * static_cast<int64_t>(kRun);
    Quad x[kPacksOfRun][kTiles]; // asked for before the first code is decoded
    for (int i = 0; i < kPacksOfRun; ++i)
      for (int tile = 0; tile < kTiles; ++tile) {
        x[i][tile] = *reinterpret_cast<const Quad *>(rows[tile] + run + i * kPack);
        if (!inside) // not by weights of zero: what an infinity makes of those is no number
          x[i][tile] = {};
      }
    for (int i = 0; i < kPacksOfRun; ++i) {
      Quad w[2];
      for (int c = 0; c < 2; ++c) {
        float decoded[kPack];
        decodeWord(coded[c].words.at[i], values, scale[c], decoded);
        const Pack<T> pack = packed<T>(decoded);
        memcpy(&w[c], &pack, sizeof pack);
      }
      // A pack is the lane's share of two tiles. Which of the sum's elements a tile's columns are is free: as each lane has them.
      for (int tile = 0; tile < kTiles; ++tile)
        for (int half = 0; half < 4; half += 2)
          addTileProduct<T>({w[0].at[half], w[1].at[half], w[0].at[half + 1], w[1].at[half + 1]}, {x[i][tile].at[half], x[i][tile].at[half + 1]},
                            sums[tile]);
    }
  }
  for (int i = 0; i < kTiles * 4; ++i)
    parts[warp][i][lane] = sums[i / 4][i % 4];
  __syncthreads();
  if (!stores)
    return;
  float sum = 0;
  for (int w = 0; w < kWarpsOfBlock; ++w)
    sum += parts[w][part][lane];
  T *place = p.target + row * p.n + column;
  float value = sum * p.alpha + branch;
  if (p.bias)
    value += toFloat(p.bias[column]);
  if (p.accumulate)
    value += toFloat(*place);
  *place = fromFloat<T>(value);
}

/// Whether it takes the product: whole runs of codes and packs of `a`, and a weight within which 32 bits reach.
template <typename T> bool isTiled(const FewRows<T> &p, const Records &records) {
  return p.k > 0 && p.k % kRun == 0 && areWhole(p.k, p.a, records.first) && records.blockShift >= 5 &&
         ((p.n * p.k >> (records.blockShift + 8)) + 1) * records.bytes <= UINT32_MAX;
}

template <typename T> void launchTiled(const Context &context, const QuantRecords &format, const Records &records, const FewRows<T> &p) {
  auto start = [&](auto kernel) {
    launch(context.stream, (p.n + kColumnsOfBlock - 1) / kColumnsOfBlock, kBlockThreads, kernel,
           context.quantTables->values[static_cast<int>(format.type)], context.quantTables->scales, records, p);
  };
  static_assert(kFewRows == 2 * kRowsOfTile);
  if (p.m <= kRowsOfTile)
    start(format.nested ? fewRowsTiledKernel<T, true, 1> : fewRowsTiledKernel<T, false, 1>);
  else
    start(format.nested ? fewRowsTiledKernel<T, true, 2> : fewRowsTiledKernel<T, false, 2>);
}

} // namespace zp::rt::cuda

#endif // ZP_RUNTIME_KERNELS_NF4_MATMUL_CUDA_FEW_ROWS_TILED_H
