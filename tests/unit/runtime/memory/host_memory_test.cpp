// Control groups as the kernel shows them in containers of both versions.
#include "runtime/memory/host_memory.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <unistd.h>

namespace zp::rt {
namespace {

constexpr uint64_t kGiB = uint64_t{1} << 30;

class HostMemory : public testing::Test {
protected:
  void SetUp() override {
    root = std::filesystem::temp_directory_path() / ("host-memory-" + std::to_string(::getpid()));
    write("proc/meminfo", "MemTotal:       33554432 kB\nMemFree:         1048576 kB\nMemAvailable:   16777216 kB\n");
  }
  void TearDown() override { std::filesystem::remove_all(root); }
  void write(const std::string &path, const std::string &text) {
    std::filesystem::create_directories((root / path).parent_path());
    std::ofstream(root / path) << text;
  }
  void second(const std::string &group, const std::string &limit, uint64_t anonymous) {
    write("sys/fs/cgroup/" + group + "/memory.max", limit + "\n");
    write("sys/fs/cgroup/" + group + "/memory.stat", "anon " + std::to_string(anonymous) + "\nfile 999999999999\nshmem 0\n");
  }
  uint64_t available() const { return availableHostBytes(root); }
  uint64_t limit() const { return hostMemoryLimit(root); }

  std::filesystem::path root;
};

TEST_F(HostMemory, WithoutGroupsTheMachines) {
  EXPECT_EQ(available(), 16 * kGiB);
  EXPECT_EQ(limit(), 32 * kGiB);
}

TEST_F(HostMemory, TheLeastOfAGroupAndThoseAbove) {
  write("proc/self/cgroup", "0::/job/step/task\n");
  second("job/step/task", "max", 1 * kGiB); // Slurm limits the job, not the task
  second("job/step", std::to_string(12 * kGiB), 2 * kGiB);
  second("job", std::to_string(8 * kGiB), 3 * kGiB);
  EXPECT_EQ(available(), 5 * kGiB);
  EXPECT_EQ(limit(), 8 * kGiB);
  second("job/step/task", std::to_string(3 * kGiB), 1 * kGiB);
  EXPECT_EQ(available(), 2 * kGiB);
  second("job", std::to_string(2 * kGiB), 3 * kGiB);
  EXPECT_EQ(available(), 0u) << "more is held than allowed";
}

// A container's group is mounted as the root, whatever its name is outside.
TEST_F(HostMemory, TheMountIsTheGroupItself) {
  write("proc/self/cgroup", "0::/docker/0123\n");
  write("sys/fs/cgroup/memory.max", std::to_string(4 * kGiB) + "\n");
  write("sys/fs/cgroup/memory.stat", "anon 1073741824\nshmem 1073741824\n");
  EXPECT_EQ(available(), 2 * kGiB);
  write("proc/self/cgroup", "0::/../../elsewhere\n");
  EXPECT_EQ(available(), 2 * kGiB);
}

TEST_F(HostMemory, TheFirstVersion) {
  write("proc/self/cgroup", "12:cpu,cpuacct:/x\n7:hugetlb,memory:/docker/0123\n0::/\n");
  write("sys/fs/cgroup/memory/memory.limit_in_bytes", std::to_string(6 * kGiB) + "\n");
  write("sys/fs/cgroup/memory/memory.stat", "rss 1\ntotal_rss 1073741824\ntotal_shmem 1073741824\n");
  EXPECT_EQ(available(), 4 * kGiB);
  EXPECT_EQ(limit(), 6 * kGiB);
  write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n"); // what none is called there
  EXPECT_EQ(available(), 16 * kGiB);
}

TEST_F(HostMemory, OfThisMachine) {
  EXPECT_GT(availableHostBytes(), 0u);
  EXPECT_LE(availableHostBytes(), hostMemoryLimit());
}

} // namespace
} // namespace zp::rt
