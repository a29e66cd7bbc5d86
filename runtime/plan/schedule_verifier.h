// A proof that a plan's instruction lists may run as they stand. It knows nothing of how the compiler places buffers: it
// follows the bytes.
//
// Contract. The plan has passed verifyPlan. Each entry is simulated in list order with a vector clock per stream
// (record_event and wait_event order streams). Proved of every entry:
//   S1 each event is recorded once and then awaited once;
//   S2 what an instruction reads was written through the same buffer, and no write through another buffer of the same
//      arena came between: live buffers never overlap. Bytes that nobody wrote are never read;
//   S3 accesses to the same bytes on different streams, of which one writes, are ordered by events;
//   S4 collectives are on one stream, so that all ranks issue them in one order; load_section is on stream 0;
//   S5 the outputs hold what their own buffers were last given.
// And of the whole: S6 persistent buffers overlap nothing; S7 persistent bytes that are read are written by some entry, in
// `init` before they are read there. (S8, that the lists in their order compute what the compiler meant, is the frame's: plan_file.h.)
// Inputs count as written by the host before the entry begins; an entry ends when all its streams have ended.
#ifndef ZP_RUNTIME_PLAN_SCHEDULE_VERIFIER_H
#define ZP_RUNTIME_PLAN_SCHEDULE_VERIFIER_H

#include <string>

#include "runtime/base/status.h"
#include "runtime/schema/plan_generated.h"

namespace zp::rt {

Status verifySchedule(const fbs::Plan &plan, const std::string &name);

} // namespace zp::rt

#endif // ZP_RUNTIME_PLAN_SCHEDULE_VERIFIER_H
