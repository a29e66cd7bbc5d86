#include "runtime/base/status.h"

#include <gtest/gtest.h>
#include <set>

namespace zp {
namespace {

TEST(Status, OkHasNoTextAndExitCodeZero) {
  Status status;
  EXPECT_TRUE(status.ok());
  EXPECT_EQ(status.message(), "");
  EXPECT_EQ(exitCodeOf(status.code()), 0);
}

TEST(Status, AnErrorPrintsItsNumber) {
  Status status(ErrorCode::Safetensors, "a.safetensors: is cut");
  EXPECT_EQ(status.toString(), "error[ZP3003] a.safetensors: is cut");
  EXPECT_EQ(exitCodeOf(status.code()), 4);
}

TEST(Status, ExitCodesAreThoseOfTheCommandLine) {
  EXPECT_EQ(exitCodeOf(ErrorCode::Internal), 1);
  EXPECT_EQ(exitCodeOf(ErrorCode::DeviceFault), 1);
  EXPECT_EQ(exitCodeOf(ErrorCode::WorldSize), 2);
  EXPECT_EQ(exitCodeOf(ErrorCode::HostMemory), 3);
  EXPECT_EQ(exitCodeOf(ErrorCode::PlanFile), 4);
  EXPECT_EQ(exitCodeOf(ErrorCode::NonFinite), 5);
  EXPECT_EQ(exitCodeOf(ErrorCode::PeerLost), 6);
  EXPECT_EQ(exitCodeOf(ErrorCode::DiskFull), 7);
}

TEST(Status, NumbersAreUnique) {
  std::set<int> numbers;
  size_t count = 0;
#define ZP_ERROR(name, number, exitCode, summary)                                                                                                    \
  numbers.insert(number);                                                                                                                            \
  ++count;
#include "runtime/base/error_codes.inc"
#undef ZP_ERROR
  EXPECT_EQ(numbers.size(), count);
}

StatusOr<int> half(int value) {
  if (value % 2)
    return Status(ErrorCode::Usage, "odd");
  return value / 2;
}
StatusOr<int> quarter(int value) {
  ZP_ASSIGN_OR_RETURN(int first, half(value));
  ZP_ASSIGN_OR_RETURN(int second, half(first));
  return second;
}

TEST(StatusOr, TheFirstErrorIsPassedOn) {
  EXPECT_EQ(*quarter(12), 3);
  EXPECT_EQ(quarter(6).status().message(), "odd");
}

} // namespace
} // namespace zp
