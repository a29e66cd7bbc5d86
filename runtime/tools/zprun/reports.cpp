#include "runtime/tools/zprun/reports.h"

#include <algorithm>
#include <cinttypes>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "runtime/base/atomic_file.h"
#include "runtime/kernels/kernel_path.h"
#include "runtime/plan/tier_names.h"
#include "runtime/schema/section_records.h"
#include "runtime/trainer/process_memory.h"

namespace zp::rt {

using json = nlohmann::ordered_json;

/// A line for each space that isn't the process's only one, and what the system measured. On a CPU every space but the disk's is
/// memory of this process, which the system counts as one: it is held against their sum.
/// On a GPU the device's own is what its memory has less since the run began.
static void reportPeaks(const Session &session, const std::optional<DeviceFacts> &device, uint64_t measured) {
  const auto &spaces = *session.plan().spaces();
  std::string names;
  for (const fbs::Space *space : spaces) {
    bool disk = space->tier() == fbs::Tier::Disk;
    if (device && space->tier() == fbs::Tier::Device) {
      std::printf("peak: planned %" PRIu64 " bytes, measured %" PRIu64 " bytes (%s, rank 0: with what libraries took, the context apart)\n",
                  space->bytes(), device->takenBytes, nameOf(space->tier()));
      continue;
    }
    if (spaces.size() > 1)
      std::printf("peak: planned %" PRIu64 " bytes (%s, rank 0%s)\n", space->bytes(), nameOf(space->tier()), disk ? ": a file of that size" : "");
    if (!disk)
      names += (names.empty() ? "" : " and ") + std::string(nameOf(space->tier()));
  }
  std::printf("peak: planned %" PRIu64 " bytes, measured %" PRIu64 " bytes (%s, rank 0: anonymous and shared memory of the process)\n",
              session.plannedBytes(), measured, names.empty() ? "host" : names.c_str());
}

Status reportTraining(const Session &session, const Executor &executor, const Communicator &communicator, const LoopReport &report) {
  const CheckpointReport &saves = report.checkpoints;
  const std::optional<DeviceFacts> device = executor.deviceFacts();
  reportPeaks(session, device, report.residentPeak - std::min(report.residentPeak, saves.snapshotBytes)); // the snapshot has its own line
  if (saves.saved > 0)
    std::printf("checkpoints: %" PRIu64 " saved in %s; snapshot %" PRIu64
                " bytes (host, rank 0), updates waited %.3f s for copies and %.3f s for disks\n",
                saves.saved, session.options.outputDirectory.c_str(), saves.snapshotBytes, saves.copySeconds, saves.waitSeconds);
  json summary = {{"ranks", communicator.size()},
                  {"engine", communicator.engine()},
                  {"kernel_path", textOf(kernelPath())},
                  {"updates", report.updates},
                  {"loss", report.lastLoss},
                  {"num_tokens", report.tokens},
                  {"gathered_bytes", executor.gatheredBytes()},
                  {"reduced_bytes", executor.reducedBytes()},
                  {"planned_bytes", session.plannedBytes()},
                  {"measured_bytes", report.residentPeak},
                  {"checkpoints", saves.saved},
                  {"snapshot_bytes", saves.snapshotBytes},
                  {"checkpoint_copy_seconds", saves.copySeconds},
                  {"checkpoint_wait_seconds", saves.waitSeconds}};
  if (device)
    summary["device_bytes"] = device->takenBytes;
  if (report.position.scaling) {
    summary["loss_scale"] = report.position.scaling->scale;
    summary["skipped_steps"] = report.position.scaling->skipped;
  }
  std::printf("summary: %s\n", summary.dump().c_str());
  if (report.stoppedBy)
    std::fprintf(stderr,
                 "zprun: stopped by signal %d after %" PRIu64 " of %" PRIu64
                 " updates; what was trained so far is in %s; go on with --resume_from_checkpoint latest\n",
                 report.stoppedBy, report.updates, report.wanted, session.options.outputDirectory.c_str());
  return writeFileAtomically(session.options.outputDirectory + "/summary.json", summary.dump(2) + "\n");
}

/// 1234567 as 1,234,567.
static std::string grouped(uint64_t number) {
  std::string text = std::to_string(number);
  for (size_t at = text.size(); at > 3;)
    text.insert(at -= 3, ",");
  return text;
}

void reportParameters(const Session &session) {
  uint64_t trained = 0, all = 0;
  for (const fbs::Section *section : *session.plan().sections())
    for (const fbs::Parameter *parameter : *section->parameters()) {
      const uint64_t elements = elementsOf(*parameter);
      all += elements;
      trained += section->kind() == fbs::SectionKind::Trainable ? elements : 0;
    }
  std::printf("trainable params: %s || all params: %s || trainable%%: %.4f\n", grouped(trained).c_str(), grouped(all).c_str(),
              all ? 100.0 * static_cast<double>(trained) / static_cast<double>(all) : 0);
}

static void printMemory(const char *what, const char *stage, const ResidentBytes &bytes) {
  auto mib = [](uint64_t size) { return static_cast<int64_t>(size >> 20); };
  auto since = [&](uint64_t now) { return now >= bytes.before ? mib(now - bytes.before) : -mib(bytes.before - now); };
  std::printf("%s Memory before entering the %s : %" PRId64 "\n"
              "%s Memory consumed at the end of the %s (end-begin): %" PRId64 "\n"
              "%s Peak Memory consumed during the %s (max-begin): %" PRId64 "\n"
              "%s Total Peak Memory consumed during the %s (max): %" PRId64 "\n",
              what, stage, mib(bytes.before), what, stage, since(bytes.end), what, stage, since(bytes.peak), what, stage, mib(bytes.peak));
}

void reportMemory(const Session &session, const char *stage, const ResidentBytes &resident) {
  uint64_t device = 0;
  for (const fbs::Space *space : *session.plan().spaces())
    device += space->tier() == fbs::Tier::Device ? space->bytes() : 0;
  printMemory("Device", stage, {device, device, device});
  printMemory("CPU", stage, resident);
}

void reportEpoch(const Session &session, const EpochReport &report) {
  reportMemory(session, "train", report.resident);
  std::printf("epoch=%" PRIu64 ": train_ppl=%.4f train_epoch_loss=%.4f\n", report.epoch, std::exp(report.loss), report.loss);
  std::fflush(stdout); // a run may take long
}

void reportEvaluation(const EvaluateReport &report) {
  const json out = {{"loss", report.loss()},
                    {"loss_of_batches", report.ofBatches.loss},
                    {"perplexity", report.perplexity()},
                    {"mean_token_accuracy", report.accuracy()},
                    {"mean_token_accuracy_of_batches", report.ofBatches.accuracy},
                    {"counted_tokens", report.all.counted},
                    {"rows", report.rows}};
  std::printf("%s\n", out.dump().c_str());
}

/// At once, and whole beside those of other ranks.
static void writeLine(const json &line) {
  const std::string text = line.dump() + "\n";
  (void)!::write(STDOUT_FILENO, text.data(), text.size());
}

TokenListener tokenLines(const Session &session, const Communicator &communicator) {
  if (!session.options.streamTokens)
    return {};
  if (communicator.rank() == 0) // the others make no token before this rank does
    writeLine({{"prompts", session.prompts.rows.size()}});
  return [](uint64_t prompt, int32_t token, bool over) { writeLine({{"row", prompt}, {"token", token}, {"over", over}}); };
}

void reportGeneration(const Session &session, const Executor &executor, const GenerateReport &report) {
  for (const std::string &note : session.generation.notes)
    std::fprintf(stderr, "%s\n", note.c_str());
  if (session.options.quiet || session.options.streamTokens)
    return;
  reportPeaks(session, executor.deviceFacts(), report.residentPeak);
  json out = {{"prompts", report.continuations.size()},
              {"prompt_tokens", report.promptTokens},
              {"new_tokens", report.newTokens},
              {"seconds", report.seconds},
              {"tokens_per_second", static_cast<double>(report.newTokens) / report.seconds}};
  std::printf("%s\n", out.dump().c_str());
}

/// Of a CPU the path of its kernels, of another device what it has given; the others stay null.
static void addMachine(json &out, const Session &session, const Executor &executor) {
  out["kernel_path"] = session.runsOnCpu() ? json(textOf(kernelPath())) : json();
  const std::optional<DeviceFacts> device = executor.deviceFacts();
  out["device_bytes"] = device ? json(device->takenBytes) : json();
}

static json benchJson(const Session &session, const Executor &executor, const BenchReport &report, const MatmulRate &rate,
                      const Communicator &communicator) {
  json out = {{"step_seconds", report.stepSeconds},
              {"tokens_per_second", report.tokensPerStep / report.stepSeconds},
              {"model_bound", nullptr},
              {"first_step_seconds", report.firstStepSeconds},
              {"steps", report.steps},
              {"ranks", communicator.size()},
              {"throttled_to_bytes_per_second", nullptr},
              {"kernel_path", nullptr},
              {"flops_per_step", report.flopsPerStep},
              {"matmul_flops_per_second", nullptr},
              {"matmul_dtype", nullptr},
              {"attention", nullptr},
              {"device_bytes", nullptr},
              {"loss", report.loss},
              {"seconds_by_kind", report.secondsByKind}};
  if (session.options.throttle > 0)
    out["throttled_to_bytes_per_second"] = session.options.throttle;
  addMachine(out, session, executor);
  if (const std::optional<DeviceFacts> device = executor.deviceFacts())
    out["attention"] = device->attention;
  if (rate.flopsPerSecond > 0) { // without the vendor library there is nothing to compare with
    out["matmul_dtype"] = rate.dtype;
    out["model_bound"] = report.flopsPerStep / rate.flopsPerSecond / report.stepSeconds;
    out["matmul_flops_per_second"] = rate.flopsPerSecond;
  }
  return out;
}

void reportGenerationBench(const Session &session, const Executor &executor, const GenerationBenchReport &report, const Start &start,
                           const Communicator &communicator) {
  json out = {{"round_seconds", report.seconds},
              {"first_token_seconds", report.firstSeconds},
              {"new_tokens_per_second", report.newTokensPerSecond()},
              {"decoded_tokens_per_second", nullptr},
              {"prompts", report.prompts},
              {"prompt_tokens", report.promptTokens},
              {"new_tokens", report.newTokens},
              {"rounds", report.rounds},
              {"ranks", communicator.size()},
              {"kernel_path", nullptr},
              {"device_bytes", nullptr},
              {"init_seconds", start.initSeconds},
              {"startup_seconds", start.otherSeconds}};
  if (report.newTokens > 1)
    out["decoded_tokens_per_second"] = report.decodedTokensPerSecond();
  addMachine(out, session, executor);
  std::printf("%s\n", out.dump(2).c_str());
}

void reportBench(const Session &session, const Executor &executor, const BenchReport &report, const MatmulRate &rate, const Start &start,
                 const Communicator &communicator) {
  json out = benchJson(session, executor, report, rate, communicator);
  out["init_seconds"] = start.initSeconds;
  out["startup_seconds"] = start.otherSeconds;
  std::printf("%s\n", out.dump(2).c_str());
}

void reportComparison(const Session &session, const Executor &executor, const Executor &against, const BenchComparison &comparison,
                      const MatmulRate &rate, const MatmulRate &againstRate, const Communicator &communicator) {
  json out = {{"step_time_ratio", comparison.stepTimeRatio},
              {"plan", benchJson(session, executor, comparison.plan, rate, communicator)},
              {"against", benchJson(*session.against, against, comparison.against, againstRate, communicator)}};
  std::printf("%s\n", out.dump(2).c_str());
}

Status writeCalibration(const Session &session, const InstructionTimes &times, int threads) {
  const std::string &path = session.options.calibrate;
  std::stringstream before; // empty when there is no such file yet
  before << std::ifstream(path).rdbuf();
  const PlanIndex index(session.plan());
  const Cluster cluster = calibrate(index, times, threads, kernelsOf(before.str()));
  const std::string comment = "measured by zprun bench --calibrate with " + std::to_string(session.plan().ranks()) + " ranks of " +
                              std::to_string(threads) + " threads, " + textOf(kernelPath()) + " kernels";
  ZP_RETURN_IF_ERROR(writeFileAtomically(path, clusterYaml(cluster, comment)));
  std::printf("%s: %zu kernels; zpc simulate PLAN --cluster %s\n", path.c_str(), cluster.kernels.size(), path.c_str());
  return {};
}

void reportPlan(const Session &session) {
  size_t instructions = 0;
  for (const fbs::Entry *entry : *session.plan().entries())
    instructions += entry->instructions()->size();
  for (const fbs::Space *space : *session.plan().spaces())
    std::printf("peak: planned %" PRIu64 " bytes (%s, each of %u ranks)\n", space->bytes(), nameOf(space->tier()), session.plan().ranks());
  std::printf("dry run: %u entries, %zu instructions, %" PRIu64 " rows of data; nothing was trained\n", session.plan().entries()->size(),
              instructions, session.dataset ? session.dataset->rows() : 0);
}

} // namespace zp::rt
