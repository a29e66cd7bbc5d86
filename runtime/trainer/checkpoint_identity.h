// What a training checkpoint is of: everything that must agree for a resumed run to mean what the
// first one meant.
//
// Ranks, stages, micro-batches and what only says where bytes lie or what is printed may differ;
// rows of an update, the data, the model, the schedule and every other setting may not. The data
// are known by their bytes, the frozen weights by name, shape and the ends of each tensor.
#ifndef ZP_RUNTIME_TRAINER_CHECKPOINT_IDENTITY_H
#define ZP_RUNTIME_TRAINER_CHECKPOINT_IDENTITY_H

#include <map>
#include <string>

#include "runtime/io/token_dataset.h"
#include "runtime/schema/settings.h"

namespace zp::fbs {
struct Plan;
}

namespace zp::rt {

using CheckpointIdentity = std::map<std::string, std::string>; ///< values are JSON texts

/// Reads the whole data set and a little of the base model's directory.
StatusOr<CheckpointIdentity> identityOf(const fbs::Plan &plan, const JobSettings &settings, const TokenDataset &dataset,
                                        const std::string &modelDirectory);

/// CheckpointMismatch, beginning with `place`, names the first thing in which the checkpoint
/// differs from this run.
Status sameIdentity(const std::string &place, const CheckpointIdentity &checkpoint, const CheckpointIdentity &run);

} // namespace zp::rt

#endif // ZP_RUNTIME_TRAINER_CHECKPOINT_IDENTITY_H
