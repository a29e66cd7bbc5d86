#include "runtime/bootstrap/environment.h"

#include <charconv>
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
    {"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_SIZE", true, false},
    {"PMI_RANK", "PMI_SIZE", "MPI_LOCALNRANKS", true, false},
    {"SLURM_PROCID", "SLURM_NTASKS", nullptr, true, true},
};
/// What, together, is the same for all ranks of a job and for no other job on the host.
constexpr const char *kJobVariables[] = {"MASTER_ADDR",   "MASTER_PORT", "TORCHELASTIC_RUN_ID", "TORCHELASTIC_RESTART_COUNT",
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

} // namespace

StatusOr<Environment> readEnvironment(const Getenv &get) {
  Environment found;
  for (const VariableSet &set : kSets) {
    const char *rankText = get(set.rank), *sizeText = get(set.size);
    if (!rankText || !sizeText)
      continue;
    if (set.mayDisagree && found.launched) {
      continue;
    }
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
  for (const char *name : kJobVariables)
    if (const char *value = get(name))
      found.job += std::string(value) + "/";
  return found;
}

StatusOr<Environment> readEnvironment() {
  return readEnvironment([](const char *name) { return std::getenv(name); });
}

} // namespace zp::rt
