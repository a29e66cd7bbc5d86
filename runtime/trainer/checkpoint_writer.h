// Writes training checkpoints, beside the updates where there is memory for a copy of the state.
//
// A checkpoint is made in two parts. Each rank writes its shard of the optimizer's state and leaves a
// note of its checksum; once all have it on disk, rank 0 makes the weights' files out of its own copy
// and the others' shards, the log and the manifest, and gives the directory its name. The ranks agree
// between the parts by a number that the loop sums before every update, so no exchange is added but
// one before the first checkpoint, and none happens on another thread. Until rank 0 renames it,
// the directory has a temporary name; the destructor removes an unfinished one.
//
// Contract: all ranks make the same calls at the same updates, from one thread. Plan, executor and
// communicator outlive the object. Every rank sees the same output directory. Errors: DiskFull,
// DiskWrite, PeerLost; rank 0's of the identity.
#ifndef ZP_RUNTIME_TRAINER_CHECKPOINT_WRITER_H
#define ZP_RUNTIME_TRAINER_CHECKPOINT_WRITER_H

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "runtime/executor/executor.h"
#include "runtime/io/checkpoint_shards.h"
#include "runtime/schema/settings.h"
#include "runtime/trainer/best_model.h"
#include "runtime/trainer/checkpoint_identity.h"
#include "runtime/trainer/loss_scale.h"
#include "runtime/trainer/side_job.h"
#include "runtime/trainer/state_snapshot.h"
#include "runtime/trainer/trained_weights.h"

namespace zp::fbs {
struct Plan;
}

namespace zp::rt {

/// Where a run stands between two updates.
struct RunPosition {
  uint64_t step = 0;   ///< updates done
  uint64_t tokens = 0; ///< fed so far
  double loss = 0;     ///< of the last update
  double epoch = 0;
  uint64_t updates = 0, updatesPerEpoch = 0;  ///< of the whole run; for the record
  std::optional<BestModel> best = {};         ///< so far; its checkpoint is kept
  std::optional<LossScaleState> scaling = {}; ///< of a run in fp16
};

struct CheckpointOptions {
  SavedModel model;       ///< its directory is the run's: checkpoints and metrics.jsonl lie in it
  std::string earlierLog; ///< trainer_state.json of the checkpoint that the run began from, or empty
  const JobSettings *settings = nullptr;
  std::function<StatusOr<CheckpointIdentity>()> identity; ///< asked once, on rank 0, by whatever thread writes
  uint64_t savedStep = UINT64_MAX;                        ///< a checkpoint of it is there already
};

struct CheckpointReport {
  uint64_t saved = 0;
  uint64_t snapshotBytes = 0; ///< of this rank's copy of the state; 0: all were written while the updates waited
  double copySeconds = 0;     ///< that updates waited for copies, in all
  double waitSeconds = 0;     ///< that updates waited for anything else of a checkpoint
};

class CheckpointWriter {
public:
  CheckpointWriter(const fbs::Plan &plan, Executor &executor, Communicator &communicator, CheckpointOptions options);
  ~CheckpointWriter();
  CheckpointWriter(const CheckpointWriter &) = delete;
  CheckpointWriter &operator=(const CheckpointWriter &) = delete;

  /// Before the first update of a run that will save beside updates: the ranks decide whether there is memory for the copies, and
  /// take it, so that no update waits for that. Where state lies on disk, this waits for the first save.
  Status prepare();
  /// Takes the state as it is now. `beside`: returns once it is copied, when there is memory for a
  /// copy. One checkpoint is in the making at a time: an unfinished one is waited for. Does nothing
  /// for a step that has one.
  Status save(const RunPosition &position, bool beside);
  /// 1 when this rank's shard of a checkpoint in the making is on disk, else 0: what the loop sums.
  double ready() const;
  /// After every such sum: goes on when it is the number of ranks, and tells of a failure of this
  /// rank's.
  Status advance(double sumOfReady);
  /// Waits until nothing is in the making, on any rank.
  Status finish();

  /// Waits for what this rank is writing, at most so long. After an error; destruction waits for the rest.
  void settle(double seconds) const;

  const CheckpointReport &report() const { return counts; }

private:
  enum class Phase { Idle, Shards, Publishing };
  const std::string &output() const { return options.model.directory; }
  int ranksHere() const;
  /// The first time: whether every rank's host has memory for copies of so many bytes. No rank has one alone.
  Status decideOnCopies(uint64_t bytes);
  Status writeOwnShard(const ShardLayout &layout);
  StatusOr<StateShards> openShards(const std::string &directory, std::vector<ManifestFile> &written) const;
  Status publish(const RunPosition &position);

  const fbs::Plan &plan;
  Executor &executor;
  Communicator &communicator;
  CheckpointOptions options;
  Phase phase = Phase::Idle;
  RunPosition current;
  bool published = false;     // of rank 0's job
  std::optional<bool> copies; // what the ranks have decided
  StateSnapshot snapshot;
  bool copied = false; // the state of the checkpoint in the making is in the snapshot
  ManifestFile ownShard;
  std::unique_ptr<CheckpointIdentity> identity;
  CheckpointReport counts;
  SideJob job; // last: it ends before what it reads goes
};

} // namespace zp::rt

#endif // ZP_RUNTIME_TRAINER_CHECKPOINT_WRITER_H
