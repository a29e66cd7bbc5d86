#include "runtime/base/guarded.h"

#include <stdexcept>

#include <gtest/gtest.h>

namespace zp {
namespace {

TEST(Guarded, GivesTheCodeAndCatchesTheRest) {
  EXPECT_EQ(guarded("zpx", [] { return 7; }), 7);
  testing::internal::CaptureStderr();
  EXPECT_EQ(guarded("zpx", []() -> int { throw std::bad_alloc(); }), exitCodeOf(ErrorCode::HostMemory));
  EXPECT_EQ(guarded("zpx", []() -> int { throw std::runtime_error("odd"); }), exitCodeOf(ErrorCode::Internal));
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_NE(said.find("] zpx: this host has no memory left"), std::string::npos) << said;
  EXPECT_NE(said.find("] zpx: odd, expected no exception"), std::string::npos) << said;
}

} // namespace
} // namespace zp
