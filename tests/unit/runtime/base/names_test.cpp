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
  EXPECT_EQ(nearestNames("lora_alfa", known, 2), (std::vector<std::string>{"lora_alpha", "lora_r"}));
  EXPECT_TRUE(nearestNames("zzzz", known).empty());
}

TEST(Names, commaLists) {
  EXPECT_EQ(splitCommaList(" a, b ,,c"), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_TRUE(splitCommaList(" , ").empty());
  EXPECT_EQ(joinNames({"a", "b"}), "a, b");
  EXPECT_EQ(quoteNames({"a", "b"}), "\"a\", \"b\"");
}

TEST(Names, wordsOfTruthInAnyCase) {
  for (const char *yes : {"true", "True", "YES", "on", "t", "y", "1"})
    EXPECT_EQ(boolWord(yes), true) << yes;
  for (const char *no : {"false", "False", "NO", "off", "f", "n", "0"})
    EXPECT_EQ(boolWord(no), false) << no;
  for (const char *neither : {"", "2", "maybe", "true ", "tru"})
    EXPECT_EQ(boolWord(neither), std::nullopt) << neither;
}

TEST(Names, casesOfLetters) {
  EXPECT_EQ(lowered("Multi_GPU 4\xc3\x89"), "multi_gpu 4\xc3\x89") << "letters of ASCII alone";
  EXPECT_EQ(snakeCase("TrainStep"), "train_step");
  EXPECT_EQ(snakeCase("Host"), "host");
  EXPECT_EQ(snakeCase(""), "");
}
