// What a run of any verb needs, checked before a rank is started, and the life of one rank.
#ifndef ZP_RUNTIME_TOOLS_ZPRUN_SESSION_H
#define ZP_RUNTIME_TOOLS_ZPRUN_SESSION_H

#include <memory>
#include <optional>

#include "runtime/executor/executor.h"
#include "runtime/generation/prompts.h"
#include "runtime/io/token_dataset.h"
#include "runtime/plan/plan_file.h"
#include "runtime/schema/settings.h"
#include "runtime/tools/zprun/options.h"
#include "runtime/trainer/resume.h"

namespace zp::rt {

class LastWords;

struct Session {
  ZprunOptions options;
  PlanFile file;
  JobSettings settings;
  std::optional<TokenDataset> dataset;
  GenerationSettings generation;
  Prompts prompts;                        ///< what generate continues
  std::optional<TokenDataset> evaluation; ///< rows that training evaluates
  std::optional<ResumePoint> resume;      ///< the checkpoint that training goes on from
  std::unique_ptr<Session> against;       ///< the plan that bench compares with

  const fbs::Plan &plan() const { return file.plan(); }
  bool trainsAdapter() const;
  bool runsOnCpu() const { return plan().target()->string_view() == "cpu"; }
  /// Bytes of one rank in this host's memory, also those of the plan that it is compared with: the spaces but for the disk's, and a
  /// GPU's own.
  uint64_t plannedBytes() const;
};

/// Loads the plan and the data; refuses another world size, files that don't fit, an output directory that can't be written
/// and a host with too little memory, and a checkpoint that can't be resumed. `world` is the number of ranks, `ranksHere` those
/// of this host; `first`: this process reads the checkpoint whole for the job, the others only look for it.
StatusOr<Session> openSession(const ZprunOptions &options, int world, int ranksHere, bool first);

/// One rank from its executor's creation to the verb's end; the exit code, which a signal that asked to stop makes another
/// than 0. A failure's last words are said before what may take long; those of a GPU that has failed are the process's end.
StatusOr<int> runRank(const Session &session, Communicator &communicator, LastWords &words);

} // namespace zp::rt

#endif // ZP_RUNTIME_TOOLS_ZPRUN_SESSION_H
