#include "runtime/plan/plan_printer.h"

#include <gtest/gtest.h>

#include "tests/unit/runtime/plan/plan_spec.h"

namespace zp::rt {
namespace {

TEST(PlanPrinter, PrintsEveryPartOnItsLine) {
  auto plan = test::SamplePlan().load();
  ASSERT_TRUE(plan.ok());
  EXPECT_EQ(printPlan(plan->plan()), R"(plan ranks=1 target=cpu vocab=8 streams=2 events=1 reserve=0
setting lora_r = 8
setting seed = 1
space device 1280
section 0 unit0.frozen unit=0 frozen f32 elements=128 sharded=parameters decay_end=0 values=%0
  parameter embed.weight [8,4] at 0 checkpoint "embed.weight"
  parameter norm.weight [4] at 64 checkpoint "norm.weight"
buffer 0 weights device working persistent [0, +512)
buffer 1 gathered device working [512, +512)
buffer 2 ids device working [1024, +16)
buffer 3 scalars device working [1088, +64)
buffer 4 embedded device working [1152, +64)
buffer 5 sum device working persistent [1216, +64)
buffer 6 late device working [512, +512)
entry 0 init any rows=0 length=0
  0: s0 load_section target=%0 f32[128] weights+0
  1: s0 fill target=%6 f32[4,4] sum+0
entry 1 train_step any rows=2 length=2
  input input_ids %3 i32[4] ids+0
  input scalars %4 u8[64] scalars+0
  0: s1 all_gather shard=%0 f32[128] weights+0, whole=%1 f32[128] gathered+0
  1: s1 record_event
  2: s0 wait_event
  3: s0 embedding table=%2 f32[8,4] gathered+0, ids=%3 i32[4] ids+0, target=%5 f32[4,4] embedded+0
  4: s0 scale source=%5 f32[4,4] embedded+0, target=%5 f32[4,4] embedded+0 { factor: 2.0 }
  5: s0 accumulate source=%5 f32[4,4] embedded+0, target=%6 f32[4,4] sum+0 { scale: 1.0 }
  6: s0 copy source=%5 f32[4,4] embedded+0, target=%7 f32[4,4] late+0
  output late %7 f32[4,4] late+0
entry 2 apply_gradients any rows=0 length=0
  0: s0 all_reduce data=%6 f32[4,4] sum+0
  output sum %6 f32[4,4] sum+0
)");
}

TEST(PlanPrinter, JsonHasTheSchemasNames) {
  auto plan = test::SamplePlan().load();
  ASSERT_TRUE(plan.ok());
  std::string json = printPlanJson(plan->plan());
  EXPECT_NE(json.find("\"vocab_size\": 8"), std::string::npos);
  EXPECT_NE(json.find("\"op_type\": \"Embedding\""), std::string::npos) << json.substr(0, 2000);
}

} // namespace
} // namespace zp::rt
