#include "runtime/collective/shared_memory.h"

#include <dirent.h>
#include <fstream>
#include <sys/resource.h>

#include "runtime/collective/throttled/throttled_communicator.h"
#include "tests/unit/runtime/collective/forked_ranks.h"

namespace zp::rt {
namespace {

// What ranks see in it is checked with the collectives (collective_checks.h), on every engine.

int openFiles() {
  DIR *folder = ::opendir("/proc/self/fd");
  int count = 0;
  while (::readdir(folder))
    ++count;
  ::closedir(folder);
  return count;
}

TEST(SharedMemory, NoRankHasItWhereOneCannotOpenIt) {
  EXPECT_TRUE(test::holdsOnRanks(3, [](Communicator &c) -> std::string {
    rlimit most{};
    ::getrlimit(RLIMIT_NOFILE, &most);
    if (c.rank() == 1) {
      rlimit none{0, most.rlim_max};
      ::setrlimit(RLIMIT_NOFILE, &none);
    }
    auto memory = SharedMemory::create(c, 1 << 16);
    ::setrlimit(RLIMIT_NOFILE, &most);
    if (!memory.ok())
      return memory.status().toString();
    if (memory->data())
      return "has memory that rank 1 cannot have";
    const std::string expected = c.rank() == 1 ? "rank 1: Too many open files" : "another rank cannot map it";
    return memory->whyNone() == expected ? "" : "says " + memory->whyNone();
  }));
}

TEST(SharedMemory, KeepsNoFileOpenAndOutlivesWhoMadeIt) {
  EXPECT_TRUE(test::holdsOnRanks(2, [](Communicator &c) -> std::string {
    const int before = openFiles();
    auto memory = SharedMemory::create(c, 1 << 16);
    if (!memory.ok() || !memory->data())
      return "no memory";
    if (int now = openFiles(); now != before)
      return "holds " + std::to_string(now - before) + " files";
    memory->data()[c.rank()] = std::byte{7};
    if (!c.barrier().ok())
      return "a rank is lost";
    if (c.rank() == 0)
      *memory = SharedMemory();
    if (!c.barrier().ok())
      return "a rank is lost";
    return c.rank() == 0 || memory->data()[0] == std::byte{7} ? "" : "what rank 0 wrote is gone";
  }));
}

TEST(SharedMemory, OfNoBytesIsNone) {
  EXPECT_TRUE(test::holdsOnRanks(2, [](Communicator &c) -> std::string {
    auto memory = SharedMemory::create(c, 0);
    return memory.ok() && !memory->data() && memory->whyNone().empty() ? "" : "is some";
  }));
}

TEST(SharedMemory, AThrottledEngineSeemsToBeOfSeveralHosts) {
  EXPECT_TRUE(test::holdsOnRanks(2, [](Communicator &c) -> std::string {
    return c.onOneHost() && !createThrottledCommunicator(c, 1e9)->onOneHost() ? "" : "is taken for one of one host";
  }));
}

} // namespace
} // namespace zp::rt
