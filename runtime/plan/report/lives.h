// When the buffers of an entry hold something, from the plan alone: what the planner thought of it is not asked.
#ifndef ZP_RUNTIME_PLAN_REPORT_LIVES_H
#define ZP_RUNTIME_PLAN_REPORT_LIVES_H

#include <cstdint>
#include <vector>

#include "runtime/schema/plan_generated.h"

namespace zp::rt {

/// Positions of instructions, both included.
struct Life {
  uint32_t buffer;
  uint32_t first, last;
};

/// The lives of an entry's transient buffers, in the order of their indices. A buffer lives from the first instruction that
/// touches it to the last; one that another stream than 0 touches, until stream 0 has awaited an event behind that. Inputs
/// live from the entry's start, outputs to its end.
std::vector<Life> livesOf(const fbs::Plan &plan, const fbs::Entry &entry);

/// Of each instruction, the position from which on stream 0 knows that it is over: its own on stream 0, else a wait's; the
/// number of instructions where only the entry's end tells.
std::vector<uint32_t> knownOver(const fbs::Entry &entry);

} // namespace zp::rt

#endif // ZP_RUNTIME_PLAN_REPORT_LIVES_H
