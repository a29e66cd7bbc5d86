// Ranks started by mpirun or srun, on one host or several. Sums are taken here, in rank order, from what MPI moves: its own
// reductions promise no order.
// Contract: one in a process; MPI is initialised by `create` and finalised with the object, unless `abort` was called: then
// the process must end, and the launcher, seeing it end without a farewell, stops the others. So does it when a rank dies: checkPeers has
// nothing to add.
#ifndef ZP_RUNTIME_COLLECTIVE_MPI_MPI_COMMUNICATOR_H
#define ZP_RUNTIME_COLLECTIVE_MPI_MPI_COMMUNICATOR_H

#include <memory>

#include "runtime/collective/communicator.h"

namespace zp::rt {

StatusOr<std::unique_ptr<Communicator>> createMpiCommunicator();

} // namespace zp::rt

#endif // ZP_RUNTIME_COLLECTIVE_MPI_MPI_COMMUNICATOR_H
