// What rank 0 prints at the end of each verb.
#ifndef ZP_RUNTIME_TOOLS_ZPRUN_REPORTS_H
#define ZP_RUNTIME_TOOLS_ZPRUN_REPORTS_H

#include "runtime/generation/generate.h"
#include "runtime/generation/generation_bench.h"
#include "runtime/plan/simulate/calibrate.h"
#include "runtime/tools/zprun/session.h"
#include "runtime/trainer/bench.h"
#include "runtime/trainer/evaluate.h"
#include "runtime/trainer/loop.h"
#include "runtime/trainer/matmul_rate.h"

namespace zp::rt {

/// The `peak:` line of each space, one line of JSON, and out/summary.json.
Status reportTraining(const Session &session, const Executor &executor, const Communicator &communicator, const LoopReport &report);
/// PEFT's line of trainable and all parameters. A parameter in 4 bits counts as one.
void reportParameters(const Session &session);
/// The guide's lines of memory in MiB, of a `stage` (train, eval): of the plan's device space, which is taken before and stays what
/// it is, and of this process.
void reportMemory(const Session &session, const char *stage, const ResidentBytes &resident);
/// Those of an epoch and the guide's line of its perplexity and loss.
void reportEpoch(const Session &session, const EpochReport &report);
void reportEvaluation(const EvaluateReport &report);
/// With --stream_tokens, what says each token by a line {"row": 0, "token": 5, "over": false}, all ranks of a host on one
/// standard output; rank 0 says {"prompts": 3} before. Else nothing.
TokenListener tokenLines(const Session &session, const Communicator &communicator);
/// The `peak:` lines and one of JSON; the notes on generation_config.json on stderr.
void reportGeneration(const Session &session, const Executor &executor, const GenerateReport &report);
/// What a program did before its first update.
struct Start {
  double initSeconds = 0; ///< the `init` entry: weights are read or drawn, states are made
  double otherSeconds = 0;
};
/// `attention`, `device_bytes`: DeviceFacts, null on a CPU.
void reportBench(const Session &session, const Executor &executor, const BenchReport &report, const MatmulRate &rate, const Start &start,
                 const Communicator &communicator);
/// Of a plan that generates.
void reportGenerationBench(const Session &session, const Executor &executor, const GenerationBenchReport &report, const Start &start,
                           const Communicator &communicator);
/// Of the session's plan and the one that it is compared with. `model_bound` and what it is measured by are null where the rate is none.
void reportComparison(const Session &session, const Executor &executor, const Executor &against, const BenchComparison &comparison,
                      const MatmulRate &rate, const MatmulRate &againstRate, const Communicator &communicator);
/// `--calibrate`'s file. Errors: DiskWrite, DiskFull.
Status writeCalibration(const Session &session, const InstructionTimes &times, int threads);
/// The plan's spaces, for --dry_run.
void reportPlan(const Session &session);

} // namespace zp::rt

#endif // ZP_RUNTIME_TOOLS_ZPRUN_REPORTS_H
