#include "runtime/plan/schedule_verifier.h"

#include <algorithm>
#include <array>
#include <optional>
#include <unordered_map>
#include <vector>

#include "runtime/plan/byte_history.h"

namespace zp::rt {
namespace {

constexpr size_t kTiers = static_cast<size_t>(fbs::Tier::MAX) + 1;
using Ranges = std::vector<std::pair<uint64_t, uint64_t>>;

/// A tensor as bytes of an arena.
struct Window {
  size_t tier;
  uint64_t begin, end;
  uint32_t buffer;
};

class ScheduleVerifier {
public:
  ScheduleVerifier(const fbs::Plan &plan, const std::string &file) : plan(plan), file(file) {}

  Status verify() {
    ZP_RETURN_IF_ERROR(verifyPersistent());
    for (flatbuffers::uoffset_t i = 0; i < plan.entries()->size(); ++i)
      ZP_RETURN_IF_ERROR(verifyEntry(indexed("entries", i), *plan.entries()->Get(i)));
    return verifyGiven();
  }

private:
  Status fail(const std::string &place, const std::string &text) const { return planError(file, place, text); }
  const fbs::Buffer &bufferAt(uint32_t index) const { return *plan.buffers()->Get(index); }
  std::string nameOf(uint32_t buffer) const { return bufferAt(buffer).name()->str(); }
  Window windowOf(uint32_t tensorIndex) const {
    const fbs::Tensor &tensor = *plan.tensors()->Get(tensorIndex);
    const fbs::Buffer &buffer = bufferAt(tensor.buffer());
    uint64_t begin = buffer.offset() + tensor.offset();
    return {static_cast<size_t>(buffer.tier()), begin, begin + bytesOf(tensor), tensor.buffer()};
  }

  Status verifyPersistent() const;
  Status verifyEntry(const std::string &place, const fbs::Entry &entry);
  Status verifyGiven() const;
  Status explain(const std::string &place, const char *doing, const Window &window, const Finding &finding) const;

  const fbs::Plan &plan;
  const std::string &file;
  // Persistent bytes: read as an earlier entry left them, and written by any entry or by the host. (S7)
  std::array<Ranges, kTiers> needed, given;
};

// S6
Status ScheduleVerifier::verifyPersistent() const {
  struct Extent {
    uint64_t begin, end;
    uint32_t buffer;
    bool operator<(const Extent &other) const { return begin < other.begin; }
  };
  for (size_t tier = 0; tier < kTiers; ++tier) {
    std::vector<Extent> extents;
    for (uint32_t i = 0; i < plan.buffers()->size(); ++i)
      if (static_cast<size_t>(bufferAt(i).tier()) == tier)
        extents.push_back({bufferAt(i).offset(), bufferAt(i).offset() + bufferAt(i).bytes(), i});
    std::sort(extents.begin(), extents.end());
    // The furthest ends so far, of all buffers and of the persistent ones.
    const Extent *all = nullptr, *persistent = nullptr;
    for (const Extent &extent : extents) {
      bool lasting = bufferAt(extent.buffer).persistent();
      const Extent *other = lasting ? all : persistent;
      if (other && other->end > extent.begin)
        return fail(indexed("buffers", extent.buffer) + " (" + nameOf(extent.buffer) + ")",
                    "overlaps " + indexed("buffers", other->buffer) + " (" + nameOf(other->buffer) +
                        "), expected persistent buffers apart from all others");
      if (!all || extent.end > all->end)
        all = &extent;
      if (lasting && (!persistent || extent.end > persistent->end))
        persistent = &extent;
    }
  }
  return {};
}

Status ScheduleVerifier::explain(const std::string &place, const char *doing, const Window &window, const Finding &finding) const {
  std::string what =
      std::string(doing) + " buffer " + nameOf(window.buffer) + " at byte " + std::to_string(finding.at - bufferAt(window.buffer).offset());
  std::string other =
      finding.otherInstruction == kBeforeEntry ? std::string("the host or an earlier entry") : indexed("instructions", finding.otherInstruction);
  switch (finding.conflict) {
  case Conflict::None:
    return {};
  case Conflict::Unwritten:
    return fail(place, what + " that nobody has written, expected a write before it");
  case Conflict::OtherBuffer:
    return fail(place, what + " that " + other + " wrote through buffer " + nameOf(finding.otherBuffer) + ", expected live buffers apart");
  case Conflict::UnorderedWrite:
    return fail(place, what + " that " + other + " writes through buffer " + nameOf(finding.otherBuffer) +
                           " on another stream, expected an event between them");
  case Conflict::UnorderedRead:
    return fail(place,
                what + " that another stream may still read through buffer " + nameOf(finding.otherBuffer) + ", expected an event between them");
  case Conflict::SameInstruction:
    return fail(place, what + " that it uses through buffer " + nameOf(finding.otherBuffer) + " too, expected operands apart");
  }
  return {};
}

Status ScheduleVerifier::verifyEntry(const std::string &entryPlace, const fbs::Entry &entry) {
  std::array<ByteHistory, kTiers> history;
  std::array<VectorClock, kMostStreams> clocks{};
  const VectorClock start{};
  const AccessPoint host{kBeforeEntry, 0, 0, &start};

  if (entry.kind() != fbs::EntryKind::Init)
    for (uint32_t i = 0; i < plan.buffers()->size(); ++i) {
      const fbs::Buffer &buffer = bufferAt(i);
      if (buffer.persistent())
        (void)history[static_cast<size_t>(buffer.tier())].write(buffer.offset(), buffer.offset() + buffer.bytes(), i, host);
    }
  Ranges hostGiven[kTiers];
  for (const fbs::NamedTensor *input : *entry.inputs()) {
    Window window = windowOf(input->tensor());
    (void)history[window.tier].write(window.begin, window.end, window.buffer, host);
    if (bufferAt(window.buffer).persistent())
      given[window.tier].push_back({window.begin, window.end});
    hostGiven[window.tier].push_back({window.begin, window.end});
  }
  auto isInput = [&](size_t tier, uint64_t begin, uint64_t end) {
    return std::any_of(hostGiven[tier].begin(), hostGiven[tier].end(), [&](auto &range) { return range.first <= begin && end <= range.second; });
  };
  /// Remembers persistent bytes that come from before the entry. (S7)
  auto noteNeeded = [&](const Window &window) {
    if (!bufferAt(window.buffer).persistent())
      return;
    history[window.tier].forEach(window.begin, window.end, [&](uint64_t begin, uint64_t end, const ByteHistory::Segment &segment) {
      if (segment.writer.instruction == kBeforeEntry && !isInput(window.tier, begin, end))
        needed[window.tier].push_back({begin, end});
    });
  };

  std::unordered_map<int64_t, VectorClock> recorded;
  std::unordered_map<int64_t, bool> awaited;
  std::optional<uint32_t> engineStream;
  for (uint32_t index = 0; index < entry.instructions()->size(); ++index) {
    const fbs::Instruction &instruction = *entry.instructions()->Get(index);
    const OpSignature &op = *findSignature(instruction.op_type());
    uint32_t stream = instruction.stream();
    auto place = [&] { return entryPlace + "." + indexed("instructions", index) + " (" + op.name + ")"; };
    VectorClock &clock = clocks[stream];
    AccessPoint by{index, stream, ++clock[stream], &clock};

    if (const auto *record = instruction.op_as_RecordEvent()) { // S1
      if (!recorded.emplace(record->event(), clock).second)
        return fail(place(), "records event " + std::to_string(record->event()) + " again, expected each once in an entry");
    } else if (const auto *wait = instruction.op_as_WaitEvent()) {
      auto it = recorded.find(wait->event());
      if (it == recorded.end())
        return fail(place(), "awaits event " + std::to_string(wait->event()) + " that no instruction before it records, expected a record_event");
      if (!awaited.emplace(wait->event(), true).second)
        return fail(place(), "awaits event " + std::to_string(wait->event()) + " again, expected each once in an entry");
      for (uint32_t s = 0; s < kMostStreams; ++s)
        clock[s] = std::max(clock[s], it->second[s]);
    }
    if (op.executor == OpExecutor::Engine) { // S4
      if (engineStream && *engineStream != stream)
        return fail(place(),
                    "is on stream " + std::to_string(stream) + ", expected all collectives of an entry on stream " + std::to_string(*engineStream));
      engineStream = stream;
    }
    if (op.executor == OpExecutor::Loader && stream != 0)
      return fail(place(), "is on stream " + std::to_string(stream) + ", expected stream 0");

    for (bool writing : {false, true}) // S2, S3: an instruction reads before it writes
      for (size_t i = 0; i < op.operands.size(); ++i) {
        uint32_t tensor = instruction.operands()->Get(static_cast<flatbuffers::uoffset_t>(i));
        Access access = accessOf(instruction, op, i);
        if (tensor == kAbsent || !(writing ? access.writes : access.reads))
          continue;
        Window window = windowOf(tensor);
        Finding finding = writing ? history[window.tier].write(window.begin, window.end, window.buffer, by)
                                  : history[window.tier].read(window.begin, window.end, window.buffer, by);
        if (finding.conflict != Conflict::None)
          return explain(place(), writing ? "writes" : "reads", window, finding);
        if (!writing)
          noteNeeded(window);
        else if (bufferAt(window.buffer).persistent())
          given[window.tier].push_back({window.begin, window.end});
      }
  }
  if (recorded.size() != awaited.size())
    for (const auto &[event, clock] : recorded)
      if (!awaited.count(event))
        return fail(entryPlace, "records event " + std::to_string(event) + " that nobody awaits, expected a wait_event");

  VectorClock end{}; // all streams have ended
  for (uint32_t s = 0; s < kMostStreams; ++s)
    end[s] = clocks[s][s];
  for (const fbs::NamedTensor *output : *entry.outputs()) { // S5
    Window window = windowOf(output->tensor());
    Finding finding = history[window.tier].read(window.begin, window.end, window.buffer, {kBeforeEntry, 0, 0, &end});
    if (finding.conflict != Conflict::None)
      return explain(entryPlace + ".outputs (" + output->name()->str() + ")", "takes", window, finding);
    noteNeeded(window);
  }
  return {};
}

// S7
Status ScheduleVerifier::verifyGiven() const {
  for (size_t tier = 0; tier < kTiers; ++tier) {
    Ranges written = given[tier], merged;
    std::sort(written.begin(), written.end());
    for (const auto &range : written)
      if (!merged.empty() && range.first <= merged.back().second)
        merged.back().second = std::max(merged.back().second, range.second);
      else
        merged.push_back(range);
    for (const auto &range : needed[tier]) {
      auto it = std::upper_bound(merged.begin(), merged.end(), range, [](auto &a, auto &b) { return a.first < b.first; });
      if (it != merged.begin() && std::prev(it)->second >= range.second)
        continue;
      for (uint32_t i = 0; i < plan.buffers()->size(); ++i)
        if (static_cast<size_t>(bufferAt(i).tier()) == tier && bufferAt(i).offset() <= range.first &&
            range.first < bufferAt(i).offset() + bufferAt(i).bytes())
          return fail(indexed("buffers", i) + " (" + nameOf(i) + ")",
                      "is read across entries at bytes [" + std::to_string(range.first - bufferAt(i).offset()) + ", " +
                          std::to_string(range.second - bufferAt(i).offset()) + ") that no entry writes, expected init to write them");
    }
  }
  return {};
}

} // namespace

Status verifySchedule(const fbs::Plan &plan, const std::string &name) { return ScheduleVerifier(plan, name).verify(); }

} // namespace zp::rt
