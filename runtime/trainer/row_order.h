// Which rows of the data an update takes, in which place: the reference's order, whatever the number of ranks.
//
// Rank r of N takes rows ((update·accumulation + micro)·N + r)·batch + i of the epoch's order. Rows that don't fill the last
// update of an epoch make a smaller one; its places beyond the end are padding. Accelerate, on more ranks than one, fills up the
// last round with the first rows of the order and trains those again (even_batches); here N ranks train what one does.
#ifndef ZP_RUNTIME_TRAINER_ROW_ORDER_H
#define ZP_RUNTIME_TRAINER_ROW_ORDER_H

#include <cstdint>
#include <vector>

namespace zp::rt {

/// A permutation of [0, n), bit for bit torch.randperm(n) from a CPU generator with this seed.
std::vector<uint32_t> randomPermutation(uint32_t n, uint64_t seed);

struct RowOrderOptions {
  uint32_t rows = 0;
  int ranks = 1;
  uint32_t batch = 1; ///< rows of a micro-batch on one rank
  uint32_t accumulation = 1;
  bool shuffled = true;
  bool dropLast = false; ///< leave out rows that don't fill a micro-batch on every rank
  uint64_t seed = 0;
};

class RowOrder {
public:
  static constexpr int64_t kPadding = -1;

  explicit RowOrder(const RowOrderOptions &options);

  /// Micro-batch rounds of an epoch; 0 when dropLast leaves nothing.
  uint64_t roundsPerEpoch() const { return rounds; }
  uint64_t updatesPerEpoch() const;
  /// Position of the end of `update` (from 0, over all epochs) in epochs.
  double epochAfter(uint64_t update) const;
  /// Rows in use in place `micro·ranks·batch + rank·batch + i` of an update: a row of the file, or kPadding.
  int64_t row(uint64_t update, uint64_t place);
  uint64_t placesPerUpdate() const;

private:
  RowOrderOptions options;
  uint64_t usable, rounds;
  uint64_t epoch = UINT64_MAX;
  std::vector<uint32_t> order; // of that epoch
};

} // namespace zp::rt

#endif // ZP_RUNTIME_TRAINER_ROW_ORDER_H
