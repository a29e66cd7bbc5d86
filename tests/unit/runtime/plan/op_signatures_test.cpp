#include "runtime/plan/op_signatures.h"

#include <gtest/gtest.h>

namespace zp::rt {
namespace {

// Read off dialects/Plan/IR/PlanOps.td.
TEST(OpSignatures, FollowTheOpTable) {
  const OpSignature *matmul = findSignature(fbs::OpAttrs::Matmul);
  ASSERT_TRUE(matmul);
  EXPECT_STREQ(matmul->name, "matmul");
  EXPECT_EQ(matmul->executor, OpExecutor::Device);
  ASSERT_EQ(matmul->operands.size(), 7u);
  EXPECT_STREQ(matmul->operands[2].name, "bias");
  EXPECT_TRUE(matmul->operands[2].optional && matmul->operands[2].reads && !matmul->operands[2].writes);
  EXPECT_STREQ(matmul->operands[3].name, "branch_a");
  EXPECT_TRUE(!matmul->operands[6].optional && matmul->operands[6].reads && matmul->operands[6].writes);
  EXPECT_EQ(findSignature(fbs::OpAttrs::AllGather)->executor, OpExecutor::Engine);
  EXPECT_EQ(findSignature(fbs::OpAttrs::LoadSection)->executor, OpExecutor::Loader);
  EXPECT_EQ(findSignature(fbs::OpAttrs::WaitEvent)->operands.size(), 0u);
  EXPECT_EQ(findSignature(fbs::OpAttrs::Adamw)->operands.size(), 7u);
}

TEST(OpSignatures, OtherNumbersHaveNone) {
  EXPECT_EQ(findSignature(fbs::OpAttrs::NONE), nullptr);
  EXPECT_EQ(findSignature(static_cast<fbs::OpAttrs>(63)), nullptr);
  EXPECT_EQ(findSignature(static_cast<fbs::OpAttrs>(255)), nullptr);
}

} // namespace
} // namespace zp::rt
