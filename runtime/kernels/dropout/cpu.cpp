#include "runtime/kernels/kernels.h"
#include "runtime/kernels/parallel.h"
#include "runtime/kernels/philox.h"
#include "runtime/schema/step_scalars.h"
#include "runtime/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/kernels/dropout/cpu.cpp"
#include "hwy/foreach_target.h"
#include "runtime/kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace zp::rt::HWY_NAMESPACE {

/// Words of Philox for the counters (first … first+lanes-1, row, site, step): word w of counter c at words[4·c + w].
static HWY_INLINE void philoxWords(uint32_t first, uint32_t row, uint32_t site, uint32_t step, uint64_t seed, uint32_t *words) {
#if HWY_TARGET == HWY_SCALAR
  const auto four = philox4x32({first, row, site, step}, {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)});
  std::memcpy(words, four.data(), sizeof(four));
#else
  // One counter per 64-bit lane, its words in the low halves, where the 32×32 multiplier reads.
  const hn::ScalableTag<uint64_t> d64;
  const hn::Repartition<uint32_t, decltype(d64)> d32;
  const auto low = hn::Set(d64, 0xffffffffull);
  auto c0 = hn::And(hn::Add(hn::Iota(d64, 0), hn::Set(d64, uint64_t{first})), low);
  auto c1 = hn::Set(d64, uint64_t{row}), c2 = hn::Set(d64, uint64_t{site}), c3 = hn::Set(d64, uint64_t{step});
  auto key0 = static_cast<uint32_t>(seed), key1 = static_cast<uint32_t>(seed >> 32);
  const auto m0 = hn::BitCast(d32, hn::Set(d64, uint64_t{kPhiloxMultiplier0}));
  const auto m1 = hn::BitCast(d32, hn::Set(d64, uint64_t{kPhiloxMultiplier1}));
  for (int round = 0; round < kPhiloxRounds; ++round) {
    const auto p0 = hn::MulEven(hn::BitCast(d32, c0), m0), p1 = hn::MulEven(hn::BitCast(d32, c2), m1);
    c0 = hn::Xor(hn::Xor(hn::ShiftRight<32>(p1), c1), hn::Set(d64, uint64_t{key0}));
    c2 = hn::Xor(hn::Xor(hn::ShiftRight<32>(p0), c3), hn::Set(d64, uint64_t{key1}));
    c1 = hn::And(p1, low);
    c3 = hn::And(p0, low);
    key0 += kPhiloxWeyl0;
    key1 += kPhiloxWeyl1;
  }
  // Pairs (c0,c1), (c2,c3) are little-endian 64-bit words already in place: interleave the two.
  const auto front = hn::Or(c0, hn::ShiftLeft<32>(c1)), back = hn::Or(c2, hn::ShiftLeft<32>(c3));
  hn::StoreInterleaved2(front, back, d64, reinterpret_cast<uint64_t *>(words));
#endif
}

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
    // Words are made for as many counters as a vector of 64-bit lanes holds: four words each, twice the lanes of f32.
    constexpr int64_t kMaxWords = 4 * HWY_MAX_BYTES / 8;
    HWY_ALIGN uint32_t words[kMaxWords];
    const auto counters = static_cast<int64_t>(hn::Lanes(hn::ScalableTag<uint64_t>()));
    const auto lanes = static_cast<int64_t>(hn::Lanes(d));
    for (int64_t block = begin; block < end; ++block) {
      const int64_t row = block / blocksPerRow, first = block % blocksPerRow * kBlock;
      const int64_t last = HWY_MIN(first + kBlock, rowElements);
      const T *in = source + row * rowElements;
      T *out = target + row * rowElements;
      for (int64_t e = first; e < last; e += 4 * counters) {
        philoxWords(static_cast<uint32_t>(e / 4), scalars.rowBase + static_cast<uint32_t>(row),
                    static_cast<uint32_t>(args.site), scalars.optimizerStep, scalars.seed, words);
        const int64_t stop = HWY_MIN(e + 4 * counters, last);
        for (int64_t i = e; i < stop; i += lanes) {
          const auto dropped = hn::RebindMask(d, hn::Lt(hn::Load(d32, words + (i - e)), limit));
          auto step = [&](auto vector) HWY_ATTR {
            vector(d, hn::IfThenZeroElse(dropped, hn::Div(vector(d, in + i), keep)), out + i);
          };
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
