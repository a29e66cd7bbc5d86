// How a bf16 product is cut for an engine. Only time depends on it: sums that wait in memory lose no bit.
//
// B is packed a chunk of K at a time, the last with the branch behind it, for a tile of C. A row of register tiles after another is then
// multiplied by it, in blocks along K for which A stays in L1.
#ifndef ZP_RUNTIME_KERNELS_GEMM_PAIR_CUT_H
#define ZP_RUNTIME_KERNELS_GEMM_PAIR_CUT_H

#include <algorithm>

#include "runtime/kernels/gemm/bf16_engine.h"
#include "runtime/kernels/gemm/tiling.h"
#include "runtime/schema/limits.h"

namespace zp::rt {

/// The longest of several chunks along K, in pairs, and the columns of a B that is packed so: 384 KiB of L2.
inline constexpr int64_t kPairChunk = 512, kPairColumns = 192;
/// Sums that chunks keep for the next: 384 KiB. They pass through L2, asked for ahead.
inline constexpr int64_t kPairSums = 512 * kPairColumns;
/// With fewer columns than these, a B whose K is packed at once is too narrow for the rows of A that it is read for.
inline constexpr int64_t kLeastPairColumns = 128;
/// Words of a packed B and of sums: chunks with the longest branch beside all sums, or a whole B beside the sums of a row of register tiles.
inline constexpr int64_t kPairWords = (kPairChunk + kMaxBranchRank / 2) * kPairColumns + kPairSums;
static_assert(kMaxPanelWords + kMaxEngineRows * kMaxPanelColumns <= kPairWords);

struct PairCut {
  int64_t chunk;     ///< pairs of the base's K in a chunk
  int64_t panel;     ///< pairs that a packed panel has room for, the branch's too
  TileLimits limits; ///< of C's tiles

  /// C[m, n] with `k` products an element and a branch of `branchK` (0: none).
  PairCut(const Bf16Engine &engine, int64_t m, int64_t n, int64_t k, int64_t branchK) {
    const int64_t pairs = Tiling::roundUp((k + 1) / 2, engine.pairStep), branch = Tiling::roundUp((branchK + 1) / 2, engine.pairStep);
    const int64_t whole = std::min(engine.panelColumns, engine.panelWords / (pairs + branch)) / engine.columns * engine.columns;
    limits = {0, 0, engine.rows, engine.columns, kPairColumns};
    if (whole >= std::min(kLeastPairColumns, n)) { // no sums but those of a row
      chunk = pairs;
      limits.rows = 4096 / engine.rows * engine.rows;
      limits.columns = whole;
    } else { // a tile of many rows has fewer columns, so that B is packed less often
      const int64_t columns = m > kPairSums / kPairColumns ? engine.panelColumns / 2 : kPairColumns;
      const int64_t chunks = (pairs + kPairChunk - 1) / kPairChunk;
      chunk = Tiling::roundUp((pairs + chunks - 1) / chunks, engine.pairStep);
      limits.rows = kPairSums / columns / engine.rows * engine.rows;
      limits.columns = columns / engine.columns * engine.columns;
    }
    panel = chunk + branch;
  }
  /// Whether the sums of all of a tile wait for another chunk.
  bool keepsAll(int64_t k) const { return k > 2 * chunk; }
};

} // namespace zp::rt

#endif // ZP_RUNTIME_KERNELS_GEMM_PAIR_CUT_H
