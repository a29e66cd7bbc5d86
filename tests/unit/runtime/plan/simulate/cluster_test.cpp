#include "runtime/plan/simulate/cluster.h"

#include <algorithm>

#include "tests/unit/runtime/plan/simulate/plain_cluster.h"
#include "gtest/gtest.h"

namespace zp::rt {
namespace {

TEST(Cluster, RanksFillNodes) {
  Cluster cluster = test::plainCluster();
  EXPECT_EQ(cluster.ranksOfNode(1), 1u);
  EXPECT_EQ(cluster.nodesFor(8), 1u);
  EXPECT_EQ(cluster.nodesFor(9), 2u);
  EXPECT_EQ(cluster.nodesFor(1024), 128u);
  cluster.devices_per_node = 0; // one node, however many
  EXPECT_EQ(cluster.ranksOfNode(1024), 1024u);
  EXPECT_EQ(cluster.nodesFor(1024), 1u);
}

TEST(Cluster, EveryDeviceOfTheTableIsUsable) {
  ASSERT_FALSE(deviceNames().empty());
  for (const std::string &name : deviceNames()) {
    std::optional<Cluster> cluster = clusterOf(name);
    ASSERT_TRUE(cluster) << name;
    cluster->devices_per_node = std::max(cluster->devices_per_node, 1.0); // 0 of a CPU: as many as there are ranks
#define ZP_CLUSTER_KEY(key, kind, least, doc) EXPECT_GE(cluster->key, least) << name << " " #key;
#include "runtime/plan/simulate/cluster_keys.inc"
#undef ZP_CLUSTER_KEY
    EXPECT_EQ(cluster->memory > 0, cluster->target == "cuda") << name;
  }
  EXPECT_FALSE(clusterOf("abacus"));
}

TEST(Cluster, ReachesLessThanTheDataSheet) {
  Cluster a100 = *clusterOf("a100-80gb");
  EXPECT_LT(a100.flops_bf16, 312e12);
  EXPECT_GT(a100.flops_bf16, 0.5 * 312e12);
  EXPECT_LT(a100.memory_bandwidth, 2039e9);
  EXPECT_LT(a100.memory, 80.0 * (1ull << 30));
}

TEST(Cluster, LinksByName) {
  Cluster cluster = test::plainCluster();
  EXPECT_TRUE(setLink(cluster, "ethernet_10g", true));
  EXPECT_GT(cluster.network_latency, cluster.network_bandwidth * 1e-15);
  EXPECT_DOUBLE_EQ(cluster.link_bandwidth, 4); // untouched
  EXPECT_LT(cluster.network_bandwidth, 1.25e9);
  EXPECT_FALSE(setLink(cluster, "string", false));
}

} // namespace
} // namespace zp::rt
