#include "runtime/kernels/registry.h"

#include "runtime/kernels/kernels.h"
#include "runtime/schema/plan_generated.h"
#include "tests/conformance/support.h"

namespace zp::rt::test {
namespace {

TEST(Registry, HoldsDeviceOpsOnly) {
  EXPECT_STREQ(findKernel(42)->name, "matmul");
  EXPECT_EQ(findKernel(42)->operandCount, 7u);
  EXPECT_EQ(findKernel(1), nullptr);   // record_event: streams
  EXPECT_EQ(findKernel(10), nullptr);  // all_gather: an engine
  EXPECT_EQ(findKernel(255), nullptr); // no op at all
  for (const KernelEntry &entry : allKernels())
    EXPECT_EQ(findKernel(entry.opcode), &entry);
}

TEST(Registry, DecodesChecksAndRuns) {
  flatbuffers::FlatBufferBuilder builder;
  builder.Finish(fbs::CreateScaleAttrs(builder, 3.0));
  const auto *attrs = flatbuffers::GetRoot<fbs::ScaleAttrs>(builder.GetBufferPointer());
  Maker maker;
  const TensorView operands[] = {maker.normal(DType::F32, {5}), maker.empty(DType::F32, {5})};
  const KernelEntry *entry = findKernel(34);
  ASSERT_EQ(entry->argsSize, sizeof(ScaleArgs));
  alignas(16) unsigned char args[sizeof(ScaleArgs)];
  entry->decode(attrs, std::span<const TensorView>(operands), args);
  ASSERT_TRUE(entry->check(args).ok());
  entry->cpu(KernelContext{}, args);
  EXPECT_EQ(operands[1].as<float>()[4], 3 * operands[0].as<float>()[4]);
}

TEST(Registry, SpansReachTheArguments) {
  flatbuffers::FlatBufferBuilder builder;
  float frequencies[] = {1, 0.5f};
  builder.Finish(fbs::CreateRopeTableAttrs(builder, builder.CreateVector(frequencies, 2), 1.0));
  const auto *attrs = flatbuffers::GetRoot<fbs::RopeTableAttrs>(builder.GetBufferPointer());
  Maker maker;
  const TensorView operands[] = {maker.integers({3}, 0, 9), maker.empty(DType::F32, {3, 2}), maker.empty(DType::F32, {3, 2})};
  alignas(16) unsigned char args[sizeof(RopeTableArgs)];
  findKernel(46)->decode(attrs, std::span<const TensorView>(operands), args);
  EXPECT_TRUE(findKernel(46)->check(args).ok());
  builder.Clear(); // a plan without frequencies decodes, and its shape is refused
  builder.Finish(fbs::CreateRopeTableAttrs(builder, 0, 1.0));
  findKernel(46)->decode(flatbuffers::GetRoot<fbs::RopeTableAttrs>(builder.GetBufferPointer()), std::span<const TensorView>(operands), args);
  EXPECT_FALSE(findKernel(46)->check(args).ok());
}

} // namespace
} // namespace zp::rt::test
