#include "runtime/plan/simulate/instruction_cost.h"

#include "tests/unit/runtime/plan/report/built_plan.h"
#include "tests/unit/runtime/plan/simulate/plain_cluster.h"

namespace zp::rt {
namespace {

using namespace test;

/// A plan whose train step is the given instructions, after tensors have been added.
struct StepPlan : PlanSpec {
  StepPlan() {
    EntrySpec initial, step;
    initial.kind = fbs::EntryKind::Init;
    initial.rows = initial.length = 0;
    entries = {initial, step};
  }
  uint32_t tensor(DType dtype, std::vector<int64_t> dims, fbs::Tier tier = fbs::Tier::Device) {
    uint32_t index = addBuffered("t" + std::to_string(tensors.size()), dtype, std::move(dims), true);
    buffers.back().tier = tier;
    if (tier != fbs::Tier::Disk) {
      entries[0].instructions.push_back(makeFill({index}, 0, 0.0));
    } else { // which only copies touch, and which alone has a block of the disk
      buffers.back().offset = 0;
      uint32_t image = tensor(dtype, tensors[index].dims);
      entries[0].instructions.push_back(makeCopy({image, index}, 0));
    }
    return index;
  }
  void step(InstructionSpec instruction) { entries[1].instructions.push_back(std::move(instruction)); }
};

Cost costOf(const PlanSpec &spec, const Cluster &cluster, uint32_t instruction = 0) {
  BuiltPlan built{spec};
  return ::zp::rt::costOf(cluster, built.index(), *built.plan().entries()->Get(1)->instructions()->Get(instruction));
}

StepPlan product(DType dtype, int64_t rows, int64_t inner, int64_t columns) {
  StepPlan plan;
  uint32_t a = plan.tensor(dtype, {rows, inner}), b = plan.tensor(dtype, {inner, columns}), c = plan.tensor(dtype, {rows, columns});
  plan.step(makeMatmul({a, b, kNone, kNone, kNone, kNone, c}, 0, false, false, 1.0, false, 1.0));
  return plan;
}

TEST(InstructionCost, AKernelTakesTheLongerOfArithmeticAndMemory) {
  Cluster cluster = plainCluster();
  // 2·2·5·3 = 60 operations; (10 + 15 + 6)·4 = 124 bytes.
  Cost slowMemory = costOf(product(DType::F32, 2, 5, 3), cluster);
  EXPECT_DOUBLE_EQ(slowMemory.seconds, 0.5 + 12.4);
  EXPECT_EQ(slowMemory.resource, Resource::Memory);
  cluster.memory_bandwidth = 1e3;
  Cost fast = costOf(product(DType::F32, 2, 5, 3), cluster);
  EXPECT_DOUBLE_EQ(fast.seconds, 0.5 + 0.6);
  EXPECT_EQ(fast.resource, Resource::Arithmetic);
  EXPECT_DOUBLE_EQ(costOf(product(DType::BF16, 2, 5, 3), cluster).seconds, 0.5 + 0.3);
  cluster.launch_seconds = 2;
  EXPECT_EQ(costOf(product(DType::F32, 2, 5, 3), cluster).resource, Resource::Launch);
}

TEST(InstructionCost, WhatWasMeasuredGoesBeforeTheRoofline) {
  Cluster cluster = plainCluster();
  cluster.kernels["matmul_thin.f32"] = {1, 0.5, 0.25};
  EXPECT_DOUBLE_EQ(costOf(product(DType::F32, 2, 5, 3), cluster).seconds, 1 + 30 + 31);
  EXPECT_DOUBLE_EQ(costOf(product(DType::BF16, 2, 5, 3), cluster).seconds, 0.5 + 6.2); // another class
  // A node of a CPU that is measured with 8 ranks has more for one.
  cluster.target = "cpu";
  EXPECT_DOUBLE_EQ(costOf(product(DType::F32, 2, 5, 3), cluster).seconds, 1 + (30 + 31) / 8.0);
}

TEST(InstructionCost, ThinProductsAreAClassOfTheirOwn) {
  auto classOf = [](const PlanSpec &spec) {
    BuiltPlan built{spec};
    return kernelClassOf(built.index(), *built.plan().entries()->Get(1)->instructions()->Get(0));
  };
  EXPECT_EQ(classOf(product(DType::BF16, 128, 128, 64)), "matmul_thin.bf16");
  EXPECT_EQ(classOf(product(DType::F32, 128, 65, 128)), "matmul.f32");
}

TEST(InstructionCost, ALookUpMovesWhatItFinds) {
  SamplePlan plan; // four rows of four floats, whatever the table's size: ids once, rows read and written
  EXPECT_DOUBLE_EQ(costOf(plan, plainCluster(), SamplePlan::kEmbed).seconds, 0.5 + (16 + 2 * 64) / 10.0);
}

TEST(InstructionCost, ARingOfRanks) {
  SamplePlan plan(4);
  // 512 bytes in all: 3 steps of a second and 128 bytes.
  Cost gather = costOf(plan, plainCluster(), SamplePlan::kGather);
  EXPECT_DOUBLE_EQ(gather.seconds, 3 * (1 + 128 / 4.0));
  EXPECT_EQ(gather.resource, Resource::Link);
  // 64 bytes are summed, then spread: 6 steps of 16 bytes.
  BuiltPlan built{plan};
  EXPECT_DOUBLE_EQ(::zp::rt::costOf(plainCluster(), built.index(), *built.plan().entries()->Get(2)->instructions()->Get(0)).seconds,
                   6 * (1 + 16 / 4.0));
  Cluster nodes = plainCluster();
  nodes.devices_per_node = 2;
  Cost across = costOf(plan, nodes, SamplePlan::kGather);
  EXPECT_DOUBLE_EQ(across.seconds, 3 * (3 + 128 / 2.0));
  EXPECT_EQ(across.resource, Resource::Network);
}

TEST(InstructionCost, RanksOfOneCpuNodeFindWhatTheyGather) {
  Cluster cpus = plainCluster();
  cpus.target = "cpu";
  EXPECT_EQ(costOf(SamplePlan(4), cpus, SamplePlan::kGather).seconds, 0);
  SamplePlan copied(4); // as a whole that is changed has to be
  copied.step().instructions.insert(copied.step().instructions.begin() + SamplePlan::kEmbed, makeScale({copied.gathered, copied.gathered}, 0, 2.0));
  EXPECT_DOUBLE_EQ(costOf(copied, cpus, SamplePlan::kGather).seconds, 3 * (1 + 128 / 4.0));
  cpus.devices_per_node = 2; // two nodes
  EXPECT_DOUBLE_EQ(costOf(SamplePlan(4), cpus, SamplePlan::kGather).seconds, 3 * (3 + 128 / 2.0));
}

TEST(InstructionCost, OneRankMovesItsShardAlone) {
  EXPECT_DOUBLE_EQ(costOf(SamplePlan(1), plainCluster(), SamplePlan::kGather).seconds, 2 * 512 / 10.0);
}

TEST(InstructionCost, EventsAreFree) {
  EXPECT_EQ(costOf(SamplePlan(2), plainCluster(), SamplePlan::kRecord).seconds, 0);
  EXPECT_EQ(costOf(SamplePlan(2), plainCluster(), SamplePlan::kWait).seconds, 0);
}

TEST(InstructionCost, CopiesGoByTheSlowestThatTheyCross) {
  auto copy = [](fbs::Tier from, fbs::Tier to, const Cluster &cluster) {
    StepPlan plan;
    uint32_t source = plan.tensor(DType::F32, {10}, from), target = plan.tensor(DType::F32, {10}, to);
    plan.spaces = {{fbs::Tier::Device, 4096}, {fbs::Tier::Host, 4096}, {fbs::Tier::Disk, 4096}};
    plan.step(makeCopy({source, target}, 0));
    return costOf(plan, cluster);
  };
  const Cluster cluster = plainCluster();
  Cost inside = copy(fbs::Tier::Device, fbs::Tier::Device, cluster);
  EXPECT_DOUBLE_EQ(inside.seconds, 0.5 + 80 / 10.0);
  EXPECT_EQ(inside.resource, Resource::Memory);
  Cost fetch = copy(fbs::Tier::Host, fbs::Tier::Device, cluster);
  EXPECT_DOUBLE_EQ(fetch.seconds, 0.5 + 40 / 8.0);
  EXPECT_EQ(fetch.resource, Resource::HostLink);
  Cost load = copy(fbs::Tier::Disk, fbs::Tier::Device, cluster);
  EXPECT_DOUBLE_EQ(load.seconds, 40 / 6.0);
  EXPECT_EQ(load.resource, Resource::Disk);
  Cost store = copy(fbs::Tier::Device, fbs::Tier::Disk, cluster);
  EXPECT_DOUBLE_EQ(store.seconds, 40 / 2.0);
}

TEST(InstructionCost, ACpuFindsWhatItFetches) {
  StepPlan plan;
  uint32_t source = plan.tensor(DType::F32, {10}, fbs::Tier::Host), target = plan.addBuffered("fetched", DType::F32, {10});
  plan.spaces = {{fbs::Tier::Device, 4096}, {fbs::Tier::Host, 4096}};
  plan.step(makeCopy({source, target}, 0));
  Cluster cpu = plainCluster();
  cpu.target = "cpu";
  EXPECT_EQ(costOf(plan, cpu).seconds, 0);
}

TEST(InstructionCost, WhatRunsInHostMemoryRunsAtItsShare) {
  StepPlan plan;
  uint32_t target = plan.tensor(DType::F32, {10}, fbs::Tier::Host);
  plan.spaces = {{fbs::Tier::Device, 128}, {fbs::Tier::Host, 128}};
  plan.step(makeFill({target}, 0, 1.0));
  Cost cost = costOf(plan, plainCluster());
  EXPECT_DOUBLE_EQ(cost.seconds, 40 / 20.0);
  EXPECT_EQ(cost.resource, Resource::Host);
}

} // namespace
} // namespace zp::rt
