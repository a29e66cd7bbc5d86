#include "runtime/bootstrap/environment.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>

namespace zp::rt {
namespace {

struct VariableSet {
  const char *rank, *size, *localSize;
  bool mpi;
  bool mayDisagree;
};
constexpr VariableSet kSets[] = {
    {"RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE", false, false},
    {"RANK", "WORLD_SIZE", "LOCAL_SIZE", false, false}, // deepspeed's name of it
    {"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_SIZE", true, false},
    {"PMI_RANK", "PMI_SIZE", "MPI_LOCALNRANKS", true, false},
    {"SLURM_PROCID", "SLURM_NTASKS", nullptr, true, true},
};
/// What, together, is the same for all ranks of a job and for no other job on the host.
constexpr const char *kJobVariables[] = {"MASTER_ADDR",    "MASTER_PORT",  "TORCHELASTIC_RUN_ID", "TORCHELASTIC_RESTART_COUNT",
                                         "PMIX_NAMESPACE", "SLURM_JOB_ID", "SLURM_STEP_ID"};

Status wrong(const std::string &what) {
  return Status(ErrorCode::Config, "environment: " + what + "; unset what another launcher left behind, or start the ranks with one launcher");
}

StatusOr<int> parse(const char *name, const char *text, int low) {
  int value = 0;
  auto [end, error] = std::from_chars(text, text + std::strlen(text), value);
  if (error != std::errc() || *end != '\0' || value < low)
    return wrong(std::string(name) + " is \"" + text + "\", expected a whole number of at least " + std::to_string(low));
  return value;
}

/// What a launcher left half set agrees with the set that was found; without one, it must not pass for no launcher at all:
/// each rank would run the whole job.
Status checkHalves(const Getenv &get, const Environment &found) {
  for (const VariableSet &set : kSets) {
    const char *rank = get(set.rank), *size = get(set.size);
    if (set.mayDisagree || !rank == !size)
      continue;
    const char *name = rank ? set.rank : set.size, *text = rank ? rank : size;
    if (!found.launched)
      return wrong(std::string(name) + " is " + text + " and " + (rank ? set.size : set.rank) + " is not set, expected both");
    ZP_ASSIGN_OR_RETURN(int value, parse(name, text, 0));
    if (value != (rank ? found.rank : found.size))
      return wrong(found.source + " say rank " + std::to_string(found.rank) + " of " + std::to_string(found.size) + " and " + name + " is " + text +
                   ", expected one answer");
  }
  return {};
}

/// Tasks of a node, of Slurm's list of them, e.g. "4(x2),3": nodes 0 and 1 have 4 each, node 2 has 3. 0: not said.
int tasksOf(const char *list, const char *nodeText) {
  int node = nodeText ? std::atoi(nodeText) : 0;
  for (const char *at = list; at && *at; at = std::strchr(at, ','), at += at != nullptr) {
    int tasks = 0, nodes = 1;
    if (std::sscanf(at, "%9d(x%9d)", &tasks, &nodes) < 1)
      return 0;
    if ((node -= nodes) < 0)
      return tasks;
  }
  return 0;
}

/// Slurm names a node's tasks in its own way, and MPI, an Open MPI here, joins its steps by PMIx alone: with --mpi=none or
/// pmi2 it would end the process.
void readSlurm(const Getenv &get, Environment &found) {
  if (found.localSize == 0 && !found.source.starts_with("RANK"))
    found.localSize = std::max(0, tasksOf(get("SLURM_STEP_TASKS_PER_NODE"), get("SLURM_NODEID")));
  if (get("SLURM_STEP_ID") && !get("PMIX_RANK"))
    found.mpi = false;
}

} // namespace

StatusOr<Environment> readEnvironment(const Getenv &get) {
  Environment found;
  for (const VariableSet &set : kSets) {
    const char *rankText = get(set.rank), *sizeText = get(set.size);
    if (!rankText || !sizeText)
      continue;
    if (set.mayDisagree && (found.launched || !get("SLURM_STEP_ID"))) // a batch script is no task, though it has a task's number
      continue;
    ZP_ASSIGN_OR_RETURN(int size, parse(set.size, sizeText, 1));
    ZP_ASSIGN_OR_RETURN(int rank, parse(set.rank, rankText, 0));
    std::string source = std::string(set.rank) + ", " + set.size;
    if (rank >= size)
      return wrong(std::string(set.rank) + " is " + rankText + " and " + set.size + " " + sizeText + ", expected a rank below the size");
    if (found.launched && (rank != found.rank || size != found.size))
      return wrong(found.source + " say rank " + std::to_string(found.rank) + " of " + std::to_string(found.size) + " and " + source + " rank " +
                   std::to_string(rank) + " of " + std::to_string(size) + ", expected one answer");
    found.mpi |= set.mpi;
    if (found.localSize == 0 && set.localSize && get(set.localSize)) {
      ZP_ASSIGN_OR_RETURN(found.localSize, parse(set.localSize, get(set.localSize), 1));
    }
    if (!found.launched) {
      found.launched = true;
      found.rank = rank;
      found.size = size;
      found.source = source;
    }
  }
  ZP_RETURN_IF_ERROR(checkHalves(get, found));
  readSlurm(get, found);
  for (const char *name : kJobVariables)
    if (const char *value = get(name))
      found.job += std::string(value) + "/";
  return found;
}

StatusOr<Environment> readEnvironment() {
  return readEnvironment([](const char *name) { return std::getenv(name); });
}

} // namespace zp::rt
