#include "runtime/trainer/epoch_report.h"

#include <gtest/gtest.h>

namespace zp::rt {
namespace {

TEST(EpochMeter, ReportsEachEpoch) {
  EpochMeter meter(2, 100);
  EXPECT_FALSE(meter.update(1, 3, 150));
  auto first = meter.update(2, 1, 130);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->epoch, 0u);
  EXPECT_EQ(first->loss, 2);
  EXPECT_EQ(first->resident.before, 100u);
  EXPECT_EQ(first->resident.end, 130u);
  EXPECT_EQ(first->resident.peak, 150u);
  EXPECT_FALSE(meter.update(3, 5, 90));
  auto second = meter.update(4, 7, 110);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->epoch, 1u);
  EXPECT_EQ(second->loss, 6);
  EXPECT_EQ(second->resident.before, 130u);
  EXPECT_EQ(second->resident.peak, 130u);
}

TEST(EpochMeter, AResumedEpochIsOfTheUpdatesThatAreLeft) {
  EpochMeter meter(4, 0);
  EXPECT_FALSE(meter.update(7, 2, 0));
  auto report = meter.update(8, 4, 0);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->epoch, 1u);
  EXPECT_EQ(report->loss, 3);
}

} // namespace
} // namespace zp::rt
