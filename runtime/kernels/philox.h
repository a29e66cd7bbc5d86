// Philox4x32-10 (Salmon, Moraes, Dror, Shaw 2011): a counter-based generator. The dropout mask is a function of place.
#ifndef ZP_RUNTIME_KERNELS_PHILOX_H
#define ZP_RUNTIME_KERNELS_PHILOX_H

#include <array>
#include <cmath>
#include <cstdint>

namespace zp::rt {

inline constexpr uint32_t kPhiloxMultiplier0 = 0xD2511F53u, kPhiloxMultiplier1 = 0xCD9E8D57u;
inline constexpr uint32_t kPhiloxWeyl0 = 0x9E3779B9u, kPhiloxWeyl1 = 0xBB67AE85u;
inline constexpr int kPhiloxRounds = 10;

inline std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key) {
  for (int round = 0; round < kPhiloxRounds; ++round) {
    uint64_t p0 = uint64_t{kPhiloxMultiplier0} * counter[0], p1 = uint64_t{kPhiloxMultiplier1} * counter[2];
    counter = {static_cast<uint32_t>(p1 >> 32) ^ counter[1] ^ key[0], static_cast<uint32_t>(p1),
               static_cast<uint32_t>(p0 >> 32) ^ counter[3] ^ key[1], static_cast<uint32_t>(p0)};
    key = {key[0] + kPhiloxWeyl0, key[1] + kPhiloxWeyl1};
  }
  return counter;
}

/// An element is kept iff its word >= this: the same as word·2⁻³² >= probability, in integers. 2³² keeps nothing.
inline uint64_t dropoutThreshold(double probability) { return static_cast<uint64_t>(std::ceil(std::ldexp(probability, 32))); }

} // namespace zp::rt

#endif // ZP_RUNTIME_KERNELS_PHILOX_H
