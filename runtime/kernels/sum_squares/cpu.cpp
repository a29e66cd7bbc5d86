#include "runtime/kernels/kernels.h"
#include "runtime/kernels/parallel.h"
#include "runtime/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/kernels/sum_squares/cpu.cpp"
#include "hwy/foreach_target.h"
#include "runtime/kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace zp::rt::HWY_NAMESPACE {

/// Sum of squares of one block, in f64, over a fixed number of lanes: the same bits on every vector length.
static double blockSum(const float *source, int64_t count) {
  const hn::ScalableTag<double> d64;
  const hn::Rebind<float, decltype(d64)> d32;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d64));
  auto a = hn::Zero(d64), b = hn::Zero(d64);
  int64_t i = 0;
  for (; i + 2 * lanes <= count; i += 2 * lanes) {
    const auto x = hn::PromoteTo(d64, hn::LoadU(d32, source + i));
    const auto y = hn::PromoteTo(d64, hn::LoadU(d32, source + i + lanes));
    a = hn::MulAdd(x, x, a);
    b = hn::MulAdd(y, y, b);
  }
  double sum = hn::GetLane(hn::SumOfLanes(d64, hn::Add(a, b)));
  for (; i < count; ++i)
    sum += static_cast<double>(source[i]) * static_cast<double>(source[i]);
  return sum;
}

void sumSquaresCpu(const KernelContext &context, const SumSquaresArgs &args) {
  const float *source = args.source.as<float>();
  const int64_t count = args.source.elements();
  // Blocks have fixed borders and are added in order, a batch of blocks at a time.
  constexpr int64_t kBlock = 65536, kBatch = 512;
  double sums[kBatch], total = 0;
  const int64_t blocks = (count + kBlock - 1) / kBlock;
  for (int64_t batch = 0; batch < blocks; batch += kBatch) {
    const int64_t here = HWY_MIN(kBatch, blocks - batch);
    parallelFor(context, here, 1, [&](int64_t begin, int64_t end) HWY_ATTR {
      for (int64_t block = begin; block < end; ++block) {
        const int64_t first = (batch + block) * kBlock;
        sums[block] = blockSum(source + first, HWY_MIN(kBlock, count - first));
      }
    });
    for (int64_t block = 0; block < here; ++block)
      total += sums[block];
  }
  *args.target.as<double>() += total;
}

} // namespace zp::rt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace zp::rt {
HWY_EXPORT(sumSquaresCpu);
namespace cpu {
void run(const KernelContext &context, const SumSquaresArgs &args) { HWY_DYNAMIC_DISPATCH(sumSquaresCpu)(context, args); }
} // namespace cpu
} // namespace zp::rt
#endif
