#include "runtime/plan/report/text_table.h"

#include <gtest/gtest.h>

namespace zp::rt {
namespace {

TEST(TextTable, ColumnsLeanAsTheySay) {
  TextTable table("lr");
  table.row({"a", "1"});
  table.row({"bcd", "234"});
  table.row({"e"});
  EXPECT_EQ(table.print(1), " a      1\n bcd  234\n e\n");
}

TEST(TextTable, BytesArePowersOfTenWithThreeDigits) {
  EXPECT_EQ(humanBytes(0), "0 B");
  EXPECT_EQ(humanBytes(999), "999 B");
  EXPECT_EQ(humanBytes(1000), "1.00 kB");
  EXPECT_EQ(humanBytes(79112192), "79.1 MB");
  EXPECT_EQ(humanBytes(999900000), "1.00 GB");
  EXPECT_EQ(humanBytes(524288000), "524 MB");
  EXPECT_EQ(humanBytes(24500000000), "24.5 GB");
}

TEST(TextTable, CountsAndShares) {
  EXPECT_EQ(humanCount(12), "12");
  EXPECT_EQ(humanCount(1.5e12), "1.50 T");
  EXPECT_EQ(percent(1, 3), "33.3 %");
  EXPECT_EQ(percent(1, 0), "0.0 %");
}

} // namespace
} // namespace zp::rt
