// A machine of round numbers, so that expectations can be worked out by hand.
#ifndef ZP_TESTS_UNIT_RUNTIME_PLAN_SIMULATE_PLAIN_CLUSTER_H
#define ZP_TESTS_UNIT_RUNTIME_PLAN_SIMULATE_PLAIN_CLUSTER_H

#include "runtime/plan/simulate/cluster.h"

namespace zp::rt::test {

/// 100 FLOP/s in f32, 200 in bf16, 10 bytes/s of memory, half a second a launch; links of 4 bytes/s and 1 s, a network of 2 and 3 s.
inline Cluster plainCluster() {
  Cluster cluster;
  cluster.device = "plain";
  cluster.target = "cuda";
  cluster.devices_per_node = 8;
  cluster.flops_f32 = 100;
  cluster.flops_bf16 = 200;
  cluster.memory_bandwidth = 10;
  cluster.launch_seconds = 0.5;
  cluster.host_bandwidth = 20;
  cluster.host_link_bandwidth = 8;
  cluster.link_bandwidth = 4;
  cluster.link_latency = 1;
  cluster.network_bandwidth = 2;
  cluster.network_latency = 3;
  cluster.nvme_read_bandwidth = 6;
  cluster.nvme_write_bandwidth = 2;
  cluster.overlap = 1;
  return cluster;
}

} // namespace zp::rt::test

#endif // ZP_TESTS_UNIT_RUNTIME_PLAN_SIMULATE_PLAIN_CLUSTER_H
