// Run by mpirun: the collective checks on this rank. Exit status 0 when all hold.
#include <cstdio>

#include "runtime/bootstrap/environment.h"
#include "tests/unit/runtime/collective/collective_checks.h"

int main() {
  auto environment = zp::rt::readEnvironment();
  auto communicator = environment.ok() ? zp::rt::connect(*environment) : zp::StatusOr<std::unique_ptr<zp::rt::Communicator>>(environment.status());
  if (!communicator.ok()) {
    std::fprintf(stderr, "%s\n", communicator.status().toString().c_str());
    return 2;
  }
  std::string wrong = zp::rt::test::checkCollectives(**communicator);
  if (wrong.empty() && std::string((*communicator)->engine()) != "mpi")
    wrong = std::string("engine is ") + (*communicator)->engine();
  if (wrong.empty() && ((*communicator)->localSize() != (*communicator)->size() || (*communicator)->localRank() != (*communicator)->rank()))
    wrong = "ranks of one host are not seen as such";
  if (!wrong.empty()) {
    std::fprintf(stderr, "rank %d: %s\n", (*communicator)->rank(), wrong.c_str());
    (*communicator)->abort();
    return 1;
  }
  return 0;
}
