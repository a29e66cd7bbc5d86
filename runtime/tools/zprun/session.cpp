#include "runtime/tools/zprun/session.h"

#include <algorithm>

#include "runtime/base/atomic_file.h"
#include "runtime/executor/resolve.h"
#include "runtime/generation/generate.h"
#include "runtime/generation/generating_plan.h"
#include "runtime/io/checkpoint_directory.h"
#include "runtime/io/model_weights.h"
#include "runtime/memory/host_memory.h"
#include "runtime/schema/run_rules.h"
#include "runtime/trainer/plan_entries.h"
#include "runtime/trainer/plan_settings.h"
#include "runtime/trainer/run_length.h"

namespace zp::rt {

bool Session::trainsAdapter() const { return plan().adapter_config() && plan().adapter_config()->size() > 0; }

uint64_t Session::plannedBytes() const {
  uint64_t bytes = against ? against->plannedBytes() : 0;
  if (plan().spaces())
    for (const fbs::Space *space : *plan().spaces())
      if (space->tier() != fbs::Tier::Disk && (runsOnCpu() || space->tier() != fbs::Tier::Device))
        bytes += space->bytes();
  return bytes;
}

static Status checkWorld(const fbs::Plan &plan, const ZprunOptions &options, int world) {
  if (static_cast<int>(plan.ranks()) == world)
    return {};
  std::string ranks = std::to_string(plan.ranks()), here = std::to_string(world);
  return Status(ErrorCode::WorldSize, options.plan + ": was compiled for " + ranks + " ranks, this job has " + here + "; rerun with -n " + ranks +
                                          " or import again with --num_processes " + here);
}

/// A loss is a mean over counted labels.
static Status checkCounted(const TokenDataset &rows, const std::string &path) {
  for (uint64_t row = 0; row < rows.rows(); ++row)
    if (rows.row(row).countedLabels > 0)
      return {};
  return Status(ErrorCode::Dataset, path + ": labels: none of " + std::to_string(rows.rows()) +
                                        " rows has one that counts (not -100, after the first token), expected some to learn from; see them"
                                        " with zpdata show, and make the file with a longer --max_length or without --completion_only_loss");
}

static Status trainsNothing(const std::string &plan) {
  return Status(ErrorCode::Config, plan + ": generates and trains nothing, expected a plan that trains; import again without --generate");
}

/// A plan either trains or generates. Either is timed, but only training beside another, and to calibrate a machine.
static Status checkPurpose(const Session &session) {
  const ZprunOptions &options = session.options;
  const bool generates = session.settings.generate;
  if (options.verb == Verb::Generate && !generates)
    return Status(ErrorCode::Config, options.plan + ": trains, expected a plan that generates; import again with --generate true");
  const bool either = options.verb == Verb::Generate || (options.verb == Verb::Bench && options.against.empty() && options.calibrate.empty());
  return generates && !either ? trainsNothing(options.plan) : Status();
}

/// What is on standard output already stays there.
static Status checkStream(const Session &session) {
  auto wrong = [](const std::string &what) { return Status(ErrorCode::Config, "--stream_tokens: is true " + what); };
  if (!session.options.streamTokens)
    return {};
  if (const uint64_t beams = session.generation.num_beams; beams > 1)
    return wrong("with " + std::to_string(beams) +
                 " beams, whose best text is known at its end, expected one; give --num_beams 1, "
                 "or drop the flag");
  if (session.options.reportMemory)
    return wrong("beside --report_memory, whose lines go where tokens go, expected one of them; drop one");
  return {};
}

static Status openData(Session &session) {
  const ZprunOptions &options = session.options;
  if (options.verb == Verb::Generate) {
    ZP_ASSIGN_OR_RETURN(session.generation, readGenerationSettings(options.model, options.generation));
    const uint64_t source = sourceLengthOf(session.plan());
    // A decoder alone has its prompt in the cache, and a place behind it.
    const PromptRoom room{source ? source : static_cast<uint64_t>(session.settings.max_length) - 1, source > 0};
    ZP_ASSIGN_OR_RETURN(session.prompts, readPrompts(options.prompts, session.plan().vocab_size(), room));
    ZP_RETURN_IF_ERROR(checkGeneration(session.file.path(), session.plan(), session.generation, session.prompts));
    ZP_RETURN_IF_ERROR(checkStream(session));
  } else {
    fbs::EntryKind kind = options.verb == Verb::Train ? fbs::EntryKind::TrainStep : fbs::EntryKind::Evaluate;
    PlanEntries entries(session.plan());
    ZP_ASSIGN_OR_RETURN(TokenDataset dataset,
                        TokenDataset::open(options.dataset, entries.longest(kind), session.plan().vocab_size(), entries.longestSource(kind)));
    session.dataset = std::move(dataset);
  }
  return ModelWeights::open(options.model).status(); // its tensors are checked when sections load
}

static Status checkMemory(const Session &session, int ranksHere) {
  uint64_t planned = session.plannedBytes() * static_cast<uint64_t>(ranksHere);
  const uint64_t reserved = session.plan().reserve_bytes() + (session.against ? session.against->plan().reserve_bytes() : 0);
  uint64_t needed = planned + reserved * static_cast<uint64_t>(ranksHere), available = availableHostBytes();
  if (needed <= available)
    return {};
  return Status(ErrorCode::HostMemory, session.file.path() + ": needs " + std::to_string(needed) + " bytes for " + std::to_string(ranksHere) +
                                           " ranks here (" + std::to_string(planned) + " of them planned), expected at most the " +
                                           std::to_string(available) +
                                           " that this host can give; use fewer ranks a host, a smaller batch or --zero_stage 3");
}

/// The rows that training evaluates, if it does.
static Status openEvaluation(Session &session) {
  const ZprunOptions &options = session.options;
  const bool between = session.settings.eval_strategy != "no";
  if (!between && !session.settings.eval_on_start)
    return {};
  const std::string flag = between ? "eval_strategy" : "eval_on_start", no = between ? "no" : "false";
  if (options.evalDataset.empty())
    return Status(ErrorCode::Config, "--" + flag + ": is " + (between ? session.settings.eval_strategy : "true") +
                                         " without rows to evaluate, expected a token file; add --eval_dataset FILE, or set --" + flag + " " + no);
  PlanEntries entries(session.plan());
  ZP_RETURN_IF_ERROR(entries.longestEntry(fbs::EntryKind::Evaluate).status());
  ZP_ASSIGN_OR_RETURN(TokenDataset rows, TokenDataset::open(options.evalDataset, entries.longest(fbs::EntryKind::Evaluate),
                                                            session.plan().vocab_size(), entries.longestSource(fbs::EntryKind::Evaluate)));
  ZP_RETURN_IF_ERROR(checkCounted(rows, options.evalDataset));
  session.evaluation = std::move(rows);
  return {};
}

/// Flags before the plan's settings.
static Status checkTraining(Session &session, int world) {
  session.options.run.over(session.settings);
  ZP_RETURN_IF_ERROR(verifyRunSettings(session.settings));
  ZP_RETURN_IF_ERROR(updatesInAll(session.settings, *session.dataset, world).status());
  ZP_RETURN_IF_ERROR(checkCounted(*session.dataset, session.options.dataset));
  return openEvaluation(session);
}

static Status openResume(Session &session, bool first) {
  const ZprunOptions &options = session.options;
  restoreReplaced(options.outputDirectory);
  CheckpointIdentity run;
  if (first) {
    ZP_ASSIGN_OR_RETURN(run, identityOf(session.plan(), session.settings, *session.dataset, options.model));
  }
  ZP_ASSIGN_OR_RETURN(ResumePoint point, openResumePoint(options.resume, options.outputDirectory, session.plan(), first ? &run : nullptr, first));
  session.resume = std::move(point);
  return {};
}

StatusOr<Session> openSession(const ZprunOptions &options, int world, int ranksHere, bool first) {
  ZP_ASSIGN_OR_RETURN(PlanFile file, PlanFile::load(options.plan));
  Session session{options, std::move(file), {}, {}, {}, {}, {}, {}, {}};
  ZP_ASSIGN_OR_RETURN(session.settings, settingsOf(session.plan()));
  ZP_RETURN_IF_ERROR(checkInstructions(session.file));
  ZP_RETURN_IF_ERROR(checkWorld(session.plan(), options, world));
  if (Status sound = verifyUpdateSize(session.settings, static_cast<uint64_t>(world)); !sound.ok())
    return Status(sound.code(), options.plan + ": settings: " + sound.message());
  ZP_RETURN_IF_ERROR(checkPurpose(session));
  if (options.verb != Verb::Bench)
    ZP_RETURN_IF_ERROR(openData(session));
  if (options.verb == Verb::Train)
    ZP_RETURN_IF_ERROR(checkTraining(session, world));
  if (options.verb == Verb::Train && !options.resume.empty())
    ZP_RETURN_IF_ERROR(openResume(session, first));
  if (options.verb == Verb::Train && !options.dryRun)
    ZP_RETURN_IF_ERROR(makeWritableDirectory(options.outputDirectory));
  if (first && !options.trace.empty())
    ZP_RETURN_IF_ERROR(checkWritable(options.trace)); // the file is written at the end
  if (!options.against.empty()) {
    ZprunOptions other = options;
    other.plan = options.against;
    other.against.clear();
    ZP_ASSIGN_OR_RETURN(Session against, openSession(other, world, ranksHere, first));
    if (against.settings.generate)
      return trainsNothing(other.plan);
    session.against = std::make_unique<Session>(std::move(against));
  }
  ZP_RETURN_IF_ERROR(checkMemory(session, ranksHere));
  return session;
}

} // namespace zp::rt
