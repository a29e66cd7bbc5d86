// Who am I, and of how many: what a launcher says in the environment of each rank.
#ifndef ZP_RUNTIME_BOOTSTRAP_ENVIRONMENT_H
#define ZP_RUNTIME_BOOTSTRAP_ENVIRONMENT_H

#include <functional>
#include <memory>
#include <string>

#include "runtime/base/status.h"
#include "runtime/collective/communicator.h"

namespace zp::rt {

struct Environment {
  int rank = 0;
  int size = 1;
  int localSize = 0;     ///< ranks on this host; 0: not said
  bool launched = false; ///< some launcher set rank and world size; false: a process by itself
  bool mpi = false;      ///< mpirun or srun: MPI can be initialised
  std::string source;    ///< the variables that were used, e.g. "RANK, WORLD_SIZE"
  std::string job;       ///< tells this job's ranks from another's on the same host
};

using Getenv = std::function<const char *(const char *name)>;

/// The first complete set of: RANK and WORLD_SIZE (torchrun, accelerate, deepspeed); OMPI_COMM_WORLD_RANK and _SIZE;
/// PMI_RANK and PMI_SIZE; SLURM_PROCID and SLURM_NTASKS of a step. Errors (Config): a value that is no rank of its world, two
/// sets that disagree (Slurm's aside: its variables of an outer step stay set), or half a set by itself.
StatusOr<Environment> readEnvironment(const Getenv &get);
StatusOr<Environment> readEnvironment();

/// Joins the other ranks: by MPI where a launcher of MPI started this process and this build has MPI, else by a segment of
/// this host under a name that the job's variables give. Errors: Network, PeerLost, HostMemory.
StatusOr<std::unique_ptr<Communicator>> connect(const Environment &environment, double timeoutSeconds = 60);

} // namespace zp::rt

#endif // ZP_RUNTIME_BOOTSTRAP_ENVIRONMENT_H
