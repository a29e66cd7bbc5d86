#include "runtime/trainer/loop.h"

#include <algorithm>
#include <chrono>
#include <cinttypes>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <optional>

#include "runtime/io/checkpoint_directory.h"
#include "runtime/schedule/schedule.h"
#include "runtime/schema/plan_generated.h"
#include "runtime/trainer/evaluate.h"
#include "runtime/trainer/loss_scale.h"
#include "runtime/trainer/metrics.h"
#include "runtime/trainer/micro_batch.h"
#include "runtime/trainer/plan_entries.h"
#include "runtime/trainer/process_memory.h"
#include "runtime/trainer/progress.h"
#include "runtime/trainer/row_order.h"
#include "runtime/trainer/run_length.h"
#include "runtime/trainer/step_policy.h"
#include "runtime/trainer/stop_request.h"

namespace zp::rt {

namespace {

using Clock = std::chrono::steady_clock;

double secondsSince(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

class Loop {
public:
  Loop(const fbs::Plan &plan, const JobSettings &settings, const TokenDataset &dataset, Executor &executor, Communicator &communicator)
      : plan(plan), settings(settings), dataset(dataset), executor(executor), communicator(communicator), entries(plan),
        order(rowOrderOf(settings, dataset, communicator.size())) {}

  StatusOr<LoopReport> run(const LoopOptions &options) {
    ZP_RETURN_IF_ERROR(prepare(options));
    speaks = communicator.rank() == 0 && !options.quiet;
    if (communicator.rank() == 0)
      ZP_RETURN_IF_ERROR(openFiles(options));
    const auto begin = Clock::now();
    if (settings.eval_on_start && options.evaluation && report.updates == 0)
      ZP_RETURN_IF_ERROR(evaluateNow(options));
    Progress progress(report.updates, report.wanted, logging(), options.quiet || communicator.rank() != 0);
    EpochMeter epochs(order.updatesPerEpoch(), residentOwnBytes());
    while (report.updates < report.wanted) {
      ZP_RETURN_IF_ERROR(agree(options.checkpoints));
      if (report.stoppedBy)
        break;
      auto start = Clock::now();
      StepMetrics metrics;
      ZP_RETURN_IF_ERROR(step(report.updates, metrics));
      metrics.stepSeconds = secondsSince(start);
      metrics.tokensPerSecond = static_cast<double>(updateTokens) / metrics.stepSeconds;
      const uint64_t resident = residentOwnBytes();
      report.residentPeak = std::max(report.residentPeak, resident);
      if (file)
        ZP_RETURN_IF_ERROR(file->append(metrics));
      progress.show(metrics, report.residentPeak);
      if (log)
        ZP_RETURN_IF_ERROR(log->update(metrics));
      ++report.updates;
      report.position.epoch = metrics.epoch;
      report.summary.loss += lossToLog(metrics.loss, report.summary.loss, report.updates - options.from.step - 1);
      report.saveAtEnd = policy->after(report.updates);
      if (auto epoch = epochs.update(report.updates, metrics.loss, resident); epoch && options.afterEpoch)
        options.afterEpoch(*epoch);
      if (options.evaluation && evaluations->after(report.updates))
        ZP_RETURN_IF_ERROR(evaluateNow(options));
      if (options.checkpoints && report.saveAtEnd && report.updates < report.wanted) {
        best->saved(report.updates, checkpointPath(options.outputDirectory, report.updates));
        ZP_RETURN_IF_ERROR(options.checkpoints->save(position(), true));
      }
    }
    if (report.saveAtEnd || report.stoppedBy)
      best->saved(report.updates, checkpointPath(options.outputDirectory, report.updates));
    report.position = position();
    summarize(options.from.step, secondsSince(begin));
    if (log)
      ZP_RETURN_IF_ERROR(log->summary(report.summary));
    return report;
  }

private:
  Status openFiles(const LoopOptions &options) {
    const std::string path = options.outputDirectory + "/metrics.jsonl";
    ZP_ASSIGN_OR_RETURN(file,
                        options.from.step == 0 ? MetricsFile::create(path) : MetricsFile::resume(path, options.earlierMetrics, options.from.step));
    ZP_ASSIGN_OR_RETURN(log, RunLog::create({logging(), !options.quiet, options.eventDirectory}));
    return {};
  }

  LoggingPolicy logging() const { return LoggingPolicy(settings, report.wanted, order.updatesPerEpoch()); }

  /// Between two updates, by all ranks. It changes nothing that training goes on from.
  Status evaluateNow(const LoopOptions &options) {
    const auto start = Clock::now();
    EvaluateOptions how{evaluationBatches(settings, static_cast<uint64_t>(communicator.size()))};
    how.seed = static_cast<uint64_t>(settings.seed);
    ZP_ASSIGN_OR_RETURN(EvaluateReport found, evaluate(plan, *options.evaluation, executor, communicator, how));
    report.residentPeak = std::max(report.residentPeak, found.resident.peak);
    if (options.afterEvaluation)
      options.afterEvaluation(found.resident);
    // A best model whose weights aren't saved couldn't be loaded. What no update has trained is no candidate.
    if (report.updates > 0 && (!settings.load_best_model_at_end || policy->ofTheBest() || policy->after(report.updates)))
      report.saveAtEnd |= best->offer(report.updates, found) && policy->ofTheBest();
    if (!log)
      return {};
    const double seconds = secondsSince(start);
    EvaluationMetrics metrics{report.updates,
                              report.position.epoch,
                              found.loss(),
                              found.accuracy(),
                              found.ofBatches,
                              seconds,
                              static_cast<double>(found.rows) / seconds,
                              static_cast<double>(found.rounds) / seconds,
                              report.tokens};
    ZP_RETURN_IF_ERROR(file->appendEvaluation(metrics));
    return log->evaluation(metrics);
  }

  /// The reference's figures: rows of the job, or of max_steps, by the share of updates that this process did, over the time that it took.
  void summarize(uint64_t from, double seconds) {
    RunSummary &summary = report.summary;
    const auto updates = static_cast<double>(report.updates - from), all = static_cast<double>(report.wanted);
    const auto rows = settings.max_steps > 0 ? static_cast<double>(report.wanted * order.placesPerUpdate())
                                             : static_cast<double>(dataset.rows()) * settings.num_train_epochs;
    summary.seconds = seconds;
    summary.rowsPerSecond = rows * updates / all / seconds;
    summary.updatesPerSecond = updates / seconds;
    summary.loss = updates > 0 ? summary.loss / updates : 0;
    summary.epoch = report.position.epoch;
    summary.step = report.updates;
  }

  Status prepare(const LoopOptions &options) {
    const RunPosition &from = options.from;
    ZP_ASSIGN_OR_RETURN(report.wanted, updatesInAll(settings, dataset, communicator.size()));
    ZP_ASSIGN_OR_RETURN(policy, StepPolicy::ofSaving(settings, report.wanted, order.updatesPerEpoch()));
    ZP_ASSIGN_OR_RETURN(evaluations, StepPolicy::ofEvaluation(settings, report.wanted, order.updatesPerEpoch(), order.epochAfter(report.wanted - 1)));
    best.emplace(settings, from.best);
    scaler.emplace(settings, from.scaling);
    report.updates = from.step;
    report.tokens = from.tokens;
    report.lastLoss = from.loss;
    report.position = from;
    report.saveAtEnd = policy->after(report.updates);
    ZP_ASSIGN_OR_RETURN(schedule, Schedule::create(settings, report.wanted));
    ZP_ASSIGN_OR_RETURN(apply, entries.longestEntry(fbs::EntryKind::ApplyGradients));
    places.resize(order.placesPerUpdate());
    if (options.checkpoints && policy->beforeTheEnd(report.updates))
      ZP_RETURN_IF_ERROR(options.checkpoints->prepare());
    return {};
  }

  /// On whether to stop, and on how far a checkpoint in the making has come.
  Status agree(CheckpointWriter *checkpoints) {
    // One place for each signal: ranks may have got different ones, and all must give the same answer.
    double sums[3] = {stopRequested() == SIGINT ? 1.0 : 0.0, stopRequested() == SIGTERM ? 1.0 : 0.0, checkpoints ? checkpoints->ready() : 0.0};
    ZP_RETURN_IF_ERROR(communicator.allReduce(sums, 3, DType::F64));
    report.stoppedBy = sums[0] > 0 ? SIGINT : sums[1] > 0 ? SIGTERM : 0;
    return checkpoints ? checkpoints->advance(sums[2]) : Status();
  }

  RunPosition position() const {
    return {report.updates, report.tokens,           report.lastLoss, report.position.epoch,
            report.wanted,  order.updatesPerEpoch(), best->best(),    scaler->active() ? std::optional(scaler->state()) : std::nullopt};
  }

  /// Looks up the update's rows; counts its labels and tokens.
  void gatherRows(uint64_t update, StepScalars &scalars) {
    uint64_t counted = 0;
    updateTokens = 0;
    for (uint64_t place = 0; place < places.size(); ++place) {
      places[place] = order.row(update, place);
      if (places[place] == RowOrder::kPadding)
        continue;
      const TokenRow &row = dataset.row(static_cast<uint64_t>(places[place]));
      counted += row.countedLabels;
      updateTokens += row.tokens;
    }
    scalars.countedLabels = static_cast<double>(counted);
  }

  /// Of those that are applied; from 0.
  uint64_t appliedBefore(uint64_t update) const { return update - scaler->state().skipped; }

  StepScalars scalarsOf(uint64_t update) const {
    StepScalars scalars{};
    const auto t = static_cast<double>(appliedBefore(update) + 1);
    scalars.seed = static_cast<uint64_t>(settings.seed);
    scalars.learningRate = static_cast<float>(schedule->at(appliedBefore(update)));
    scalars.biasCorrection1 = static_cast<float>(1.0 - std::pow(settings.adam_beta1, t));
    scalars.biasCorrection2 = static_cast<float>(1.0 - std::pow(settings.adam_beta2, t));
    scalars.optimizerStep = static_cast<uint32_t>(update + 1);
    return scalars;
  }

  Status step(uint64_t update, StepMetrics &metrics) {
    StepScalars scalars = scalarsOf(update);
    gatherRows(update, scalars);
    // What overflows or vanishes is then a gradient of the mean, as the reference's is, whatever the size of the update.
    if (scaler->active())
      scalars.lossScale = static_cast<float>(scaler->state().scale / std::max(1.0, scalars.countedLabels));
    const auto batch = static_cast<uint64_t>(settings.per_device_train_batch_size), ranks = static_cast<uint64_t>(communicator.size());
    const auto micros = static_cast<uint32_t>(settings.gradient_accumulation_steps);
    for (uint32_t micro = 0; micro < micros; ++micro) {
      // All ranks take the entry that the longest row among them needs: its collectives are theirs too.
      std::span<const int64_t> round(places.data() + micro * ranks * batch, ranks * batch);
      uint32_t length = 1;
      bool empty = true;
      for (int64_t row : round)
        if (row != RowOrder::kPadding) {
          length = std::max(length, dataset.row(static_cast<uint64_t>(row)).length);
          empty = false;
        }
      if (empty && !entries.positionsMatter())
        continue;
      ZP_ASSIGN_OR_RETURN(uint32_t index, entries.trainStep(micro, micros, length));
      const fbs::Entry &entry = entries.entry(index);
      if (entry.rows() != batch)
        return Status(ErrorCode::PlanInvalid, "plan: entries[" + std::to_string(index) + "]: has " + std::to_string(entry.rows()) +
                                                  " rows, expected per_device_train_batch_size " + std::to_string(batch) + "; compile it again");
      const uint64_t base = static_cast<uint64_t>(communicator.rank()) * batch;
      scalars.rowBase = static_cast<uint32_t>(micro * ranks * batch + base);
      ZP_RETURN_IF_ERROR(fillTokens(executor, entry, dataset, round.subspan(base, batch)));
      ZP_RETURN_IF_ERROR(fillScalars(executor, entry, scalars));
      ZP_RETURN_IF_ERROR(executor.run(index));
    }
    const fbs::Entry &entry = entries.entry(apply);
    ZP_RETURN_IF_ERROR(fillScalars(executor, entry, scalars));
    ZP_RETURN_IF_ERROR(executor.run(apply));
    double out[5];
    ZP_RETURN_IF_ERROR(readDoubles(executor, entry, "metrics", out));
    metrics.step = update + 1;
    metrics.loss = out[0];
    metrics.gradNorm = out[1];
    metrics.accuracy = out[4];
    metrics.numTokens = report.tokens += updateTokens;
    metrics.epoch = order.epochAfter(update);
    const bool overflow = scaler->active() && !std::isfinite(out[1]);
    metrics.learningRate = schedule->at(appliedBefore(update));
    if (scaler->active())
      ZP_RETURN_IF_ERROR(rescale(update, overflow, metrics));
    if (settings.logging_next_learning_rate)
      metrics.learningRate = schedule->at(appliedBefore(update + 1));
    if (std::isfinite(out[0]))
      report.lastLoss = out[0];
    if (!overflow && (!std::isfinite(out[0]) || !std::isfinite(out[1])))
      return Status(ErrorCode::NonFinite, "step " + std::to_string(update + 1) + ": loss is " + std::to_string(out[0]) + " and the gradient norm " +
                                              std::to_string(out[1]) +
                                              ", expected finite numbers; lower --learning_rate or look at the rows of this step");
    return {};
  }

  /// fp16: every rank has the same norm, so all find the same overflow, and their instructions have changed no weight.
  Status rescale(uint64_t update, bool overflow, StepMetrics &metrics) {
    metrics.lossScale = scaler->state().scale;
    ZP_RETURN_IF_ERROR(scaler->take(update, overflow));
    metrics.skippedSteps = scaler->state().skipped;
    if (overflow && speaks)
      std::fprintf(stderr, "zprun: step %" PRIu64 ": gradients overflow at the loss scale %.17g: the step is skipped, the next scale is %.17g\n",
                   update + 1, metrics.lossScale, scaler->state().scale);
    return {};
  }

  const fbs::Plan &plan;
  const JobSettings &settings;
  const TokenDataset &dataset;
  Executor &executor;
  Communicator &communicator;
  PlanEntries entries;
  RowOrder order;
  std::optional<Schedule> schedule;
  std::optional<StepPolicy> policy, evaluations; // of saving; of evaluation
  std::optional<BestModelTracker> best;
  std::optional<LossScaler> scaler;
  std::optional<MetricsFile> file; // these two: rank 0
  std::optional<RunLog> log;
  bool speaks = false;
  uint32_t apply = 0;
  std::vector<int64_t> places; // rows of the update, in micro-batch order
  uint64_t updateTokens = 0;
  LoopReport report;
};

} // namespace

StatusOr<LoopReport> trainLoop(const fbs::Plan &plan, const JobSettings &settings, const TokenDataset &dataset, Executor &executor,
                               Communicator &communicator, const LoopOptions &options) {
  return Loop(plan, settings, dataset, executor, communicator).run(options);
}

} // namespace zp::rt
