// Register kernels for bf16 products on CPUs that multiply bf16 themselves: AMX tiles, or AVX-512's dot products of pairs.
//
// Both see memory alike, in pairs of neighbours along K (one 32-bit word): A as rows of pairs, B packed as [pairs][columns].
// The packing and blocking around them is pair_tile-inl.h's; an emulated engine lets that be tested on any machine.
#ifndef ZP_RUNTIME_KERNELS_GEMM_BF16_ENGINE_H
#define ZP_RUNTIME_KERNELS_GEMM_BF16_ENGINE_H

#include <cstdint>

namespace zp::rt {

/// Lines of memory that lie in rows, asked for a few at a time, from one product to the next.
struct Lines {
  const char *row = nullptr;
  int64_t rows = 0, bytes = 0, stride = 0; ///< of a row: its length, and how far the next is
  int64_t atOnce = 0, offset = 0;
  [[gnu::always_inline]] void ask() {
    for (int64_t i = 0; i < atOnce && rows > 0; ++i) {
      __builtin_prefetch(row + offset, 0, 2);
      if ((offset += 64) >= bytes) {
        offset = 0;
        row += stride;
        --rows;
      }
    }
  }
};

/// What is done while a product is under way.
struct Meanwhile {
  /// Memory that is wanted next, asked for a line at a time: as a burst it would keep what the product itself reads waiting. Rows of A,
  /// `stride` bytes apart, as long as the product's, and the sums of a register tile, which lie together.
  const void *rows = nullptr;
  int64_t count = 0, stride = 0;
  const void *sums = nullptr;
  /// Whatever else, some with every kPairStep pairs.
  Lines *lines = nullptr;
  /// Work in `parts`, done when `multiply` returns: where a unit of its own multiplies (AMX), the vector units have time for it. It must
  /// not read what `multiply` writes.
  void (*work)(const void *state, int64_t from, int64_t to) = nullptr;
  const void *state = nullptr;
  int64_t parts = 0;
};

struct Bf16Engine {
  const char *name;
  /// The register tile: rows of A by columns of B.
  int64_t rows, columns;
  /// `multiply` takes a multiple of so many pairs; divides kPairStep.
  int64_t pairStep;
  /// The longest run of pairs whose rows of A stay in L1 with what passes through it.
  int64_t blockPairs;
  /// What of a packed B stays in L2, and its most columns.
  int64_t panelWords, panelColumns;
  /// Called on a thread around its use of `multiply`.
  void (*begin)();
  void (*end)();
  /// out[rows][columns] = previous (or 0) + A·B, which `run` does. `pairs` is a multiple of pairStep; strides count pairs (A), floats (out).
  void multiply(int64_t pairs, const uint32_t *a, int64_t aStride, const uint32_t *b, const float *previous, int64_t previousStride, float *out,
                int64_t outStride, const Meanwhile &meanwhile = {}) const {
    run(pairs, a, aStride, b, previous, previousStride, out, outStride, meanwhile);
  }
  void (*run)(int64_t pairs, const uint32_t *a, int64_t aStride, const uint32_t *b, const float *previous, int64_t previousStride, float *out,
              int64_t outStride, const Meanwhile &meanwhile);
  /// The same instructions with other register tiles, or null where this one serves: for a B of at most `narrow->columns` columns
  /// (LoRA's), and for attention, whose heads have 64 or 128 columns.
  const Bf16Engine *narrow, *forHeads;
};

/// Every engine takes multiples of this.
inline constexpr int64_t kPairStep = 16;
/// No engine's register tile is larger.
inline constexpr int64_t kMaxEngineRows = 32, kMaxEngineColumns = 48;
/// No engine's block of A is more words, nor its packed B.
inline constexpr int64_t kMaxBlockWords = 24 * 512, kMaxPanelWords = 204 << 10, kMaxPanelColumns = 384;

enum class Bf16EngineKind { Avx512, Amx };
/// Null when this CPU has no such engine, or one whose answer to a small product is wrong. Decided once.
const Bf16Engine *bf16Engine(Bf16EngineKind kind);

/// The engine of the kernel path in use (kernel_path.h); null: bf16 is multiplied in f32.
const Bf16Engine *nativeBf16Engine();

/// Plain C++ with the register tile of AMX (32×32) or of AVX-512 (8×48): for tests.
const Bf16Engine &emulatedBf16Engine(bool amxShape);

} // namespace zp::rt

#endif // ZP_RUNTIME_KERNELS_GEMM_BF16_ENGINE_H
