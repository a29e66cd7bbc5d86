// Philox on vectors, compiled once per target: the words of philox.h for as many counters as a vector of 64-bit lanes holds.
#if defined(ZP_RUNTIME_KERNELS_PHILOX_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef ZP_RUNTIME_KERNELS_PHILOX_INL_H
#undef ZP_RUNTIME_KERNELS_PHILOX_INL_H
#else
#define ZP_RUNTIME_KERNELS_PHILOX_INL_H
#endif

#include "runtime/kernels/philox.h"
#include "runtime/kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace zp::rt::HWY_NAMESPACE {

/// Counters of one call of philoxWords.
inline constexpr int64_t kPhiloxCounters = HWY_LANES(uint64_t);

/// Words of Philox for the counters (first … first + kPhiloxCounters - 1, row, site, step): word w of counter c at words[4·c + w].
HWY_INLINE void philoxWords(uint32_t first, uint32_t row, uint32_t site, uint32_t step, uint64_t seed, uint32_t *words) {
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

} // namespace zp::rt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
