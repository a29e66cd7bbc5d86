#include "runtime/base/checked_math.h"

#include <gtest/gtest.h>

namespace zp {
namespace {

constexpr uint64_t kMost = ~uint64_t{0};

TEST(CheckedMath, WhatDoesNotFitIsRefused) {
  uint64_t out;
  EXPECT_TRUE(checkedAdd(kMost - 1, 1, out) && out == kMost);
  EXPECT_FALSE(checkedAdd(kMost, 1, out));
  EXPECT_TRUE(checkedMul(uint64_t{1} << 32, (uint64_t{1} << 32) - 1, out));
  EXPECT_FALSE(checkedMul(uint64_t{1} << 32, uint64_t{1} << 32, out));
}

TEST(CheckedMath, ARangeThatWrapsDoesNotFit) {
  EXPECT_TRUE(rangeFits(8, 8, 16));
  EXPECT_FALSE(rangeFits(8, 9, 16));
  EXPECT_FALSE(rangeFits(kMost, 2, 16));
  EXPECT_FALSE(rangeFits(2, kMost, kMost));
}

TEST(CheckedMath, AlignUp) {
  EXPECT_EQ(alignUp(0, 64), 0u);
  EXPECT_EQ(alignUp(1, 64), 64u);
  EXPECT_EQ(alignUp(64, 64), 64u);
}

} // namespace
} // namespace zp
