#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <memory>
#include <set>

#include "runtime/base/atomic_file.h"
#include "runtime/collective/throttled/throttled_communicator.h"
#include "runtime/device/cpu/thread_pool.h"
#include "runtime/generation/generate.h"
#include "runtime/generation/generation_bench.h"
#include "runtime/io/adapter.h"
#include "runtime/io/parameter_info.h"
#include "runtime/io/section_loader.h"
#include "runtime/tools/zprun/hub_folder.h"
#include "runtime/tools/zprun/last_words.h"
#include "runtime/tools/zprun/model_files.h"
#include "runtime/tools/zprun/reports.h"
#include "runtime/tools/zprun/saved_model.h"
#include "runtime/tools/zprun/session.h"
#include "runtime/trainer/bench.h"
#include "runtime/trainer/evaluate.h"
#include "runtime/trainer/matmul_rate.h"
#include "runtime/trainer/measured_trace.h"
#include "runtime/trainer/plan_entries.h"
#include "runtime/trainer/process_memory.h"
#include "runtime/trainer/stop_request.h"
#include "runtime/trainer/training_run.h"

namespace zp::rt {

// Exit codes of a run that a signal ended early.
constexpr int kInterrupted = 130, kRequeue = 75;

/// An adapter that has embeddings of its own is of a model with as many tokens.
static Status checkEmbeddings(const Session &session, ModelWeights &adapter) {
  for (const fbs::Parameter *parameter : frozenEmbeddings(session.plan())) {
    const std::string name = savedWholeAs(*parameter);
    if (!adapter.contains(name))
      continue;
    ZP_ASSIGN_OR_RETURN(WeightTensor tensor, adapter.find(name));
    if (tensor.info->shape != shapeOf(*parameter))
      return Status(ErrorCode::AdapterMismatch, placeOf(tensor, name) + "shape is " + shapeText(tensor.info->shape) + ", expected " +
                                                    shapeText(shapeOf(*parameter)) +
                                                    " as the plan has, whose model has another vocabulary; import again with "
                                                    "--adapter_name_or_path " +
                                                    session.options.adapter);
  }
  return {};
}

/// Where this rank's parameters come from.
static StatusOr<SectionSources> sourcesOf(const Session &session) {
  const ZprunOptions &options = session.options;
  SectionSources sources;
  sources.seed = static_cast<uint64_t>(session.settings.seed);
  // Text is of a trained adapter or of none, never of one that was just drawn.
  sources.freshIsZero = options.adapterOff || (options.verb == Verb::Generate && options.adapter.empty());
  if (options.verb != Verb::Bench) {
    ZP_ASSIGN_OR_RETURN(ModelWeights base, ModelWeights::open(options.model));
    ZP_RETURN_IF_ERROR(checkHead(session.plan(), base));
    sources.base = std::move(base);
  }
  if (!options.adapter.empty() && !options.adapterOff) {
    std::set<std::string> trained;
    for (const fbs::Section *section : *session.plan().sections())
      for (const fbs::Parameter *parameter : *section->parameters())
        trained.insert(parameter->saved_as()->str());
    if (const auto embeddings = frozenEmbeddings(session.plan()); !embeddings.empty()) {
      for (const fbs::Parameter *parameter : embeddings)
        trained.insert(savedWholeAs(*parameter));
      trained.insert(kSavedHead); // that of a model whose head is tied
    }
    ZP_ASSIGN_OR_RETURN(ModelWeights adapter,
                        openAdapter(options.adapter, session.plan().adapter_config() ? session.plan().adapter_config()->str() : "", trained));
    ZP_RETURN_IF_ERROR(checkEmbeddings(session, adapter));
    sources.adapter = std::move(adapter);
  }
  return sources;
}

static StatusOr<int> train(const Session &session, Executor &executor, Communicator &communicator, LastWords &words) {
  watchStopSignals();
  RunOptions run;
  ZP_ASSIGN_OR_RETURN(run.trained, savedModelOf(session, communicator.rank() == 0));
  run.modelDirectory = session.options.model;
  run.quiet = session.options.quiet;
  run.failed = [&words](const Status &status) { words.tellPeers(status); };
  run.said = [&words](const Status &status) { words.say(status); };
  run.resume = session.resume ? &*session.resume : nullptr;
  run.evaluation = session.evaluation ? &*session.evaluation : nullptr;
  if (session.options.reportTo == "tensorboard")
    run.eventDirectory = session.options.loggingDirectory.empty() ? session.options.outputDirectory + "/runs" : session.options.loggingDirectory;
  const bool speaks = communicator.rank() == 0 && !session.options.quiet;
  if (speaks && session.options.reportMemory) {
    run.afterEpoch = [&](const EpochReport &epoch) { reportEpoch(session, epoch); };
    run.afterEvaluation = [&](const ResidentBytes &resident) { reportMemory(session, "eval", resident); };
  }
  if (speaks)
    reportParameters(session);
  const uint64_t before = residentOwnBytes();
  ZP_ASSIGN_OR_RETURN(LoopReport report, trainAndSave(session.plan(), session.settings, *session.dataset, executor, communicator, run));
  if (communicator.rank() == 0) {
    if (speaks && !session.options.reportMemory)
      reportMemory(session, "train", {before, residentOwnBytes(), std::max(before, report.residentPeak)});
    if (session.options.pushToHub)
      ZP_RETURN_IF_ERROR(makeHubFolder(session));
    ZP_RETURN_IF_ERROR(reportTraining(session, executor, communicator, report));
  }
  return report.stoppedBy == 0 ? 0 : report.stoppedBy == SIGINT ? kInterrupted : kRequeue;
}

static StatusOr<int> evaluateAndReport(const Session &session, Executor &executor, Communicator &communicator) {
  const EvaluateOptions options{evaluationBatches(session.settings, static_cast<uint64_t>(communicator.size())), session.options.logitsFile,
                                session.options.logitsRows, static_cast<uint64_t>(session.settings.seed)};
  ZP_ASSIGN_OR_RETURN(EvaluateReport report, evaluate(session.plan(), *session.dataset, executor, communicator, options));
  if (communicator.rank() == 0) {
    reportEvaluation(report);
    if (session.options.reportMemory && !session.options.quiet)
      reportMemory(session, "eval", report.resident);
  }
  return 0;
}

static StatusOr<int> generateAndReport(const Session &session, Executor &executor, Communicator &communicator) {
  const uint64_t before = residentOwnBytes();
  ZP_ASSIGN_OR_RETURN(GenerateReport report,
                      generate(session.plan(), session.prompts, session.generation, executor, communicator, tokenLines(session, communicator)));
  if (communicator.rank() == 0) {
    ZP_RETURN_IF_ERROR(writeFileAtomically(session.options.continuations, linesOf(session.prompts, report.continuations)));
    reportGeneration(session, executor, report);
    if (session.options.reportMemory && !session.options.quiet)
      reportMemory(session, "eval", {before, residentOwnBytes(), std::max(before, report.residentPeak)});
  }
  return 0;
}

/// Of all ranks at once, as they trained: they share the machine in both. Measured on the CPU: nothing for a plan of another target.
static StatusOr<MatmulRate> matmulRate(const Session &session, Communicator &communicator) {
  if (!session.runsOnCpu())
    return MatmulRate{};
  ZP_RETURN_IF_ERROR(communicator.barrier());
  MatmulRate rate = bestMatmulRate(session.settings.bf16, session.options.threads, communicator.localSize());
  ZP_RETURN_IF_ERROR(communicator.barrier());
  return rate;
}

static double secondsSince(std::chrono::steady_clock::time_point moment) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - moment).count();
}

static StatusOr<int> benchAndReport(const Session &session, Executor &executor, Communicator &communicator, double initSeconds) {
  const Start start{initSeconds, secondsSince(session.options.began) - initSeconds};
  if (session.settings.generate) {
    ZP_ASSIGN_OR_RETURN(GenerationBenchReport report, benchGeneration(session.plan(), executor, communicator, session.options.steps));
    if (communicator.rank() == 0)
      reportGenerationBench(session, executor, report, start, communicator);
    return 0;
  }
  BenchLoop loop(session.plan(), session.settings, executor, communicator, session.options.steps);
  ZP_ASSIGN_OR_RETURN(BenchReport report, bench(loop));
  ZP_ASSIGN_OR_RETURN(MatmulRate rate, matmulRate(session, communicator));
  if (communicator.rank() == 0)
    reportBench(session, executor, report, rate, start, communicator);
  return 0;
}

static StatusOr<int> compareAndReport(const Session &session, Executor &executor, Executor &against, Communicator &communicator) {
  BenchLoop loop(session.plan(), session.settings, executor, communicator, session.options.steps);
  BenchLoop other(session.against->plan(), session.against->settings, against, communicator, session.options.steps);
  ZP_ASSIGN_OR_RETURN(BenchComparison comparison, benchInTurns(loop, other));
  ZP_ASSIGN_OR_RETURN(MatmulRate rate, matmulRate(session, communicator));
  MatmulRate otherRate = rate;
  if (session.runsOnCpu() != session.against->runsOnCpu()) {
    ZP_ASSIGN_OR_RETURN(otherRate, matmulRate(*session.against, communicator));
  }
  if (communicator.rank() == 0)
    reportComparison(session, executor, against, comparison, rate, otherRate, communicator);
  return 0;
}

/// Runs updates one instruction at a time and writes what they took as the cluster that this machine is.
static StatusOr<int> calibrateAndWrite(const Session &session, Executor &executor, Communicator &communicator, const InstructionTimes &times) {
  BenchLoop loop(session.plan(), session.settings, executor, communicator, session.options.steps);
  ZP_RETURN_IF_ERROR(bench(loop).status());
  if (communicator.rank() != 0)
    return 0;
  ZP_RETURN_IF_ERROR(writeCalibration(session, times, threadsOfRank(session.options.threads, communicator.localSize())));
  return 0;
}

static StatusOr<int> runVerb(const Session &session, Executor &executor, Communicator &communicator, LastWords &words, const InstructionTimes &times,
                             double initSeconds) {
  switch (session.options.verb) {
  case Verb::Train:
    return train(session, executor, communicator, words);
  case Verb::Eval:
    return evaluateAndReport(session, executor, communicator);
  case Verb::Generate:
    return generateAndReport(session, executor, communicator);
  case Verb::Bench:
    if (!session.options.calibrate.empty())
      return calibrateAndWrite(session, executor, communicator, times);
    return benchAndReport(session, executor, communicator, initSeconds);
  case Verb::Merge: // these have no ranks
  case Verb::Quantize:
  case Verb::Resize:
    break;
  }
  return 0;
}

/// The session's executor, its parameters and state in place, and what `init` took. `times` hears what instructions take when they are measured.
static StatusOr<std::unique_ptr<Executor>> startExecutor(const Session &session, Communicator &communicator, LastWords &words,
                                                         InstructionTimes &times, double &initSeconds) {
  ZP_ASSIGN_OR_RETURN(SectionSources sources, sourcesOf(session));
  auto reader = std::make_shared<SectionReader>(session.plan(), communicator.rank(), std::move(sources));
  ExecutorOptions options;
  options.threads = session.options.threads;
  options.shadow = session.options.shadow;
  options.reference = session.options.reference;
  options.readInPlace = session.options.readInPlace;
  options.cuda = session.options.cuda;
  options.timedSteps = session.options.trace.empty() ? 0 : kTracedSteps;
  auto saved = std::make_shared<std::optional<StateShards>>(); // until init has run
  if (session.resume) {
    ZP_ASSIGN_OR_RETURN(*saved, session.resume->shards());
  }
  options.diskDirectory = session.options.nvmePath.empty() ? session.settings.nvme_path : session.options.nvmePath;
  options.loadSection = [&session, &communicator, saved, reader](uint32_t section, const TensorPart &target, ParallelFor &parallel) {
    bool trained = session.plan().sections()->Get(section)->kind() == fbs::SectionKind::Trainable;
    return *saved && trained ? restoreMasters(**saved, session.plan(), section, communicator.rank(), target)
                             : reader->load(section, target, parallel);
  };
  options.loadQuantized = [reader](uint32_t section, const TensorPart &records, const TensorPart &scales, ParallelFor &parallel) {
    return reader->loadQuantized(section, records, scales, parallel);
  };
  options.nestScales = [reader](uint32_t section, const TensorView &scales, const TensorPart &records, ParallelFor &parallel) {
    return reader->nestScales(section, scales, records, parallel);
  };
  options.failed = [&session, &words](const Status &status) {
    words.sayAndEnd(session.options.verb == Verb::Train ? namingLatest(status, session.options.outputDirectory) : status);
  };
  if (!session.options.calibrate.empty())
    options.measure = [&times](uint32_t entry, uint32_t instruction, double seconds) { times.note(entry, instruction, seconds); };
  ZP_ASSIGN_OR_RETURN(std::unique_ptr<Executor> executor, Executor::create(session.file, communicator, std::move(options)));
  if (communicator.rank() == 0 && !session.options.quiet)
    for (const std::string &notice : executor->notices())
      if (!notice.empty())
        std::fprintf(stderr, "zprun: %s\n", notice.c_str());
  PlanEntries entries(session.plan());
  ZP_ASSIGN_OR_RETURN(uint32_t init, entries.longestEntry(fbs::EntryKind::Init));
  const auto initBegan = std::chrono::steady_clock::now();
  ZP_RETURN_IF_ERROR(executor->run(init));
  initSeconds = secondsSince(initBegan);
  if (*saved)
    ZP_RETURN_IF_ERROR(restoreMoments(**saved, session.plan(), communicator.rank(), *executor));
  saved->reset();
  executor->times().clear(); // the timeline begins with the work
  return executor;
}

/// The executors of a rank, which outlive its last words.
struct Executors {
  std::unique_ptr<Executor> own, against;
};

static StatusOr<int> runWith(Executors &executors, const Session &session, Communicator &communicator, LastWords &words) {
  InstructionTimes times(session.plan());
  double initSeconds = 0;
  ZP_ASSIGN_OR_RETURN(executors.own, startExecutor(session, communicator, words, times, initSeconds));
  if (session.against) {
    ZP_ASSIGN_OR_RETURN(executors.against, startExecutor(*session.against, communicator, words, times, initSeconds));
    return compareAndReport(session, *executors.own, *executors.against, communicator);
  }
  ZP_ASSIGN_OR_RETURN(int code, runVerb(session, *executors.own, communicator, words, times, initSeconds));
  if (!session.options.trace.empty())
    ZP_RETURN_IF_ERROR(writeTrace(session.options.trace, session.plan(), *executors.own, communicator));
  return code;
}

static StatusOr<int> runOn(const Session &session, Communicator &communicator, LastWords &words) {
  Executors executors;
  StatusOr<int> code = runWith(executors, session, communicator, words);
  if (!code.ok())
    words.say(code.status());
  else if (!session.runsOnCpu()) // a GPU that is left early takes memory away that the collectives of others still read
    if (Status status = communicator.barrier(); !status.ok())
      return status;
  return code;
}

StatusOr<int> runRank(const Session &session, Communicator &communicator, LastWords &words) {
  if (session.options.throttle == 0)
    return runOn(session, communicator, words);
  std::unique_ptr<Communicator> throttled = createThrottledCommunicator(communicator, session.options.throttle);
  return runOn(session, *throttled, words);
}

} // namespace zp::rt
