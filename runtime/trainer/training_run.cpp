#include "runtime/trainer/training_run.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <filesystem>
#include <vector>

#include "runtime/base/atomic_file.h"
#include "runtime/base/text_file.h"
#include "runtime/io/checkpoint_directory.h"
#include "runtime/io/model_weights.h"
#include "runtime/schema/plan_generated.h"
#include "runtime/trainer/training_log.h"

namespace zp::rt {

namespace {

RunPosition positionOf(const ResumePoint &point, const JobSettings &settings) {
  auto number = [&](const char *key) {
    auto found = point.manifest.progress.find(key);
    return found == point.manifest.progress.end() ? 0.0 : found->second;
  };
  RunPosition position;
  position.step = point.manifest.step;
  position.tokens = point.manifest.tokens;
  position.loss = number("loss");
  position.epoch = number("epoch");
  position.best = bestModelIn(point.log, std::filesystem::path(point.directory).parent_path().native());
  if (settings.fp16)
    position.scaling = LossScaleState{number("loss_scale"), static_cast<int64_t>(number("loss_scale_hysteresis")),
                                      static_cast<int64_t>(number("last_overflow")), static_cast<uint64_t>(number("skipped_steps"))};
  return position;
}

/// Ranks of several hosts each looked for the checkpoint by themselves.
Status sameStart(const ResumePoint *resume, Communicator &communicator) {
  uint64_t mine = resume ? resume->manifest.step : UINT64_MAX;
  std::vector<uint64_t> all(static_cast<size_t>(communicator.size()));
  ZP_RETURN_IF_ERROR(communicator.allGather(&mine, all.data(), sizeof mine));
  if (std::all_of(all.begin(), all.end(), [&](uint64_t step) { return step == mine; }))
    return {};
  return Status(ErrorCode::Checkpoint, (resume ? resume->directory : "checkpoint") + ": rank " + std::to_string(communicator.rank()) +
                                           " is at step " + std::to_string(mine) +
                                           " and others are not, expected one step; name a directory that all ranks see");
}

/// metrics.jsonl of the output directory goes on; in a new one, that beside the checkpoint.
std::string earlierMetrics(const ResumePoint &resume, const std::string &output) {
  std::string own = output + "/metrics.jsonl";
  std::error_code ignored;
  if (std::filesystem::exists(own, ignored))
    return own;
  return (std::filesystem::path(resume.directory).parent_path() / "metrics.jsonl").native();
}

/// Rank 0 replaces the weights by those of a checkpoint of this run.
Status writeBest(const fbs::Plan &plan, const BestModel &model, const RunOptions &options) {
  const std::string &directory = model.checkpoint; // where the run that this one goes on from saved it, maybe
  std::error_code ignored;
  if (directory.empty() || !std::filesystem::exists(directory, ignored)) {
    std::fprintf(stderr, "zprun: the checkpoint of step %" PRIu64 ", the best model's, is not here: the last weights stay\n", model.step);
    return {};
  }
  ResumePoint best;
  best.directory = directory;
  ZP_ASSIGN_OR_RETURN(best.manifest, readManifest(directory));
  ZP_RETURN_IF_ERROR(checkFiles(directory, best.manifest, true));
  ZP_ASSIGN_OR_RETURN(StateShards shards, best.shards());
  if (!options.quiet)
    std::fprintf(stderr, "zprun: loading the best model, of %s\n", directory.c_str());
  return writeTrainedWeights(plan, shards, options.trained).status();
}

/// trainer_state.json of the whole run, beside the weights.
Status writeState(const JobSettings &settings, const LoopReport &report, const RunOptions &options) {
  const std::string &output = options.trained.directory;
  StatusOr<std::string> lines = readTextFile(output + "/metrics.jsonl");
  const RunPosition &at = report.position;
  TrainingLog log{
      lines.ok() ? *lines : "", options.resume ? options.resume->log : "", at.step, at.updates, at.tokens, at.epoch, at.best, report.summary,
      at.updatesPerEpoch};
  return writeFileAtomically(output + "/trainer_state.json", trainerStateText(log, settings));
}

/// How long an error's message waits for the checkpoint that it may have to name.
constexpr double kSettleSeconds = 2;

/// From the first update to the weights' files.
StatusOr<LoopReport> trainWith(CheckpointWriter &checkpoints, const LoopOptions &loop, const fbs::Plan &plan, const JobSettings &settings,
                               const TokenDataset &dataset, Executor &executor, Communicator &communicator, const RunOptions &options) {
  ZP_ASSIGN_OR_RETURN(LoopReport report, trainLoop(plan, settings, dataset, executor, communicator, loop));
  if (report.stoppedBy) {
    ZP_RETURN_IF_ERROR(checkpoints.save(report.position, false));
    ZP_RETURN_IF_ERROR(checkpoints.finish());
  }
  ZP_RETURN_IF_ERROR(writeTrainedWeights(plan, executor, communicator, options.trained));
  if (report.saveAtEnd)
    ZP_RETURN_IF_ERROR(checkpoints.save(report.position, false));
  ZP_RETURN_IF_ERROR(checkpoints.finish());
  if (communicator.rank() == 0) {
    const std::optional<BestModel> &best = report.position.best;
    if (settings.load_best_model_at_end && !report.stoppedBy && best && best->step != report.updates)
      ZP_RETURN_IF_ERROR(writeBest(plan, *best, options));
    // The last one was kept to go on from. The best may be a checkpoint of another directory, from which this run was resumed.
    const std::string &output = options.trained.directory;
    if (settings.save_total_limit == 1 && settings.save_strategy != "no" && !report.stoppedBy && best)
      removeAllBut(output, best->checkpoint);
    ZP_RETURN_IF_ERROR(writeState(settings, report, options));
  }
  ZP_RETURN_IF_ERROR(communicator.barrier()); // a rank that returns may exit
  report.checkpoints = checkpoints.report();
  return report;
}

StatusOr<LoopReport> run(const fbs::Plan &plan, const JobSettings &settings, const TokenDataset &dataset, Executor &executor,
                         Communicator &communicator, const RunOptions &options) {
  const std::string &output = options.trained.directory;
  ZP_RETURN_IF_ERROR(sameStart(options.resume, communicator));
  if (communicator.rank() == 0)
    removeUnfinished(output);
  ZP_RETURN_IF_ERROR(communicator.barrier());
  LoopOptions loop;
  loop.outputDirectory = output;
  loop.quiet = options.quiet;
  loop.evaluation = options.evaluation;
  loop.eventDirectory = options.eventDirectory;
  loop.afterEpoch = options.afterEpoch;
  loop.afterEvaluation = options.afterEvaluation;
  CheckpointOptions saving;
  saving.model = options.trained;
  saving.settings = &settings;
  saving.identity = [&] { return identityOf(plan, settings, dataset, options.modelDirectory); };
  if (const ResumePoint *resume = options.resume) {
    loop.from = positionOf(*resume, settings);
    loop.earlierMetrics = earlierMetrics(*resume, output);
    saving.earlierLog = resume->log;
    std::error_code ignored;
    if (std::filesystem::equivalent(resume->directory, checkpointPath(output, loop.from.step), ignored))
      saving.savedStep = loop.from.step;
  }
  CheckpointWriter checkpoints(plan, executor, communicator, std::move(saving));
  loop.checkpoints = &checkpoints;
  StatusOr<LoopReport> report = trainWith(checkpoints, loop, plan, settings, dataset, executor, communicator, options);
  if (!report.ok()) {
    if (options.failed)
      options.failed(report.status());
    checkpoints.settle(kSettleSeconds);
    if (options.said)
      options.said(namingLatest(report.status(), output));
  }
  return report;
}

} // namespace

StatusOr<LoopReport> trainAndSave(const fbs::Plan &plan, const JobSettings &settings, const TokenDataset &dataset, Executor &executor,
                                  Communicator &communicator, const RunOptions &options) {
  StatusOr<LoopReport> report = run(plan, settings, dataset, executor, communicator, options);
  return report.ok() ? report : StatusOr<LoopReport>(namingLatest(report.status(), options.trained.directory));
}

} // namespace zp::rt
