// Goes on where a training checkpoint was saved.
#ifndef ZP_RUNTIME_TRAINER_RESUME_H
#define ZP_RUNTIME_TRAINER_RESUME_H

#include <memory>
#include <string>

#include "runtime/executor/executor.h"
#include "runtime/io/checkpoint_manifest.h"
#include "runtime/io/checkpoint_shards.h"
#include "runtime/trainer/checkpoint_identity.h"

namespace zp::fbs {
struct Plan;
}

namespace zp::rt {

/// A checkpoint that has been found good, and of this run.
struct ResumePoint {
  std::string directory;
  CheckpointManifest manifest;
  std::string log; ///< trainer_state.json

  /// The optimizer's state. Its files are held as long as the object lives, even when they are
  /// removed meanwhile.
  StatusOr<StateShards> shards() const;
};

/// `asked` is a directory, or "latest": the highest step in the output directory. `run` is what the
/// checkpoint must be of; null, and `contents` false, where another process of the job checks that:
/// then only sizes are looked at. Errors: Checkpoint (none, or damaged), CheckpointVersion,
/// CheckpointMismatch; each names the file and the latest good checkpoint beside it.
StatusOr<ResumePoint> openResumePoint(const std::string &asked, const std::string &output, const fbs::Plan &plan, const CheckpointIdentity *run,
                                      bool contents);

/// The latest checkpoint that looks whole by its manifest and sizes; empty when there is none.
std::string latestWhole(const std::string &output);
/// An error, its message with the latest whole checkpoint of the output directory, where there is one.
Status namingLatest(const Status &status, const std::string &output);

/// Fills what `load_section` asks for of a section that is trained: this rank's slice of the
/// masters.
Status restoreMasters(const StateShards &from, const fbs::Plan &plan, uint32_t section, int rank, const TensorPart &target);
/// Fills this rank's moments, after `init`, a tensor at a time.
Status restoreMoments(const StateShards &from, const fbs::Plan &plan, int rank, Executor &executor);

} // namespace zp::rt

#endif // ZP_RUNTIME_TRAINER_RESUME_H
