#include "runtime/base/names.h"

#include <gtest/gtest.h>

using namespace zp;

TEST(Names, editDistance) {
  EXPECT_EQ(editDistance("kitten", "sitting"), 3u); // the textbook's example
  EXPECT_EQ(editDistance("", "abc"), 3u);
  EXPECT_EQ(editDistance("abc", "abc"), 0u);
  EXPECT_EQ(editDistance("abcd", "acbd"), 2u);
}

TEST(Names, nearestComesFirstAndTheFarAreLeftOut) {
  std::vector<std::string> known = {"learning_rate", "lora_r", "lora_alpha"};
  EXPECT_EQ(nearestNames("lora_alfa", known, 2),
            (std::vector<std::string>{"lora_alpha", "lora_r"}));
  EXPECT_TRUE(nearestNames("zzzz", known).empty());
}

TEST(Names, joined) {
  EXPECT_EQ(joinNames({"a", "b"}), "a, b");
  EXPECT_EQ(joinNames({"a", "b"}, " or "), "a or b");
}
