#include "runtime/plan/simulate/budget.h"

#include "tests/unit/runtime/plan/report/built_plan.h"
#include "tests/unit/runtime/plan/simulate/plain_cluster.h"

namespace zp::rt {
namespace {

using namespace test;

/// 1000 bytes of device memory, 300 of host memory, 40 on disk, of a rank.
PlanSpec threeSpaces(uint32_t ranks, const std::string &target) {
  SamplePlan plan(ranks);
  plan.target = target;
  plan.spaces[0].bytes = 10000;
  plan.spaces.push_back({fbs::Tier::Host, 300});
  plan.spaces.push_back({fbs::Tier::Disk, 40});
  return plan;
}

TEST(Budget, HostAndDiskCountANode) {
  BuiltPlan built{threeSpaces(4, "cuda")};
  Footprint footprint = footprintOf(built.plan(), plainCluster());
  EXPECT_EQ(footprint.device, 10000u);
  EXPECT_EQ(footprint.host, 4 * 300u);
  EXPECT_EQ(footprint.disk, 4 * 40u);
  Cluster nodes = plainCluster();
  nodes.devices_per_node = 2;
  EXPECT_EQ(footprintOf(built.plan(), nodes).host, 2 * 300u);
}

TEST(Budget, ACpusDeviceIsItsHost) {
  BuiltPlan built{threeSpaces(4, "cpu")};
  Cluster cluster = plainCluster();
  cluster.target = "cpu";
  EXPECT_EQ(footprintOf(built.plan(), cluster).host, 4 * (10000u + 300u + built.plan().reserve_bytes()));
}

TEST(Budget, NamesAllThatIsTooMuch) {
  Footprint footprint{1000, 100, 500, 50};
  Cluster cluster = plainCluster();
  EXPECT_EQ(excessOf(footprint, cluster), ""); // nothing is limited
  cluster.memory = 1100;
  cluster.host_memory = 500;
  cluster.nvme = 50;
  EXPECT_EQ(excessOf(footprint, cluster), "");
  cluster.memory = 1099;
  EXPECT_EQ(excessOf(footprint, cluster), "device 1.00 kB and 100 B reserve of 1.10 kB");
  cluster.host_memory = 499;
  cluster.nvme = 49;
  EXPECT_EQ(excessOf(footprint, cluster), "device 1.00 kB and 100 B reserve of 1.10 kB, host 500 B a node of 499 B, nvme 50 B a node of 49 B");
}

} // namespace
} // namespace zp::rt
