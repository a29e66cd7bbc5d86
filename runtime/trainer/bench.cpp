#include "runtime/trainer/bench.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "runtime/base/median.h"
#include "runtime/io/synthetic_weights.h"
#include "runtime/schema/plan_generated.h"
#include "runtime/trainer/micro_batch.h"
#include "runtime/trainer/model_flops.h"

namespace zp::rt {

namespace {

/// Whole rows of one document of random tokens, every label counted.
void drawTokens(Executor &executor, const fbs::Entry &entry, uint32_t vocabulary, uint64_t stream) {
  for (size_t c = 0; c < kTokenColumns.size(); ++c) {
    uint32_t tensor = inputOf(entry, kTokenColumns[c]);
    if (tensor == kNoTensor)
      continue;
    TensorView view = executor.view(tensor);
    auto *out = view.as<int32_t>();
    for (int64_t t = 0; t < view.elements(); ++t) {
      auto column = static_cast<TokenColumn>(c);
      auto token = static_cast<int32_t>(mixedBits(stream + static_cast<uint64_t>(t)) % vocabulary);
      if (column == TokenColumn::SegmentIds || column == TokenColumn::SourceSegmentIds)
        out[t] = 0;
      else if (column == TokenColumn::PositionIds || column == TokenColumn::SourcePositionIds)
        out[t] = static_cast<int32_t>(t % (isSource(column) ? entry.source_length() : entry.length()));
      else
        out[t] = token;
    }
  }
}

} // namespace

BenchLoop::BenchLoop(const fbs::Plan &plan, const JobSettings &settings, Executor &executor, Communicator &communicator, BenchSteps steps)
    : plan(plan), settings(settings), executor(executor), communicator(communicator), steps(steps), entries(plan),
      length(entries.longest(fbs::EntryKind::TrainStep)) {}

Status BenchLoop::step() {
  const auto micros = static_cast<uint32_t>(settings.gradient_accumulation_steps);
  ZP_ASSIGN_OR_RETURN(uint32_t apply, entries.longestEntry(fbs::EntryKind::ApplyGradients));
  if (updates == steps.warmUp)
    before = executor.secondsByOpcode();
  ZP_RETURN_IF_ERROR(communicator.barrier());
  auto start = std::chrono::steady_clock::now();
  StepScalars scalars{};
  const auto t = static_cast<double>(updates + 1);
  scalars.seed = static_cast<uint64_t>(settings.seed);
  scalars.learningRate = 1e-5f;
  scalars.biasCorrection1 = static_cast<float>(1 - std::pow(settings.adam_beta1, t));
  scalars.biasCorrection2 = static_cast<float>(1 - std::pow(settings.adam_beta2, t));
  scalars.optimizerStep = static_cast<uint32_t>(updates + 1);
  scalars.lossScale = 1;
  rows = 0;
  for (uint32_t micro = 0; micro < micros; ++micro) {
    ZP_ASSIGN_OR_RETURN(uint32_t index, entries.trainStep(micro, micros, length));
    const fbs::Entry &entry = entries.entry(index);
    const auto ranks = static_cast<uint32_t>(communicator.size()), rank = static_cast<uint32_t>(communicator.rank());
    rows += entry.rows() * ranks;
    scalars.rowBase = (micro * ranks + rank) * entry.rows();
    scalars.countedLabels = static_cast<double>(entry.rows()) * ranks * micros * (length - 1.0);
    drawTokens(executor, entry, plan.vocab_size(), (updates * 4096 + scalars.rowBase) << 24);
    ZP_RETURN_IF_ERROR(fillScalars(executor, entry, scalars));
    ZP_RETURN_IF_ERROR(executor.run(index));
  }
  ZP_RETURN_IF_ERROR(fillScalars(executor, entries.entry(apply), scalars));
  ZP_RETURN_IF_ERROR(executor.run(apply));
  const double took = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (updates == 0)
    firstSeconds = took;
  if (updates >= steps.warmUp)
    timed.push_back(took);
  ++updates;
  return {};
}

StatusOr<BenchReport> BenchLoop::report() {
  ZP_ASSIGN_OR_RETURN(uint32_t apply, entries.longestEntry(fbs::EntryKind::ApplyGradients));
  BenchReport report;
  report.steps = timed.size();
  double metrics[5];
  ZP_RETURN_IF_ERROR(readDoubles(executor, entries.entry(apply), "metrics", metrics));
  report.loss = metrics[0];
  report.stepSeconds = median(timed);
  report.firstStepSeconds = firstSeconds;
  report.tokensPerStep = rows * length;
  ZP_ASSIGN_OR_RETURN(double flops, flopsPerToken(plan, length, entries.longestSource(fbs::EntryKind::TrainStep)));
  report.flopsPerStep = flops * report.tokensPerStep / communicator.size();
  std::array<double, 256> after = executor.secondsByOpcode();
#define ZP_PLAN_OP(Class, name, opcode, executor)                                                                                                    \
  if (after[opcode] > before[opcode])                                                                                                                \
    report.secondsByKind[#name] = (after[opcode] - before[opcode]) / static_cast<double>(report.steps);
#include "runtime/schema/generated/plan_ops.inc"
#undef ZP_PLAN_OP
  return report;
}

StatusOr<BenchReport> bench(BenchLoop &loop) {
  while (!loop.ended())
    ZP_RETURN_IF_ERROR(loop.step());
  return loop.report();
}

StatusOr<BenchComparison> benchInTurns(BenchLoop &plan, BenchLoop &against) {
  for (bool even = true; !plan.ended(); even = !even) {
    BenchLoop &first = even ? plan : against, &second = even ? against : plan; // neither is always the later one
    ZP_RETURN_IF_ERROR(first.step());
    ZP_RETURN_IF_ERROR(second.step());
  }
  BenchComparison comparison;
  ZP_ASSIGN_OR_RETURN(comparison.plan, plan.report());
  ZP_ASSIGN_OR_RETURN(comparison.against, against.report());
  std::vector<double> ratios;
  for (uint64_t turn = 0; turn < plan.seconds().size(); ++turn)
    ratios.push_back(plan.seconds()[turn] / against.seconds()[turn]);
  comparison.stepTimeRatio = median(ratios);
  return comparison;
}

} // namespace zp::rt
