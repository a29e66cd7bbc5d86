// A whole training run on one rank: the loop, its checkpoints, and the trained weights at the end.
#ifndef ZP_RUNTIME_TRAINER_TRAINING_RUN_H
#define ZP_RUNTIME_TRAINER_TRAINING_RUN_H

#include "runtime/trainer/loop.h"
#include "runtime/trainer/resume.h"
#include "runtime/trainer/trained_weights.h"

namespace zp::rt {

struct RunOptions {
  SavedModel trained;         ///< where the weights go, with everything else of the run
  std::string modelDirectory; ///< of the weights that it began with
  bool quiet = false;
  const ResumePoint *resume = nullptr;      ///< its state has been restored
  const TokenDataset *evaluation = nullptr; ///< rows to evaluate between updates
  std::string eventDirectory;               ///< of TensorBoard's events; empty: none
  /// Hears of an error at once; what comes then may take as long as a checkpoint that is being written.
  std::function<void(const Status &)> failed;
  /// Hears of it with its whole message, still before that checkpoint is waited for to the end.
  std::function<void(const Status &)> said;
  std::function<void(const EpochReport &)> afterEpoch;        ///< called after each epoch
  std::function<void(const ResidentBytes &)> afterEvaluation; ///< called after each evaluation
};

/// Every rank calls it after `init`. The weights at the end are the last ones, or, when the settings
/// say so, those of the best checkpoint. A run that was stopped saves its checkpoint before the
/// weights, as whoever stopped it may not wait long; one that ends by itself the weights first. An
/// error's message names the latest whole checkpoint.
StatusOr<LoopReport> trainAndSave(const fbs::Plan &plan, const JobSettings &settings, const TokenDataset &dataset, Executor &executor,
                                  Communicator &communicator, const RunOptions &options);

} // namespace zp::rt

#endif // ZP_RUNTIME_TRAINER_TRAINING_RUN_H
