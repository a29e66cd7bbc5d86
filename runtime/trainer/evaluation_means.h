// What the reference calls an evaluation's loss and accuracy: means over batches, each of which is a mean over its counted
// labels. They depend on the batch and on the ranks; what does not is in EvaluateReport.
#ifndef ZP_RUNTIME_TRAINER_EVALUATION_MEANS_H
#define ZP_RUNTIME_TRAINER_EVALUATION_MEANS_H

#include <cstdint>
#include <span>

#include "runtime/schema/settings.h"

namespace zp::rt {

/// Of a row of the file: the losses of its counted labels added up, and how many of them were predicted.
struct RowSums {
  double loss = 0, hits = 0;
  uint64_t counted = 0;
};

/// How the reference cuts the rows: in order, batches of `batch` rows to `ranks` ranks in turn. A last round that isn't full is
/// filled up with rows from the beginning where there are more ranks than one; with `dropLast` it isn't seen at all.
struct EvaluationBatches {
  uint64_t batch = 8, ranks = 1;
  bool dropLast = false;
};

EvaluationBatches evaluationBatches(const JobSettings &settings, uint64_t ranks);

struct EvaluationMeans {
  double loss = 0;     ///< of the rows: each is given its batch's loss, those that fill up are left out
  double accuracy = 0; ///< of the rounds: each is given the share that its ranks' batches predicted together
};

/// TRL's SFTTrainer, and on one rank transformers' Trainer: on several, average_tokens_across_devices makes one batch of a round there. A batch
/// without a counted label has a loss of 0. Where not even one round is full, `dropLast` is not obeyed: the reference gives no loss then.
EvaluationMeans meansOfBatches(std::span<const RowSums> rows, const EvaluationBatches &how);

} // namespace zp::rt

#endif // ZP_RUNTIME_TRAINER_EVALUATION_MEANS_H
