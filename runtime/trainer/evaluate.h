// Runs the evaluate entry over a data set, and takes logits of its first rows.
#ifndef ZP_RUNTIME_TRAINER_EVALUATE_H
#define ZP_RUNTIME_TRAINER_EVALUATE_H

#include <cmath>
#include <string>

#include "runtime/executor/executor.h"
#include "runtime/io/token_dataset.h"
#include "runtime/trainer/process_memory.h"

namespace zp::fbs {
struct Plan;
}

namespace zp::rt {

struct EvaluateOptions {
  std::string logitsFile; ///< empty: no logits
  uint64_t logitsRows = 1;
  uint64_t seed = 0;
};

struct EvaluateReport {
  double lossSum = 0; ///< over the counted labels of every row of the file
  double hits = 0;    ///< counted labels that were predicted; not a number under a plan that doesn't count them
  uint64_t countedLabels = 0;
  uint64_t rows = 0, rounds = 0; ///< a round is a micro-batch on every rank
  ResidentBytes resident;        ///< of this process, seen after each round

  /// Means over the counted labels; 0 without any.
  double loss() const { return countedLabels ? lossSum / static_cast<double>(countedLabels) : 0; }
  double accuracy() const { return countedLabels ? hits / static_cast<double>(countedLabels) : 0; }
  double perplexity() const { return std::exp(loss()); }
};

/// Every rank calls it after `init`; every rank gets the same report, but for its memory. Logits go to rank 0's file as f32 [rows, length,
/// vocabulary].
StatusOr<EvaluateReport> evaluate(const fbs::Plan &plan, const TokenDataset &dataset, Executor &executor, Communicator &communicator,
                                  const EvaluateOptions &options);

} // namespace zp::rt

#endif // ZP_RUNTIME_TRAINER_EVALUATE_H
