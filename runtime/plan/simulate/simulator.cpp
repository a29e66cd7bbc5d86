#include "runtime/plan/simulate/simulator.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "runtime/base/atomic_file.h"
#include "runtime/base/trace_writer.h"

namespace zp::rt {
namespace {

/// The streams of one entry as they go on.
class Replay {
public:
  Replay(const Cluster &cluster, const PlanIndex &index, const fbs::Entry &entry)
      : cluster(cluster), index(index), list(*entry.instructions()), streams(index.plan.streams()), recorded(index.plan.events()) {
    for (uint32_t i = 0; i < list.size(); ++i)
      streams[list.Get(i)->stream()].instructions.push_back(i);
  }

  EntryTimeline run() {
    while (true) {
      takeNext();
      std::vector<Stream *> busy;
      double soonest = std::numeric_limits<double>::infinity();
      for (Stream &stream : streams)
        if (stream.running) {
          busy.push_back(&stream);
          soonest = std::min(soonest, stream.left);
        }
      if (busy.empty())
        return std::move(timeline);
      advance(busy, soonest, busy.size() > 1 ? cluster.overlap : 1);
    }
  }

private:
  struct Stream {
    std::vector<uint32_t> instructions;
    size_t next = 0;
    bool running = false;
    double left = 0, start = 0; // seconds alone, and since when
    Cost cost;
  };

  /// Every stream up to an instruction that takes time, or a wait that holds it. A stream that records may free another.
  void takeNext() {
    for (bool moved = true; moved;) {
      moved = false;
      for (Stream &stream : streams)
        while (!stream.running && stream.next < stream.instructions.size() && take(stream))
          moved = true;
    }
  }

  bool take(Stream &stream) {
    const fbs::Instruction &instruction = *list.Get(stream.instructions[stream.next]);
    if (const auto *wait = instruction.op_as_WaitEvent(); wait && !recorded[static_cast<size_t>(wait->event())])
      return false;
    if (const auto *record = instruction.op_as_RecordEvent())
      recorded[static_cast<size_t>(record->event())] = true;
    stream.cost = costOf(cluster, index, instruction);
    if (stream.cost.seconds > 0) {
      stream.running = true;
      stream.left = stream.cost.seconds;
      stream.start = timeline.seconds;
    } else {
      ++stream.next;
    }
    return true;
  }

  /// `work`: seconds alone that each busy stream gets done. The time goes to stream 0's instruction as far as that had the
  /// machine for itself, else to what it shares the machine with or waits for.
  void advance(const std::vector<Stream *> &busy, double work, double speed) {
    const double span = work / speed;
    const Stream &first = *busy.front();
    const Stream &other = busy.size() > 1 ? *busy[1] : first;
    timeline.secondsBy[static_cast<size_t>(first.cost.resource)] += work;
    timeline.secondsBy[static_cast<size_t>(other.cost.resource)] += span - work;
    timeline.seconds += span;
    for (Stream *stream : busy) {
      stream->left -= work;
      if (stream->left > 0)
        continue;
      stream->running = false;
      timeline.slices.push_back({stream->instructions[stream->next++], stream->start, timeline.seconds - stream->start});
    }
  }

  const Cluster &cluster;
  const PlanIndex &index;
  const flatbuffers::Vector<flatbuffers::Offset<fbs::Instruction>> &list;
  std::vector<Stream> streams;
  std::vector<bool> recorded;
  EntryTimeline timeline;
};

} // namespace

double Simulation::exposedSeconds() const {
  double seconds = 0;
  for (size_t r = 0; r < kResources; ++r)
    if (isTransfer(static_cast<Resource>(r)))
      seconds += secondsBy[r];
  return seconds;
}

Resource Simulation::bottleneck() const { return static_cast<Resource>(std::max_element(secondsBy.begin(), secondsBy.end()) - secondsBy.begin()); }

Simulation simulate(const Cluster &cluster, const PlanIndex &index) {
  Simulation simulation;
  for (auto [which, times] : index.update()) {
    const fbs::Entry &entry = *index.plan.entries()->Get(which);
    EntryTimeline timeline = Replay(cluster, index, entry).run();
    timeline.entry = which;
    timeline.times = times;
    const auto factor = static_cast<double>(times);
    simulation.stepSeconds += factor * timeline.seconds;
    for (size_t r = 0; r < kResources; ++r)
      simulation.secondsBy[r] += factor * timeline.secondsBy[r];
    if (entry.kind() == fbs::EntryKind::TrainStep)
      simulation.tokens += factor * entry.rows() * entry.length() * index.plan.ranks();
    simulation.entries.push_back(std::move(timeline));
  }
  return simulation;
}

Status writeTrace(const PlanIndex &index, const Simulation &simulation, const std::string &path) {
  TraceWriter trace;
  const uint32_t rank = trace.addProcess("any rank of " + std::to_string(index.plan.ranks()) + ", simulated"),
                 entries = trace.addTrack(rank, "entries");
  std::vector<uint32_t> streams;
  for (uint32_t s = 0; s < index.plan.streams(); ++s)
    streams.push_back(trace.addTrack(rank, "stream " + std::to_string(s)));
  double now = 0;
  for (const EntryTimeline &timeline : simulation.entries) {
    const fbs::Entry &entry = *index.plan.entries()->Get(timeline.entry);
    const std::string &name = index.entryNames[timeline.entry];
    trace.addSlice(entries, name, now, timeline.seconds, {{"times", static_cast<double>(timeline.times)}});
    for (const Slice &slice : timeline.slices) {
      const fbs::Instruction &instruction = *entry.instructions()->Get(slice.instruction);
      const std::string at = name + ":" + std::to_string(slice.instruction);
      trace.addSlice(streams[instruction.stream()], findSignature(instruction.op_type())->name, now + slice.start, slice.seconds,
                     {{"at", std::string_view(at)}});
    }
    now += timeline.seconds;
  }
  return writeFileAtomically(path, trace.json());
}

} // namespace zp::rt
