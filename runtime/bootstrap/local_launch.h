// `-n N`: the ranks of one host, as children of this process.
#ifndef ZP_RUNTIME_BOOTSTRAP_LOCAL_LAUNCH_H
#define ZP_RUNTIME_BOOTSTRAP_LOCAL_LAUNCH_H

#include <functional>
#include <memory>

#include "runtime/collective/communicator.h"

namespace zp::rt {

/// What a rank does; its result is the process's exit code.
using RankBody = std::function<int(std::unique_ptr<Communicator>)>;

/// Runs `body` on `ranks` ranks and returns when all have ended. One rank runs in this process; more are forked, so this
/// must be called before the process has any thread. Result: 0, or the exit code of the first rank that failed, one that
/// failed by itself before one that only lost its peer; the code of PeerLost when a signal ended it. When one fails, the
/// others learn it at their next collective; whoever is still there after some seconds is killed. SIGINT, SIGTERM, SIGHUP,
/// SIGUSR1 and SIGUSR2 that are sent to this process are passed on. Ranks end with their parent.
int launchLocal(int ranks, const RankBody &body);

} // namespace zp::rt

#endif // ZP_RUNTIME_BOOTSTRAP_LOCAL_LAUNCH_H
