// A product of few rows with a 4-bit weight, as generation has it: a warp decodes rows of the weight and multiplies by them at once, with the
// adapter's branch in the same sums. Nothing is dequantised in memory, and an element is rounded once.
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

ZP_DEVICE float multipliedAndAdded(float a, float b, float c) {
#ifdef __CUDACC__
  return __fmaf_rn(a, b, c);
#else
  return a * b + c;
#endif
}

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
  __shared__ float codeValues[16], scales[256];
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

template <typename T, int kRows, int kColumns>
void launchFewRows(const Context &context, const RecordTables &tables, const Records &records, const FewRows<T> &p) {
  const int64_t warps = (p.n + kColumns - 1) / kColumns;
  launch(context.stream, (warps + kWarpsOfBlock - 1) / kWarpsOfBlock, kBlockThreads, fewRowsKernel<T, kRows, kColumns>, tables, records, p);
}

/// Of a transposed weight, at most kFewRows rows. The more rows, the more columns share what is loaded of them.
inline void multiplyFewRows(const Context &context, const NF4MatmulArgs &args, const QuantRecords &format) {
  const RecordTables tables = tablesOf(format);
  const Records records = recordsAt(args.weight.data, format);
  withElement(args.a.dtype, [&](auto element) {
    using T = decltype(element);
    const FewRows<T> p{args.a.as<T>(), args.bias.as<T>(), args.branchA.as<T>(), args.branchB.as<T>(), args.target.as<T>(),
                       args.target.dims[0], args.target.dims[1], args.a.dims[1], args.branchA ? args.branchA.dims[1] : 0,
                       static_cast<float>(args.alpha), static_cast<float>(args.branchAlpha), args.accumulate};
    if (p.m == 1)
      launchFewRows<T, 1, 1>(context, tables, records, p);
    else if (p.m <= 2)
      launchFewRows<T, 2, 2>(context, tables, records, p);
    else if (p.m <= 4)
      launchFewRows<T, 4, 2>(context, tables, records, p);
    else if (p.m <= 8)
      launchFewRows<T, 8, 4>(context, tables, records, p);
    else
      launchFewRows<T, 16, 4>(context, tables, records, p);
  });
}

} // namespace zp::rt::cuda

#endif // ZP_RUNTIME_KERNELS_NF4_MATMUL_CUDA_FEW_ROWS_H
