// Runs the evaluate entry over a data set, and takes logits of its first rows.
#ifndef ZP_RUNTIME_TRAINER_EVALUATE_H
#define ZP_RUNTIME_TRAINER_EVALUATE_H

#include <string>

#include "runtime/executor/executor.h"
#include "runtime/io/token_dataset.h"

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
  uint64_t countedLabels = 0;
  uint64_t rows = 0;
};

/// Every rank calls it after `init`; every rank gets the same report. Logits go to rank 0's file as f32 [rows, length, vocabulary].
StatusOr<EvaluateReport> evaluate(const fbs::Plan &plan, const TokenDataset &dataset, Executor &executor, Communicator &communicator,
                                  const EvaluateOptions &options);

} // namespace zp::rt

#endif // ZP_RUNTIME_TRAINER_EVALUATE_H
