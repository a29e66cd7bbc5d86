#include "runtime/trainer/measured_trace.h"

#include <algorithm>
#include <vector>

#include "runtime/base/atomic_file.h"
#include "runtime/base/names.h"
#include "runtime/base/trace_writer.h"
#include "runtime/plan/op_signatures.h"
#include "runtime/plan/plan_checker.h"
#include "runtime/schema/plan_generated.h"

namespace zp::rt {
namespace {

/// The times of one rank, streams one after another: how many each has, then a whole number of times for all ranks alike.
struct RankTimes {
  std::vector<uint64_t> counts; // by stream
  std::vector<StepTime> steps;
};

/// Each rank's, on one clock. `moment` is when all were at one place.
StatusOr<std::vector<RankTimes>> gatherTimes(Executor &executor, Communicator &communicator) {
  ZP_RETURN_IF_ERROR(communicator.barrier());
  const int64_t moment = StepTimes::nanoseconds(StepTimes::Clock::now());
  StepTimes &times = executor.times();
  const auto ranks = static_cast<size_t>(communicator.size());
  RankTimes own;
  for (uint32_t stream = 0; stream < times.streams(); ++stream) {
    std::vector<StepTime> steps = times.of(stream);
    own.counts.push_back(steps.size());
    for (StepTime step : steps) {
      step.begin -= moment;
      step.end -= moment;
      own.steps.push_back(step);
    }
  }
  std::vector<uint64_t> counts(own.counts.size() * ranks);
  ZP_RETURN_IF_ERROR(communicator.allGather(own.counts.data(), counts.data(), own.counts.size() * sizeof(uint64_t)));
  std::vector<RankTimes> all(ranks);
  size_t most = 0;
  for (size_t rank = 0; rank < ranks; ++rank) {
    size_t sum = 0;
    for (size_t stream = 0; stream < own.counts.size(); ++stream) {
      all[rank].counts.push_back(counts[rank * own.counts.size() + stream]);
      sum += all[rank].counts.back();
    }
    all[rank].steps.resize(sum);
    most = std::max(most, sum);
  }
  own.steps.resize(most);
  std::vector<StepTime> steps(most * ranks);
  ZP_RETURN_IF_ERROR(communicator.allGather(own.steps.data(), steps.data(), most * sizeof(StepTime)));
  for (size_t rank = 0; rank < ranks; ++rank)
    std::copy_n(steps.begin() + static_cast<std::ptrdiff_t>(rank * most), all[rank].steps.size(), all[rank].steps.begin());
  return all;
}

void addStep(TraceWriter &trace, uint32_t track, const fbs::Plan &plan, const StepTime &step, int64_t origin) {
  const fbs::Entry &entry = *plan.entries()->Get(step.entry);
  const fbs::Instruction &instruction = *entry.instructions()->Get(step.instruction);
  const std::string at = snakeCase(fbs::EnumNameEntryKind(entry.kind())) + ":" + std::to_string(step.instruction);
  uint64_t bytes = 0;
  std::string_view buffer;
  if (instruction.operands())
    for (uint32_t index : *instruction.operands())
      if (index != kAbsent) {
        bytes += bytesOf(*plan.tensors()->Get(index));
        buffer = plan.buffers()->Get(plan.tensors()->Get(index)->buffer())->name()->string_view();
      }
  trace.addSlice(track, findSignature(instruction.op_type())->name, static_cast<double>(step.begin - origin) * 1e-9,
                 static_cast<double>(step.end - step.begin) * 1e-9,
                 {{"at", std::string_view(at)}, {"bytes", static_cast<double>(bytes)}, {"last_operand", buffer}});
}

} // namespace

Status writeTrace(const std::string &path, const fbs::Plan &plan, Executor &executor, Communicator &communicator) {
  ZP_ASSIGN_OR_RETURN(std::vector<RankTimes> ranks, gatherTimes(executor, communicator));
  if (communicator.rank() != 0)
    return {};
  int64_t origin = 0;
  for (const RankTimes &rank : ranks)
    for (const StepTime &step : rank.steps)
      origin = std::min(origin, step.begin);
  TraceWriter trace;
  for (size_t r = 0; r < ranks.size(); ++r) {
    uint32_t process = trace.addProcess("rank " + std::to_string(r));
    const StepTime *next = ranks[r].steps.data();
    for (size_t stream = 0; stream < ranks[r].counts.size(); ++stream) {
      uint32_t track = trace.addTrack(process, "stream " + std::to_string(stream));
      for (uint64_t i = 0; i < ranks[r].counts[stream]; ++i)
        addStep(trace, track, plan, *next++, origin);
    }
  }
  return writeFileAtomically(path, trace.json());
}

} // namespace zp::rt
