// The timeline of a run: when each instruction of each stream of each rank ran, in the form of `zpc simulate --trace`.
#ifndef ZP_RUNTIME_TRAINER_MEASURED_TRACE_H
#define ZP_RUNTIME_TRAINER_MEASURED_TRACE_H

#include <string>

#include "runtime/executor/executor.h"

namespace zp::fbs {
struct Plan;
}

namespace zp::rt {

/// Instructions of a stream that a traced run keeps: the last updates of a large model, all of a small one.
inline constexpr uint32_t kTracedSteps = 1u << 16;

/// Every rank calls it; rank 0 writes `path`. Times count from the first instruction that is still known, on the clock that the
/// ranks of a host share; those of other hosts are set by a barrier, to within its length. Errors: DiskWrite, DiskFull, PeerLost.
Status writeTrace(const std::string &path, const fbs::Plan &plan, Executor &executor, Communicator &communicator);

} // namespace zp::rt

#endif // ZP_RUNTIME_TRAINER_MEASURED_TRACE_H
