#include "runtime/kernels/kernels.h"
#include "runtime/kernels/parallel.h"
#include "runtime/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/kernels/column_sum/cpu.cpp"
#include "hwy/foreach_target.h"
#include "runtime/kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace zp::rt::HWY_NAMESPACE {

template <typename T> static void sumColumns(const KernelContext &context, const ColumnSumArgs &args) {
  const int64_t rows = args.source.dims[0], width = args.source.dims[1];
  const T *source = args.source.as<T>();
  float *target = args.target.as<float>();
  // Threads own columns. Partial sums over 64 rows keep the error of long columns small.
  constexpr int64_t kRows = 64;
  parallelFor(context, width, 64, [&](int64_t begin, int64_t end) HWY_ATTR {
    const F32 d;
    forVectors(begin, end, [&](int64_t i, auto vector) HWY_ATTR {
      VF32 total = hn::Zero(d);
      for (int64_t row = 0; row < rows; row += kRows) {
        VF32 partial = hn::Zero(d);
        for (int64_t r = row; r < HWY_MIN(row + kRows, rows); ++r)
          partial = hn::Add(partial, vector(d, source + r * width + i));
        total = hn::Add(total, partial);
      }
      vector(d, hn::Add(vector(d, target + i), total), target + i);
    });
  });
}

void columnSumCpu(const KernelContext &context, const ColumnSumArgs &args) {
  forComputeType(args.source.dtype, [&](auto element) { sumColumns<decltype(element)>(context, args); });
}

} // namespace zp::rt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace zp::rt {
HWY_EXPORT(columnSumCpu);
namespace cpu {
void run(const KernelContext &context, const ColumnSumArgs &args) { HWY_DYNAMIC_DISPATCH(columnSumCpu)(context, args); }
} // namespace cpu
} // namespace zp::rt
#endif
