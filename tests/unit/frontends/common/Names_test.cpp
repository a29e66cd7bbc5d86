#include "frontends/common/Names.h"

#include <gtest/gtest.h>

using namespace zp::fe;

TEST(Names, commaLists) {
  EXPECT_EQ(splitCommaList(" a, b ,,c"), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_TRUE(splitCommaList(" , ").empty());
  EXPECT_EQ(quoteNames({"a", "b"}), "\"a\", \"b\"");
}
