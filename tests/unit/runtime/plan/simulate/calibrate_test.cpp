#include "runtime/plan/simulate/calibrate.h"

#include "tests/unit/runtime/plan/report/built_plan.h"
#include "tests/unit/runtime/plan/simulate/plain_cluster.h"

namespace zp::rt {
namespace {

using namespace test;

std::vector<RateSample> samplesOf(const KernelRate &rate, std::vector<std::pair<double, double>> shapes) {
  std::vector<RateSample> samples;
  for (auto [operations, bytes] : shapes)
    samples.push_back({{operations, bytes, 0}, rate.secondsPerCall + operations * rate.secondsPerOperation + bytes * rate.secondsPerByte});
  return samples;
}

TEST(Calibrate, FindsTheRateThatMadeTheSamples) {
  const KernelRate made{2e-6, 1e-11, 3e-10}, prior{1e-6, 2e-11, 1e-10};
  KernelRate found = fitRate(samplesOf(made, {{1e6, 1e4}, {1e8, 1e5}, {1e6, 1e6}, {1e9, 1e8}, {2e4, 1e3}}), prior);
  EXPECT_NEAR(found.secondsPerCall / made.secondsPerCall, 1, 0.05);
  EXPECT_NEAR(found.secondsPerOperation / made.secondsPerOperation, 1, 0.05);
  EXPECT_NEAR(found.secondsPerByte / made.secondsPerByte, 1, 0.05);
}

TEST(Calibrate, OneShapeScalesThePrior) {
  const KernelRate prior{1e-6, 2e-11, 1e-10};
  KernelRate found = fitRate(samplesOf({3e-6, 6e-11, 3e-10}, {{1e8, 1e6}}), prior);
  EXPECT_NEAR(found.secondsPerOperation / prior.secondsPerOperation, 3, 0.01);
  EXPECT_NEAR(found.secondsPerByte / prior.secondsPerByte, 3, 0.01);
}

TEST(Calibrate, NoPartIsNegative) {
  // Time falls as bytes grow: no rate of ours does that.
  KernelRate found = fitRate({{{1e8, 1e6, 0}, 2e-3}, {{1e8, 2e6, 0}, 1e-3}}, {1e-6, 1e-11, 1e-10});
  EXPECT_GE(found.secondsPerCall, 0);
  EXPECT_GE(found.secondsPerOperation, 0);
  EXPECT_GE(found.secondsPerByte, 0);
}

TEST(Calibrate, AMachineIsFoundAgainFromItsTimes) {
  SamplePlan spec(2);
  uint32_t a = spec.addBuffered("a", DType::F32, {70, 80}, true), b = spec.addBuffered("b", DType::F32, {80, 90}, true),
           c = spec.addBuffered("c", DType::F32, {70, 90});
  spec.init().instructions.push_back(makeFill({a}, 0, 0.0));
  spec.init().instructions.push_back(makeFill({b}, 0, 0.0));
  spec.step().instructions.insert(spec.step().instructions.begin() + SamplePlan::kWait,
                                  makeMatmul({a, b, kNone, kNone, kNone, kNone, c}, 0, false, false, 1.0, false, 1.0));
  // A whole that is changed is copied, on one host too.
  spec.step().instructions.insert(spec.step().instructions.begin() + SamplePlan::kEmbed + 1, makeScale({spec.gathered, spec.gathered}, 0, 2.0));
  BuiltPlan built{spec};
  PlanIndex index = built.index();
  Cluster machine = *clusterOf("cpu");
  machine.devices_per_node = 2;
  machine.link_latency = 8e-6;
  machine.link_bandwidth = 1e9;
  machine.kernels["matmul.f32"] = {0, 5e-10, 0};
  InstructionTimes times(built.plan());
  for (uint32_t e : {1u, 2u})
    for (uint32_t i = 0; i < built.plan().entries()->Get(e)->instructions()->size(); ++i)
      for (double factor : {1.0, 0.5, 1.0, 1.0, 70.0}) // outliers change nothing
        times.note(e, i, factor * costOf(machine, index, *built.plan().entries()->Get(e)->instructions()->Get(i)).seconds);
  Cluster found = calibrate(index, times, 1, {{"attention.bf16", {1, 2, 3}}});
  EXPECT_EQ(found.devices_per_node, 2);
  EXPECT_DOUBLE_EQ(found.overlap, 0.5);
  EXPECT_NEAR(found.flops_f32, 2e9, 1);
  EXPECT_EQ(found.kernels.at("attention.bf16").secondsPerByte, 3);
  for (uint32_t i : {0u, static_cast<uint32_t>(SamplePlan::kWait)}) { // the gather, the product
    const fbs::Instruction &instruction = *built.plan().entries()->Get(1)->instructions()->Get(i);
    EXPECT_NEAR(costOf(found, index, instruction).seconds / costOf(machine, index, instruction).seconds, 1, 0.02) << i;
  }
}

TEST(Calibrate, KernelsReadBackFromTheFile) {
  Cluster cluster = plainCluster();
  cluster.kernels["matmul.f32"] = {1e-6, 2.5e-12, 3e-10};
  cluster.kernels["nf4_matmul.bf16"] = {0, 1e-11, 0};
  std::map<std::string, KernelRate> read = kernelsOf(clusterYaml(cluster, "a machine"));
  ASSERT_EQ(read.size(), 2u);
  EXPECT_DOUBLE_EQ(read["matmul.f32"].secondsPerOperation, 2.5e-12);
  EXPECT_DOUBLE_EQ(read["nf4_matmul.bf16"].secondsPerOperation, 1e-11);
  EXPECT_TRUE(kernelsOf("kernels:\n  matmul.f32: [1, 2]\n  add: [a, b, c]\nx: [1, 2, 3]\n  y: [1, 2, 3] more\n").empty());
}

} // namespace
} // namespace zp::rt
