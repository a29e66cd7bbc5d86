// Who last wrote and who has read each byte of an arena, under a partial order of streams. A tool of schedule_verifier.
#ifndef ZP_RUNTIME_PLAN_BYTE_HISTORY_H
#define ZP_RUNTIME_PLAN_BYTE_HISTORY_H

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>

#include "runtime/plan/plan_checker.h"

namespace zp::rt {

/// clock[s]: how many instructions of stream s are known to be over.
using VectorClock = std::array<uint32_t, kMostStreams>;

/// Before any instruction: the host, or an earlier entry.
inline constexpr uint32_t kBeforeEntry = 0xffffffff;

/// One access: instruction `instruction` of the list, the `tick`-th of its stream, which has seen `clock` (itself included).
struct AccessPoint {
  uint32_t instruction = kBeforeEntry;
  uint32_t stream = 0;
  uint32_t tick = 0;
  const VectorClock *clock = nullptr;
};

enum class Conflict : uint8_t {
  None,
  Unwritten,      ///< reads bytes that nobody has written
  OtherBuffer,    ///< reads bytes that were written through another buffer
  UnorderedWrite, ///< no event orders it after the last write
  UnorderedRead,  ///< writes what another stream may still be reading
  SameInstruction ///< writes bytes that the same instruction uses through another buffer
};

struct Finding {
  Conflict conflict = Conflict::None;
  uint64_t at = 0; ///< the first byte
  uint32_t otherBuffer = 0;
  uint32_t otherInstruction = kBeforeEntry; ///< the writer, where there is one
};

class ByteHistory {
public:
  struct Segment {
    uint64_t end;
    uint32_t buffer;
    AccessPoint writer;  ///< its clock isn't kept
    VectorClock reads{}; ///< per stream, the tick of its last read since the write; 0: none
  };

  Finding read(uint64_t begin, uint64_t end, uint32_t buffer, const AccessPoint &by);
  Finding write(uint64_t begin, uint64_t end, uint32_t buffer, const AccessPoint &by);

  /// Calls f(begin, end, segment) for the parts of [begin, end) that have been written.
  template <typename F> void forEach(uint64_t begin, uint64_t end, F &&f) const {
    auto it = segments.upper_bound(begin);
    if (it != segments.begin())
      --it;
    for (; it != segments.end() && it->first < end; ++it)
      if (it->second.end > begin)
        f(std::max(begin, it->first), std::min(end, it->second.end), it->second);
  }

private:
  std::map<uint64_t, Segment>::iterator splitAt(uint64_t at);
  std::map<uint64_t, Segment> segments; // by first byte; disjoint
};

} // namespace zp::rt

#endif // ZP_RUNTIME_PLAN_BYTE_HISTORY_H
