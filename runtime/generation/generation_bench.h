// Times how a plan continues prompts, with weights and tokens drawn from a seed.
#ifndef ZP_RUNTIME_GENERATION_GENERATION_BENCH_H
#define ZP_RUNTIME_GENERATION_GENERATION_BENCH_H

#include "runtime/executor/executor.h"
#include "runtime/trainer/bench.h"

namespace zp::rt {

/// Medians of the timed rounds. A round continues as many prompts as all ranks hold at once, each of as many tokens as are read at once, by
/// `newTokens` tokens, the most probable each time.
struct GenerationBenchReport {
  double seconds = 0;
  double firstSeconds = 0;                               ///< until every prompt of this rank has its first new token
  uint64_t prompts = 0, promptTokens = 0, newTokens = 0; ///< of all ranks, of a prompt, of a prompt
  uint64_t rounds = 0;

  double newTokensPerSecond() const { return static_cast<double>(prompts * newTokens) / seconds; }
  /// Once every prompt has been read.
  double decodedTokensPerSecond() const { return static_cast<double>(prompts * (newTokens - 1)) / (seconds - firstSeconds); }
};

/// Every rank calls it after `init`. NonFinite: logits that aren't numbers.
StatusOr<GenerationBenchReport> benchGeneration(const fbs::Plan &plan, Executor &executor, Communicator &communicator, BenchSteps steps);

} // namespace zp::rt

#endif // ZP_RUNTIME_GENERATION_GENERATION_BENCH_H
