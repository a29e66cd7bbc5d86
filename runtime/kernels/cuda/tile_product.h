// A product of small tiles by a warp's matrix unit: 16 x 16 by 16 x 8, 16-bit elements, sums in f32 (mma.sync, from sm_80 on).
#ifndef ZP_RUNTIME_KERNELS_CUDA_TILE_PRODUCT_H
#define ZP_RUNTIME_KERNELS_CUDA_TILE_PRODUCT_H

#include "runtime/kernels/cuda/element.h"
#include "runtime/kernels/cuda/reduce.h"

namespace zp::rt::cuda {

/// sums[16, 8] += a[16, 16] · b[16, 8], all threads of the warp together. Lane 4·g + t holds, two neighbours a word, the first in the low half:
///     a     rows g, g + 8, g, g + 8 at columns 2t, 2t, 2t + 8, 2t + 8
///     b     column g at rows 2t and 2t + 8
///     sums  row g at columns 2t, 2t + 1, row g + 8 at the same
template <typename T> ZP_DEVICE void addTileProduct(const uint32_t (&a)[4], const uint32_t (&b)[2], float (&sums)[4]) {
  static_assert(std::is_same_v<T, Bf16> || std::is_same_v<T, F16>);
#ifdef __CUDACC__
  if constexpr (std::is_same_v<T, Bf16>)
    asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
        : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
  else
    asm("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
        : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#else
  float whole[16][16], columns[8][16];
  auto place = [](float *two, uint32_t word) {
    T elements[2];
    std::memcpy(elements, &word, sizeof word);
    toFloats(elements, two[0], two[1]);
  };
  emulated::forWarp(std::bit_cast<std::array<uint64_t, 3>>(std::array<uint32_t, 6>{a[0], a[1], a[2], a[3], b[0], b[1]}),
                    [&](unsigned lane, const std::array<uint64_t, 3> &theirs) {
                      const auto words = std::bit_cast<std::array<uint32_t, 6>>(theirs);
                      const unsigned g = lane / 4, t = lane % 4 * 2;
                      for (unsigned i = 0; i < 4; ++i)
                        place(&whole[g + i % 2 * 8][t + i / 2 * 8], words[i]);
                      for (unsigned i = 0; i < 2; ++i)
                        place(&columns[g][t + i * 8], words[4 + i]);
                    });
  const unsigned lane = threadIdx.x % kWarp;
  for (unsigned i = 0; i < 4; ++i)
    for (unsigned k = 0; k < 16; ++k)
      sums[i] += whole[lane / 4 + i / 2 * 8][k] * columns[lane % 4 * 2 + i % 2][k];
#endif
}

} // namespace zp::rt::cuda

#endif // ZP_RUNTIME_KERNELS_CUDA_TILE_PRODUCT_H
