// trainer_state.json as the reference's Trainer lays it out, its log made from metrics.jsonl.
#ifndef ZP_RUNTIME_TRAINER_TRAINING_LOG_H
#define ZP_RUNTIME_TRAINER_TRAINING_LOG_H

#include <string>

#include "runtime/base/status.h"
#include "runtime/schema/settings.h"
#include "runtime/trainer/best_model.h"
#include "runtime/trainer/run_log.h"

namespace zp::rt {

struct TrainingLog {
  std::string metrics; ///< text of metrics.jsonl; a torn last line and lines past `step` don't count
  std::string earlier; ///< trainer_state.json of the checkpoint that the run was resumed from: its
                       ///< log before metrics begins
  uint64_t step = 0, updates = 0, tokens = 0;
  double epoch = 0;
  std::optional<BestModel> best = {};
  std::optional<RunSummary> summary = {}; ///< the last entry of a run that has ended
  uint64_t updatesPerEpoch = 0;           ///< for who logs by epochs
};

std::string trainerStateText(const TrainingLog &log, const JobSettings &settings);

} // namespace zp::rt

#endif // ZP_RUNTIME_TRAINER_TRAINING_LOG_H
