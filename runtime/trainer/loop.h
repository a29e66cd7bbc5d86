// Trains: updates over the data until the steps that the plan's settings ask for are done, with evaluations between them.
//
// Every rank runs the same loop. What ranks must agree on (rows, counts, lengths, learning rate) is computed by each from
// the data file and the settings; a stop signal, and how far a checkpoint has come, is agreed on by a sum before each update.
#ifndef ZP_RUNTIME_TRAINER_LOOP_H
#define ZP_RUNTIME_TRAINER_LOOP_H

#include <functional>
#include <string>

#include "runtime/executor/executor.h"
#include "runtime/io/token_dataset.h"
#include "runtime/schema/settings.h"
#include "runtime/trainer/checkpoint_writer.h"
#include "runtime/trainer/epoch_report.h"
#include "runtime/trainer/run_log.h"

namespace zp::fbs {
struct Plan;
}

namespace zp::rt {

struct LoopOptions {
  std::string outputDirectory; ///< of metrics.jsonl, written by rank 0
  std::string eventDirectory;  ///< of TensorBoard's events, by rank 0; empty: none
  bool quiet = false;
  const TokenDataset *evaluation = nullptr;                   ///< rows that the settings' eval_strategy evaluates
  std::function<void(const EpochReport &)> afterEpoch;        ///< called after the last update of each
  std::function<void(const ResidentBytes &)> afterEvaluation; ///< called after each, with what it took
  RunPosition from;                                           ///< where a resumed run goes on
  std::string earlierMetrics;                                 ///< of a resumed run: the file whose lines metrics.jsonl begins with
  CheckpointWriter *checkpoints = nullptr;                    ///< takes those of the save strategy but the last, which is the caller's
};

struct LoopReport {
  uint64_t updates = 0; ///< done, with those before a resumed run began
  uint64_t wanted = 0;
  int stoppedBy = 0; ///< the signal that ended it early on some rank, or 0
  uint64_t tokens = 0;
  double lastLoss = 0;
  uint64_t residentPeak = 0; ///< anonymous and shared bytes of this process, the most seen between two updates and in evaluations
  RunPosition position;      ///< where it ended
  bool saveAtEnd = false;    ///< the strategy asks for a checkpoint after the last update that was done
  RunSummary summary;        ///< of the updates that this process did
  CheckpointReport checkpoints;
};

/// The plan's `init` entry has run. NonFinite names the update.
StatusOr<LoopReport> trainLoop(const fbs::Plan &plan, const JobSettings &settings, const TokenDataset &dataset, Executor &executor,
                               Communicator &communicator, const LoopOptions &options);

} // namespace zp::rt

#endif // ZP_RUNTIME_TRAINER_LOOP_H
