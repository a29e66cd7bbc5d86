#include "runtime/kernels/kernels.h"
#include "runtime/kernels/parallel.h"
#include "runtime/kernels/targets.h"
#include "runtime/schema/step_scalars.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/kernels/dropout/cpu.cpp"
#include "hwy/foreach_target.h"
#include "runtime/kernels/philox-inl.h"

HWY_BEFORE_NAMESPACE();
namespace zp::rt::HWY_NAMESPACE {

template <typename T> static void dropoutElements(const KernelContext &context, const DropoutArgs &args) {
  const StepScalars &scalars = *args.scalars.as<StepScalars>();
  const T *source = args.source.as<T>();
  T *target = args.target.as<T>();
  const int64_t rowElements = args.length * args.source.dims[1], rows = args.source.dims[0] / args.length;
  const uint64_t threshold = dropoutThreshold(args.probability);
  if (threshold > UINT32_MAX) { // nothing is kept
    std::memset(args.target.data, 0, args.target.bytes());
    return;
  }
  // A block is some thousand elements of one row that begin at a whole counter.
  constexpr int64_t kBlock = 4096;
  const int64_t blocksPerRow = (rowElements + kBlock - 1) / kBlock;
  parallelFor(context, rows * blocksPerRow, 4, [&](int64_t begin, int64_t end) HWY_ATTR {
    const F32 d;
    const hn::Rebind<uint32_t, F32> d32;
    const VF32 keep = hn::Set(d, static_cast<float>(1 - args.probability));
    const auto limit = hn::Set(d32, static_cast<uint32_t>(threshold));
    // Four words a counter: twice the lanes of f32.
    HWY_ALIGN uint32_t words[4 * kPhiloxCounters];
    constexpr int64_t counters = kPhiloxCounters;
    const auto lanes = static_cast<int64_t>(hn::Lanes(d));
    for (int64_t block = begin; block < end; ++block) {
      const int64_t row = block / blocksPerRow, first = block % blocksPerRow * kBlock;
      const int64_t last = HWY_MIN(first + kBlock, rowElements);
      const T *in = source + row * rowElements;
      T *out = target + row * rowElements;
      for (int64_t e = first; e < last; e += 4 * counters) {
        philoxWords(static_cast<uint32_t>(e / 4), scalars.rowBase + static_cast<uint32_t>(row), static_cast<uint32_t>(args.site),
                    scalars.optimizerStep, scalars.seed, words);
        const int64_t stop = HWY_MIN(e + 4 * counters, last);
        for (int64_t i = e; i < stop; i += lanes) {
          const auto dropped = hn::RebindMask(d, hn::Lt(hn::Load(d32, words + (i - e)), limit));
          auto step = [&](auto vector) HWY_ATTR { vector(d, hn::IfThenZeroElse(dropped, hn::Div(vector(d, in + i), keep)), out + i); };
          if (i + lanes <= stop)
            step(WholeVector());
          else
            step(PartVector{static_cast<size_t>(stop - i)});
        }
      }
    }
  });
}

void dropoutCpu(const KernelContext &context, const DropoutArgs &args) {
  forComputeType(args.source.dtype, [&](auto element) { dropoutElements<decltype(element)>(context, args); });
}

} // namespace zp::rt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace zp::rt {
HWY_EXPORT(dropoutCpu);
namespace cpu {
void run(const KernelContext &context, const DropoutArgs &args) { HWY_DYNAMIC_DISPATCH(dropoutCpu)(context, args); }
} // namespace cpu
} // namespace zp::rt
#endif
