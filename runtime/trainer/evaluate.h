// Runs the evaluate entry over a data set, and takes logits of its first rows.
#ifndef ZP_RUNTIME_TRAINER_EVALUATE_H
#define ZP_RUNTIME_TRAINER_EVALUATE_H

#include <cmath>
#include <string>

#include "runtime/executor/executor.h"
#include "runtime/io/token_dataset.h"
#include "runtime/trainer/evaluation_means.h"
#include "runtime/trainer/process_memory.h"

namespace zp::fbs {
struct Plan;
}

namespace zp::rt {

struct EvaluateOptions {
  EvaluationBatches batches; ///< of the reference's means; micro-batches are the plan's
  std::string logitsFile;    ///< empty: no logits
  uint64_t logitsRows = 1;
  uint64_t seed = 0;
};

struct EvaluateReport {
  RowSums all;                   ///< of every row of the file
  EvaluationMeans ofBatches;     ///< the reference's
  uint64_t rows = 0, rounds = 0; ///< a round is a micro-batch on every rank
  ResidentBytes resident;        ///< of this process, seen after each round

  /// Means over the counted labels, whatever the batches and the ranks; 0 without any.
  double loss() const { return all.counted ? all.loss / static_cast<double>(all.counted) : 0; }
  double accuracy() const { return all.counted ? all.hits / static_cast<double>(all.counted) : 0; }
  double perplexity() const { return std::exp(loss()); }
};

/// Every rank calls it after `init`; every rank gets the same report, but for its memory. Logits go to rank 0's file as f32 [rows, length,
/// vocabulary].
StatusOr<EvaluateReport> evaluate(const fbs::Plan &plan, const TokenDataset &dataset, Executor &executor, Communicator &communicator,
                                  const EvaluateOptions &options);

} // namespace zp::rt

#endif // ZP_RUNTIME_TRAINER_EVALUATE_H
