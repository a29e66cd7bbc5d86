#include "runtime/plan/simulate/simulator.h"

#include <fstream>
#include <sstream>

#include "tests/unit/runtime/plan/report/built_plan.h"
#include "tests/unit/runtime/plan/simulate/plain_cluster.h"

namespace zp::rt {
namespace {

using namespace test;

/// Nothing takes time but products, by their FLOPs, and collectives.
Cluster countingCluster() {
  Cluster cluster = plainCluster();
  cluster.flops_f32 = 1;
  cluster.memory_bandwidth = 1e18;
  cluster.launch_seconds = 0;
  return cluster;
}
constexpr double kTiny = 1e-9;
// Of SamplePlan(4) on it: 3·(1 + 128/4) and 6·(1 + 16/4).
constexpr double kGatherSeconds = 99, kReduceSeconds = 30;

/// SamplePlan on four ranks with a product of so many operations between its gather and the wait for it.
struct OverlapPlan : SamplePlan {
  explicit OverlapPlan(int64_t inner) : SamplePlan(4) {
    uint32_t a = addBuffered("a", DType::F32, {1, inner}, true), b = addBuffered("b", DType::F32, {inner, 1}, true),
             c = addBuffered("c", DType::F32, {1, 1});
    init().instructions.push_back(makeFill({a}, 0, 0.0));
    init().instructions.push_back(makeFill({b}, 0, 0.0));
    step().instructions.insert(step().instructions.begin() + kWait,
                               makeMatmul({a, b, kNone, kNone, kNone, kNone, c}, 0, false, false, 1.0, false, 1.0));
  }
};

Simulation simulationOf(const PlanSpec &spec, const Cluster &cluster) {
  BuiltPlan built{spec};
  return simulate(cluster, built.index());
}

TEST(Simulator, WhatIsAwaitedAtOnceIsExposed) {
  Simulation simulation = simulationOf(SamplePlan(4), countingCluster());
  ASSERT_EQ(simulation.entries.size(), 2u);
  EXPECT_NEAR(simulation.entries[0].seconds, kGatherSeconds, kTiny);
  EXPECT_NEAR(simulation.entries[1].seconds, kReduceSeconds, kTiny);
  EXPECT_NEAR(simulation.stepSeconds, kGatherSeconds + kReduceSeconds, kTiny);
  EXPECT_NEAR(simulation.exposedSeconds(), kGatherSeconds + kReduceSeconds, kTiny);
  EXPECT_EQ(simulation.bottleneck(), Resource::Link);
}

TEST(Simulator, AProductHidesAGather) {
  Simulation longer = simulationOf(OverlapPlan(100), countingCluster()); // 200 s of arithmetic
  EXPECT_NEAR(longer.entries[0].seconds, 200, kTiny);
  EXPECT_NEAR(longer.exposedSeconds(), kReduceSeconds, kTiny);
  EXPECT_EQ(longer.bottleneck(), Resource::Arithmetic);
  Simulation shorter = simulationOf(OverlapPlan(20), countingCluster()); // 40 s
  EXPECT_NEAR(shorter.entries[0].seconds, kGatherSeconds, kTiny);
  EXPECT_NEAR(shorter.exposedSeconds(), kGatherSeconds - 40 + kReduceSeconds, kTiny);
}

TEST(Simulator, StreamsThatShareACoreTakeTurns) {
  Cluster cluster = countingCluster();
  cluster.overlap = 0.5;
  // 40 s of the product take 80 beside the gather, which then has 59 left alone.
  Simulation simulation = simulationOf(OverlapPlan(20), cluster);
  EXPECT_NEAR(simulation.entries[0].seconds, 80 + 59, kTiny);
  EXPECT_NEAR(simulation.exposedSeconds(), 40 + 59 + kReduceSeconds, kTiny);
  double sum = 0;
  for (double seconds : simulation.secondsBy)
    sum += seconds;
  EXPECT_NEAR(sum, simulation.stepSeconds, kTiny);
}

TEST(Simulator, MicroBatchesCountAsOftenAsTheyRun) {
  OverlapPlan plan(100);
  plan.settings = {{"gradient_accumulation_steps", "3"}};
  Simulation simulation = simulationOf(plan, countingCluster());
  EXPECT_EQ(simulation.entries[0].times, 3u);
  EXPECT_NEAR(simulation.stepSeconds, 3 * 200 + kReduceSeconds, kTiny);
  EXPECT_DOUBLE_EQ(simulation.tokens, 3 * 2 * 2 * 4); // rows of two, two of them, four ranks
  EXPECT_NEAR(simulation.tokensPerSecond(), 48 / simulation.stepSeconds, kTiny);
}

TEST(Simulator, ATraceHasEverySliceOnItsStream) {
  BuiltPlan built{OverlapPlan(20)};
  PlanIndex index = built.index();
  const std::string path = testing::TempDir() + "simulator_trace.json";
  ASSERT_TRUE(writeTrace(index, simulate(countingCluster(), index), path).ok());
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  // Seconds are microseconds there: 40 s of a product, from the start on.
  EXPECT_NE(text.str().find(R"("name":"matmul","pid":0,"tid":1,"ts":0.000,"dur":40000000.000,"args":{"at":"train_step:2"})"), std::string::npos)
      << text.str();
  EXPECT_NE(text.str().find(R"("name":"all_gather","pid":0,"tid":2,"ts":0.000,"dur":99000000.000)"), std::string::npos) << text.str();
}

} // namespace
} // namespace zp::rt
