#include "runtime/trainer/checkpoint_writer.h"

#include <algorithm>
#include <chrono>
#include <deque>
#include <fcntl.h>
#include <filesystem>
#include <thread>
#include <unistd.h>

#include "runtime/base/atomic_file.h"
#include "runtime/base/text_file.h"
#include "runtime/device/cpu/thread_pool.h"
#include "runtime/io/checkpoint_directory.h"
#include "runtime/io/checkpoint_manifest.h"
#include "runtime/io/model_weights.h"
#include "runtime/schema/plan_generated.h"
#include "runtime/trainer/training_log.h"

namespace zp::rt {

namespace {

using Clock = std::chrono::steady_clock;
double secondsSince(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

std::map<std::string, double> progressOf(const RunPosition &p, const JobSettings &settings) {
  const LossScaleState scaling = p.scaling.value_or(LossScaleState());
  return {{"loss", p.loss},
          {"epoch", p.epoch},
          {"updates", static_cast<double>(p.updates)},
          {"updates_per_epoch", static_cast<double>(p.updatesPerEpoch)},
          {"update_in_epoch", static_cast<double>(p.updatesPerEpoch ? p.step % p.updatesPerEpoch : 0)},
          {"seed", static_cast<double>(settings.seed)},
          {"data_seed", static_cast<double>(settings.data_seed >= 0 ? settings.data_seed : settings.seed)},
          {"loss_scale", scaling.scale},
          {"loss_scale_hysteresis", static_cast<double>(scaling.hysteresis)},
          {"last_overflow", static_cast<double>(scaling.lastOverflow)},
          {"skipped_steps", static_cast<double>(scaling.skipped)}};
}

/// What the log says is as lasting as the checkpoint that follows from it.
void syncFile(const std::string &path) {
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd >= 0) {
    ::fsync(fd);
    ::close(fd);
  }
}

} // namespace

CheckpointWriter::CheckpointWriter(const fbs::Plan &plan, Executor &executor, Communicator &communicator, CheckpointOptions options)
    : plan(plan), executor(executor), communicator(communicator), options(std::move(options)) {}

CheckpointWriter::~CheckpointWriter() {
  job.wait().ok();
  if (phase == Phase::Idle || (phase == Phase::Publishing && (communicator.rank() != 0 || published)))
    return;
  // Each rank takes back what is its own, rank 0 what others left; whoever comes last, the
  // directory.
  const std::string directory = unfinishedPath(output(), current.step);
  std::error_code ignored;
  const std::string shard = shardName(communicator.rank(), communicator.size());
  for (const std::string &name : {shard, noteName(shard)})
    std::filesystem::remove(directory + "/" + name, ignored);
  if (communicator.rank() == 0)
    std::filesystem::remove_all(directory, ignored);
  else
    std::filesystem::remove(directory, ignored);
}

void CheckpointWriter::settle(double seconds) const {
  const auto start = Clock::now();
  while (job.running() && secondsSince(start) < seconds)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
}

int CheckpointWriter::ranksHere() const { return std::max(communicator.localSize(), 1); }

Status CheckpointWriter::decideOnCopies(uint64_t bytes) {
  if (copies)
    return {};
  // The sum stands between what all see and what each then takes of it.
  double refusing = StateSnapshot::fits(bytes, ranksHere()) ? 0 : 1;
  ZP_RETURN_IF_ERROR(communicator.allReduce(&refusing, 1, DType::F64));
  copies = refusing == 0;
  return {};
}

Status CheckpointWriter::prepare() {
  StatusOr<std::vector<StatePiece>> pieces = piecesOf(
      plan, communicator.rank(), [&](uint32_t tensor) { return executor.view(tensor); }, true);
  if (!pieces.ok())
    return {}; // on disk or on a GPU, on all ranks alike: decided when the state has been brought to the host
  const uint64_t bytes = layoutOf(std::move(*pieces)).bytes;
  ZP_RETURN_IF_ERROR(decideOnCopies(bytes));
  if (*copies)
    snapshot.reserve(bytes);
  return {};
}

Status CheckpointWriter::save(const RunPosition &position, bool beside) {
  if (position.step == options.savedStep)
    return {};
  ZP_RETURN_IF_ERROR(finish());
  auto start = Clock::now();
  Status brought;
  std::deque<std::vector<std::byte>> fromDisk; // state that is offloaded to nvme: needed until it is copied, or written
  ZP_ASSIGN_OR_RETURN(std::vector<StatePiece> pieces, piecesOf(
                                                          plan, communicator.rank(),
                                                          [&](uint32_t tensor) {
                                                            TensorView view;
                                                            if (brought.ok())
                                                              brought = executor.bring(tensor, fromDisk.emplace_back(), view);
                                                            return view;
                                                          },
                                                          true));
  ZP_RETURN_IF_ERROR(std::move(brought));
  ShardLayout layout = layoutOf(std::move(pieces));
  if (beside)
    ZP_RETURN_IF_ERROR(decideOnCopies(layout.bytes));
  copied = beside && *copies && snapshot.reserve(layout.bytes);
  if (copied) {
    snapshot.take(layout, threadsOfRank(0, ranksHere()));
    fromDisk.clear();
  }
  counts.snapshotBytes = snapshot.bytes();
  counts.copySeconds += secondsSince(start);
  start = Clock::now();
  phase = Phase::Shards;
  published = false;
  current = position;
  options.savedStep = position.step;
  job.start([this, layout = std::move(layout)] { return writeOwnShard(layout); }, copied);
  counts.waitSeconds += secondsSince(start);
  return {};
}

/// On each rank. The layout is of the state itself: what there is when it isn't copied.
Status CheckpointWriter::writeOwnShard(const ShardLayout &layout) {
  ZP_RETURN_IF_ERROR(makeUnfinished(output(), current.step));
  const std::string directory = unfinishedPath(output(), current.step), name = shardName(communicator.rank(), communicator.size());
  ZP_ASSIGN_OR_RETURN(ownShard, copied ? snapshot.write(directory, name) : writeShard(directory, name, layout));
  return communicator.rank() == 0 ? Status() : leaveNote(directory, ownShard);
}

double CheckpointWriter::ready() const { return phase == Phase::Shards && job.succeeded() ? 1 : 0; }

Status CheckpointWriter::advance(double sumOfReady) {
  if (phase == Phase::Idle || job.running())
    return {};
  ZP_RETURN_IF_ERROR(job.wait());
  if (phase != Phase::Shards || sumOfReady < communicator.size())
    return {};
  phase = Phase::Publishing;
  if (communicator.rank() == 0)
    job.start([this] { return publish(current); }, true);
  return {};
}

Status CheckpointWriter::finish() {
  if (phase == Phase::Idle)
    return {};
  auto start = Clock::now();
  ZP_RETURN_IF_ERROR(job.wait());
  if (phase == Phase::Shards) {
    ZP_RETURN_IF_ERROR(communicator.barrier()); // all shards are on disk
    phase = Phase::Publishing;
    if (communicator.rank() == 0) {
      job.start([this] { return publish(current); }, false);
      ZP_RETURN_IF_ERROR(job.wait());
    }
  }
  ZP_RETURN_IF_ERROR(communicator.barrier()); // it has its name
  phase = Phase::Idle;
  ++counts.saved;
  counts.waitSeconds += secondsSince(start);
  return {};
}

/// All ranks' state: rank 0's from its copy, so that nothing is read back that was just written. `written` are their files.
StatusOr<StateShards> CheckpointWriter::openShards(const std::string &directory, std::vector<ManifestFile> &written) const {
  std::vector<std::string> names;
  written = {ownShard};
  if (!copied)
    names.push_back(ownShard.name);
  for (int rank = 1; rank < communicator.size(); ++rank) {
    names.push_back(shardName(rank, communicator.size()));
    std::error_code ignored;
    StatusOr<ManifestFile> file = takeNote(directory, names.back());
    if (!file.ok() || !std::filesystem::exists(directory + "/" + names.back(), ignored))
      return Status(ErrorCode::DiskWrite, directory + "/" + names.back() + ": rank " + std::to_string(rank) +
                                              " wrote it and rank 0 doesn't see it, expected one directory for all "
                                              "ranks; name an --output_dir on a file system that they share");
    written.push_back(std::move(*file));
  }
  ZP_ASSIGN_OR_RETURN(StateShards shards, StateShards::open(directory, names));
  if (copied)
    ZP_RETURN_IF_ERROR(shards.add(snapshot.pieces()));
  return shards;
}

/// Rank 0's part.
Status CheckpointWriter::publish(const RunPosition &position) {
  const std::string directory = unfinishedPath(output(), position.step), metrics = output() + "/metrics.jsonl";
  std::vector<ManifestFile> written;
  ZP_ASSIGN_OR_RETURN(StateShards shards, openShards(directory, written));
  SavedModel model = options.model;
  model.directory = directory;
  ZP_ASSIGN_OR_RETURN(std::vector<ManifestFile> weights, writeTrainedWeights(plan, shards, model));
  written.insert(written.end(), weights.begin(), weights.end());
  StatusOr<std::string> lines = readTextFile(metrics);
  TrainingLog log{lines.ok() ? *lines : "", options.earlierLog, position.step, position.updates, position.tokens, position.epoch, position.best, {},
                  position.updatesPerEpoch};
  ZP_RETURN_IF_ERROR(writeFileAtomically(directory + "/trainer_state.json", trainerStateText(log, *options.settings)));
  syncFile(metrics);
  if (!identity) {
    ZP_ASSIGN_OR_RETURN(CheckpointIdentity found, options.identity());
    identity = std::make_unique<CheckpointIdentity>(std::move(found));
  }
  CheckpointManifest manifest;
  manifest.identity = *identity;
  manifest.progress = progressOf(position, *options.settings);
  manifest.step = position.step;
  manifest.tokens = position.tokens;
  ZP_ASSIGN_OR_RETURN(manifest.files, describeFiles(directory, written));
  ZP_RETURN_IF_ERROR(writeFileAtomically(directory + "/" + kManifestName, manifestText(manifest)));
  ZP_RETURN_IF_ERROR(publishCheckpoint(output(), position.step));
  published = true;
  rotateCheckpoints(output(), static_cast<uint64_t>(std::max<int64_t>(0, options.settings->save_total_limit)), position.step,
                    position.best ? position.best->checkpoint : "");
  return {};
}

} // namespace zp::rt
