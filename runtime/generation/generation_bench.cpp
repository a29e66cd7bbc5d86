#include "runtime/generation/generation_bench.h"

#include <algorithm>
#include <chrono>

#include "runtime/base/median.h"
#include "runtime/generation/generate.h"
#include "runtime/generation/generating_plan.h"
#include "runtime/io/synthetic_weights.h"
#include "runtime/schema/plan_generated.h"

namespace zp::rt {

namespace {

constexpr uint64_t kMostNewTokens = 64; // a round then is long enough to be timed, and a run has an end

/// Drawn, of a vocabulary; the same on all ranks.
Prompts drawPrompts(uint64_t count, uint64_t length, uint32_t vocabulary) {
  Prompts prompts;
  prompts.start = 0;
  uint64_t drawn = 0;
  for (uint64_t row = 0; row < count; ++row)
    for (std::vector<int32_t> &tokens = prompts.rows.emplace_back(); tokens.size() < length;)
      tokens.push_back(static_cast<int32_t>(mixedBits(drawn++) % vocabulary));
  return prompts;
}

} // namespace

StatusOr<GenerationBenchReport> benchGeneration(const fbs::Plan &plan, Executor &executor, Communicator &communicator, BenchSteps steps) {
  using Clock = std::chrono::steady_clock;
  ZP_ASSIGN_OR_RETURN(GeneratingPlan entries, GeneratingPlan::open(plan, executor));
  const uint64_t read = entries.encode ? entries.encode->length : entries.prefill->length;
  const uint64_t given = entries.encode ? 1 : std::min(read, entries.places - 1); // of the cache
  GenerationBenchReport report;
  report.prompts = entries.prompts() * static_cast<uint64_t>(communicator.size());
  report.promptTokens = entries.encode ? read : given;
  report.newTokens = std::min(kMostNewTokens, entries.places - given);
  const Prompts prompts = drawPrompts(report.prompts, report.promptTokens, plan.vocab_size());
  GenerationSettings settings;
  settings.max_new_tokens = report.newTokens;
  std::vector<double> rounds, firsts;
  for (uint64_t round = 0; round < steps.warmUp + steps.timed; ++round) {
    ZP_RETURN_IF_ERROR(communicator.barrier());
    const Clock::time_point began = Clock::now();
    Clock::time_point first = began;
    uint64_t heard = 0;
    ZP_ASSIGN_OR_RETURN(GenerateReport one, generate(plan, prompts, settings, executor, communicator, [&](uint64_t, int32_t, bool) {
                          if (++heard == entries.prompts()) // a token of each, before any has a second one
                            first = Clock::now();
                        }));
    if (round < steps.warmUp)
      continue;
    rounds.push_back(one.seconds);
    firsts.push_back(std::chrono::duration<double>(first - began).count());
  }
  report.seconds = median(rounds);
  report.firstSeconds = median(firsts);
  report.rounds = rounds.size();
  return report;
}

} // namespace zp::rt
