#include "runtime/plan/byte_history.h"

namespace zp::rt {

/// Makes `at` a border between segments; the first segment that begins at or after it.
std::map<uint64_t, ByteHistory::Segment>::iterator ByteHistory::splitAt(uint64_t at) {
  auto it = segments.lower_bound(at);
  if (it == segments.begin())
    return it;
  auto before = std::prev(it);
  if (before->second.end <= at)
    return it;
  Segment tail = before->second;
  before->second.end = at;
  return segments.emplace_hint(it, at, tail);
}

static bool isBefore(const AccessPoint &earlier, const AccessPoint &later) { return (*later.clock)[earlier.stream] >= earlier.tick; }

Finding ByteHistory::read(uint64_t begin, uint64_t end, uint32_t buffer, const AccessPoint &by) {
  auto it = splitAt(begin);
  splitAt(end);
  it = segments.lower_bound(begin);
  uint64_t at = begin;
  for (; it != segments.end() && it->first < end; ++it) {
    Segment &segment = it->second;
    if (it->first != at)
      break;
    if (segment.buffer != buffer)
      return {Conflict::OtherBuffer, at, segment.buffer, segment.writer.instruction};
    if (!isBefore(segment.writer, by))
      return {Conflict::UnorderedWrite, at, segment.buffer, segment.writer.instruction};
    segment.reads[by.stream] = by.tick;
    at = segment.end;
  }
  return at < end ? Finding{Conflict::Unwritten, at, buffer, kBeforeEntry} : Finding{};
}

Finding ByteHistory::write(uint64_t begin, uint64_t end, uint32_t buffer, const AccessPoint &by) {
  splitAt(begin);
  splitAt(end);
  auto first = segments.lower_bound(begin), it = first;
  for (; it != segments.end() && it->first < end; ++it) {
    const Segment &segment = it->second;
    Finding other{Conflict::None, it->first, segment.buffer, segment.writer.instruction};
    bool usedHere = segment.writer.instruction == by.instruction || segment.reads[by.stream] == by.tick;
    if (segment.buffer != buffer && by.tick != 0 && usedHere) {
      other.conflict = Conflict::SameInstruction;
      return other;
    }
    if (!isBefore(segment.writer, by)) {
      other.conflict = Conflict::UnorderedWrite;
      return other;
    }
    for (uint32_t stream = 0; stream < kMostStreams; ++stream)
      if (segment.reads[stream] > (*by.clock)[stream]) {
        other.conflict = Conflict::UnorderedRead;
        return other;
      }
  }
  segments.erase(first, it);
  AccessPoint writer = by;
  writer.clock = nullptr;
  segments.emplace(begin, Segment{end, buffer, writer, {}});
  return {};
}

} // namespace zp::rt
