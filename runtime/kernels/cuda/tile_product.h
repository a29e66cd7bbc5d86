// Products of small tiles by a warp's matrix unit (mma.sync, ldmatrix; from sm_75, bf16 from sm_80 on): 16 x 16 by 16 x 8, 16-bit elements, sums
// in f32. All threads of the warp call these together. Lane 4·g + t holds, two neighbours a word, the first in the low half:
//     a     [16, 16]  rows g, g + 8, g, g + 8 at columns 2t, 2t, 2t + 8, 2t + 8
//     b     [16, 8]   column g at rows 2t and 2t + 8
//     sums  [16, 8]   row g at columns 2t, 2t + 1, row g + 8 at the same
#ifndef ZP_RUNTIME_KERNELS_CUDA_TILE_PRODUCT_H
#define ZP_RUNTIME_KERNELS_CUDA_TILE_PRODUCT_H

#include "runtime/kernels/cuda/element.h"
#include "runtime/kernels/cuda/reduce.h"

namespace zp::rt::cuda {

/// sums += a·b.
template <typename T> ZP_DEVICE void addTileProduct(const uint32_t (&a)[4], const uint32_t (&b)[2], float (&sums)[4]) {
  static_assert(std::is_same_v<T, Bf16> || std::is_same_v<T, F16>);
#ifdef __CUDACC__
  if constexpr (std::is_same_v<T, Bf16>) // volatile: where it stands all threads of the warp are together
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
                 : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
  else
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
                 : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#else
  float mine[12]; // a's eight elements, then b's four
  for (int i = 0; i < 6; ++i) {
    T two[2];
    std::memcpy(two, i < 4 ? &a[i] : &b[i - 4], sizeof two);
    toFloats(two, mine[2 * i], mine[2 * i + 1]);
  }
  emulated::Exchanged *const warp = emulated::exchange() + threadIdx.x / kWarp * kWarp;
  const unsigned lane = threadIdx.x % kWarp, g = lane / 4, t = lane % 4;
  std::memcpy(warp[lane].words, mine, sizeof mine);
  emulated::meetWarp();
  auto elementOf = [&](unsigned of, unsigned place) {
    float element;
    std::memcpy(&element, reinterpret_cast<const char *>(warp[of].words) + place * sizeof(float), sizeof element);
    return element;
  };
  for (unsigned i = 0; i < 4; ++i)
    for (unsigned k = 0; k < 16; ++k)
      sums[i] += elementOf(4 * g + k % 8 / 2, (i / 2 + k / 8 * 2) * 2 + k % 2) * elementOf(4 * (2 * t + i % 2) + k % 8 / 2, 8 + k / 8 * 2 + k % 2);
#endif
}

/// Four tiles of 8 x 8 from shared memory: lane 8·i + r names row r of tile i, 16 bytes, and lane 4·g + t gets of each tile row g at columns 2t
/// and 2t + 1 or, kTransposed, column g at rows 2t and 2t + 1.
template <bool kTransposed, typename T> ZP_DEVICE void loadTiles(uint32_t (&tiles)[4], const T *row) {
#ifdef __CUDACC__
  const auto address = static_cast<uint32_t>(__cvta_generic_to_shared(row));
  if constexpr (kTransposed)
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
                 : "=r"(tiles[0]), "=r"(tiles[1]), "=r"(tiles[2]), "=r"(tiles[3])
                 : "r"(address)
                 : "memory");
  else
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
                 : "=r"(tiles[0]), "=r"(tiles[1]), "=r"(tiles[2]), "=r"(tiles[3])
                 : "r"(address)
                 : "memory");
#else
  if (reinterpret_cast<uintptr_t>(row) % 16 != 0)
    __builtin_trap();
  emulated::Exchanged *const warp = emulated::exchange() + threadIdx.x / kWarp * kWarp;
  const unsigned lane = threadIdx.x % kWarp, g = lane / 4, t = lane % 4;
  warp[lane].words[0] = reinterpret_cast<uint64_t>(row);
  emulated::meetWarp();
  for (unsigned i = 0; i < 4; ++i) {
    auto elementOf = [&](unsigned r, unsigned column) { return reinterpret_cast<const T *>(warp[8 * i + r].words[0])[column]; };
    const T two[2] = {kTransposed ? elementOf(2 * t, g) : elementOf(g, 2 * t), kTransposed ? elementOf(2 * t + 1, g) : elementOf(g, 2 * t + 1)};
    std::memcpy(&tiles[i], two, sizeof two);
  }
#endif
}

/// Rows [row, row + 16) and columns [column, column + 16) of a matrix in shared memory, as `a`.
template <typename T, int kStride> ZP_DEVICE void loadA(uint32_t (&a)[4], const T (*matrix)[kStride], int row, int column) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  loadTiles<false>(a, &matrix[row + lane % 16][column + lane / 16 * 8]);
}
/// The transposed of the same, in two halves of 8 columns, as `b`.
template <typename T, int kStride> ZP_DEVICE void loadTransposedB(uint32_t (&b)[2][2], const T (*matrix)[kStride], int row, int column) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  uint32_t tiles[4];
  loadTiles<false>(tiles, &matrix[row + lane % 8 + lane / 16 * 8][column + lane / 8 % 2 * 8]);
  for (int i = 0; i < 4; ++i)
    b[i / 2][i % 2] = tiles[i];
}
/// As they are, in two halves of 8 columns, as `b`.
template <typename T, int kStride> ZP_DEVICE void loadB(uint32_t (&b)[2][2], const T (*matrix)[kStride], int row, int column) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  uint32_t tiles[4];
  loadTiles<true>(tiles, &matrix[row + lane % 16][column + lane / 16 * 8]);
  for (int i = 0; i < 4; ++i)
    b[i / 2][i % 2] = tiles[i];
}

/// Asks for a pack of global memory, at a multiple of 16 bytes, to be copied to shared memory; zeros where it isn't `wanted`.
template <typename T> ZP_DEVICE void askForPack(T *target, const T *source, bool wanted) {
#ifdef __CUDACC__
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;"
               :
               : "r"(static_cast<uint32_t>(__cvta_generic_to_shared(target))), "l"(source), "r"(wanted ? 16 : 0)
               : "memory");
#else
  if (reinterpret_cast<uintptr_t>(source) % 16 != 0 || reinterpret_cast<uintptr_t>(target) % 16 != 0)
    __builtin_trap();
  emulated::copyLater(target, wanted ? source : nullptr);
#endif
}
/// Waits for what the calling thread has asked for.
ZP_DEVICE void awaitPacks() {
#ifdef __CUDACC__
  asm volatile("cp.async.wait_all;" : : : "memory");
#else
  emulated::finishCopies();
#endif
}

/// Two neighbouring tiles of sums, rounded, become `a` of a product to come.
template <typename T> ZP_DEVICE void roundA(uint32_t (&a)[4], const float (&left)[4], const float (&right)[4]) {
  T two[2];
  for (int i = 0; i < 4; ++i) {
    const float(&sums)[4] = i < 2 ? left : right;
    fromFloats<T>(sums[i % 2 * 2], sums[i % 2 * 2 + 1], two);
    memcpy(&a[i], two, sizeof two);
  }
}

} // namespace zp::rt::cuda

#endif // ZP_RUNTIME_KERNELS_CUDA_TILE_PRODUCT_H
