// A product of few rows with a 4-bit weight, as generation has it: a warp decodes rows of the weight and multiplies by them at once, with the
// adapter's branch in the same sums. Nothing is dequantised in memory, and an element is rounded once. For what matrix units don't take
// (cuda_few_rows_tiled.h).
#ifndef ZP_RUNTIME_KERNELS_NF4_MATMUL_CUDA_FEW_ROWS_H
#define ZP_RUNTIME_KERNELS_NF4_MATMUL_CUDA_FEW_ROWS_H

#include "runtime/kernels/cuda/elementwise.h"
#include "runtime/kernels/cuda/records.h"
#include "runtime/schema/generated/op_args.h"

namespace zp::rt::cuda {

constexpr int64_t kFewRows = 16;
constexpr int kWarpsOfBlock = kBlockThreads / kWarp;

template <typename T> struct FewRows {
  const T *a, *bias, *branchA, *branchB;
  T *target;
  int64_t m, n, k, rank;
  float alpha, branchAlpha;
  bool accumulate;
};

/// sums[row·kColumns + c] += Σ over [i, i + count) of x[row]·w[c]. Rows past the last are the last again, whose sums nobody takes.
template <typename T, int kRows, int kColumns>
ZP_DEVICE void addProducts(const T *x, int64_t rows, int64_t width, int64_t i, int count, const float (&w)[kColumns][kPack],
                           float (&sums)[kRows * kColumns]) {
  float values[kPack];
  for (int row = 0; row < kRows; ++row) {
    load(x + (row < rows ? row : rows - 1) * width + i, count, values);
    for (int c = 0; c < kColumns; ++c)
      for (int e = 0; e < kPack; ++e)
        sums[row * kColumns + c] = multipliedAndAdded(values[e], w[c][e], sums[row * kColumns + c]);
  }
}

/// A warp for kColumns neighbours among the target's columns; its lanes share the sum's length.
template <typename T, int kRows, int kColumns> __global__ void fewRowsKernel(RecordTables tables, Records records, FewRows<T> p) {
  constexpr int kSums = kRows * kColumns, kAtOnce = kSums < kWarp ? kSums : kWarp;
  __shared__ CodeValues codeValues;
  __shared__ float scales[256];
  shareTables(tables, codeValues, scales);
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const int64_t first = (static_cast<int64_t>(blockIdx.x) * kWarpsOfBlock + threadIdx.x / kWarp) * kColumns;
  float sums[kSums] = {}, w[kColumns][kPack];
  auto column = [&](int c) { return first + c < p.n ? first + c : p.n - 1; };
  for (int64_t i = lane * kPack; i < p.k; i += kWarp * kPack) {
    const int count = packAt(i, p.k);
    for (int c = 0; c < kColumns; ++c) {
      decode(records, codeValues, scales, column(c) * p.k + i, count, w[c]);
      for (int e = 0; e < kPack; ++e)
        w[c][e] = rounded<T>(w[c][e]);
    }
    addProducts<T, kRows, kColumns>(p.a, p.m, p.k, i, count, w, sums);
  }
  for (float &sum : sums)
    sum *= p.alpha;
  for (int64_t i = lane * kPack; i < p.rank; i += kWarp * kPack) {
    const int count = packAt(i, p.rank);
    for (int c = 0; c < kColumns; ++c) {
      load(p.branchB + column(c) * p.rank + i, count, w[c]);
      for (int e = 0; e < kPack; ++e)
        w[c][e] *= p.branchAlpha;
    }
    addProducts<T, kRows, kColumns>(p.branchA, p.m, p.rank, i, count, w, sums);
  }
  for (int begin = 0; begin < kSums; begin += kAtOnce) {
    float group[kAtOnce];
    for (int s = 0; s < kAtOnce; ++s)
      group[s] = sums[begin + s];
    sumByLane(group);
    const int64_t row = (begin + lane) / kColumns, at = first + (begin + lane) % kColumns;
    if (lane >= kAtOnce || row >= p.m || at >= p.n)
      continue;
    T *place = p.target + row * p.n + at;
    float value = group[0];
    if (p.bias)
      value += toFloat(p.bias[at]);
    if (p.accumulate)
      value += toFloat(*place);
    *place = fromFloat<T>(value);
  }
}

/// Any element and any shape. The more rows, the more columns share what is loaded of them.
template <typename T> void launchFewRows(const Context &context, const QuantRecords &format, const Records &records, const FewRows<T> &p) {
  auto start = [&](auto kernel, int64_t columns) {
    const int64_t warps = (p.n + columns - 1) / columns;
    launch(context.stream, (warps + kWarpsOfBlock - 1) / kWarpsOfBlock, kBlockThreads, kernel, tablesOf(format), records, p);
  };
  if (p.m == 1)
    start(fewRowsKernel<T, 1, 1>, 1);
  else if (p.m <= 4)
    start(fewRowsKernel<T, 4, 2>, 2);
  else
    start(fewRowsKernel<T, kFewRows, 4>, 4);
}

} // namespace zp::rt::cuda

#endif // ZP_RUNTIME_KERNELS_NF4_MATMUL_CUDA_FEW_ROWS_H
