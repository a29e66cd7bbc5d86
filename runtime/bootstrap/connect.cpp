#include <cstdio>
#include <functional>
#include <unistd.h>

#include "runtime/bootstrap/environment.h"
#include "runtime/collective/local/local_communicator.h"
#include "runtime/collective/single/single_communicator.h"
#ifdef ZP_HAVE_MPI
#include "runtime/collective/mpi/mpi_communicator.h"
#endif

namespace zp::rt {

/// FNV-1a: the same in every process of every build.
static std::string hashOf(const std::string &text) {
  uint64_t hash = 0xcbf29ce484222325;
  for (unsigned char c : text)
    hash = (hash ^ c) * 0x100000001b3;
  char out[17];
  std::snprintf(out, sizeof(out), "%016llx", static_cast<unsigned long long>(hash));
  return out;
}

#ifdef ZP_HAVE_MPI
static StatusOr<std::unique_ptr<Communicator>> connectMpi(const Environment &environment) {
  ZP_ASSIGN_OR_RETURN(std::unique_ptr<Communicator> communicator, createMpiCommunicator());
  if (communicator->size() != environment.size || communicator->rank() != environment.rank) {
    Status status(ErrorCode::Config, "environment: " + environment.source + " say rank " + std::to_string(environment.rank) + " of " +
                                         std::to_string(environment.size) + " and MPI says rank " + std::to_string(communicator->rank()) + " of " +
                                         std::to_string(communicator->size()) +
                                         ", expected one answer; start the ranks with mpirun or srun --mpi=pmix");
    return status;
  }
  return communicator;
}
#endif

StatusOr<std::unique_ptr<Communicator>> connect(const Environment &environment, double timeoutSeconds) {
#ifdef ZP_HAVE_MPI
  if (environment.mpi)
    return connectMpi(environment);
#endif
  if (environment.size == 1)
    return createSingleCommunicator();
  bool severalHosts = environment.localSize != 0 && environment.localSize != environment.size;
  if (severalHosts || environment.size > Segment::kMostRanks)
    return Status(ErrorCode::Network, "zprun: " + std::to_string(environment.localSize) + " of " + std::to_string(environment.size) +
                                          " ranks are on this host, expected all; across hosts start zprun with mpirun");
  std::string path = "/dev/shm/zp-" + std::to_string(::getuid()) + "-" + hashOf(environment.job);
  bool owner = environment.rank == 0;
  StatusOr<Segment> segment = owner ? Segment::createNamed(path, environment.size) : Segment::openNamed(path, environment.size, timeoutSeconds);
  if (!segment.ok())
    return segment.status();
  auto communicator = createLocalCommunicator(std::move(segment).value(), environment.rank, owner, timeoutSeconds);
  if (owner)
    ::unlink(path.c_str()); // everyone has it open, or nobody will
  return communicator;
}

} // namespace zp::rt
