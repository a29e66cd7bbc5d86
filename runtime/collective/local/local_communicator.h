// Ranks of one host as processes that share memory. Data travels through two slots a rank, a piece at a time: everyone fills
// a slot, all meet, everyone reads the others' slots while the next piece goes into the other slot.
#ifndef ZP_RUNTIME_COLLECTIVE_LOCAL_LOCAL_COMMUNICATOR_H
#define ZP_RUNTIME_COLLECTIVE_LOCAL_LOCAL_COMMUNICATOR_H

#include <memory>

#include "runtime/collective/communicator.h"
#include "runtime/collective/local/segment.h"

namespace zp::rt {

/// Waits until all ranks have come, `timeoutSeconds` at most (Network; PeerLost when one has failed meanwhile).
/// `joined`: this process holds the rank's lock already.
StatusOr<std::unique_ptr<Communicator>> createLocalCommunicator(Segment segment, int rank, bool joined, double timeoutSeconds);

} // namespace zp::rt

#endif // ZP_RUNTIME_COLLECTIVE_LOCAL_LOCAL_COMMUNICATOR_H
