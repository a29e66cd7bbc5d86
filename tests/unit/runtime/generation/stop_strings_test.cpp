// The examples are those of the reference's own documentation of its rule (transformers 5.23, StopStringCriteria).
#include "runtime/generation/stop_strings.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace zp::rt {
namespace {

bool ends(const std::vector<std::string> &stops, const std::vector<std::string> &texts) {
  std::vector<int32_t> tokens(texts.size());
  std::generate(tokens.begin(), tokens.end(), [n = 0]() mutable { return n++; });
  return StopStrings(stops, texts).end(tokens);
}

TEST(StopStrings, EndWithinTheLastToken) {
  for (const std::vector<std::string> &texts : std::vector<std::vector<std::string>>{
           {"st", "op"}, {"stop"}, {"st", "opera"}, {"sto", "pper"}, {"las", "topper"}, {"s", "to", "pped"}, {"", "stopped"}})
    EXPECT_TRUE(ends({"stop"}, texts)) << texts.back();
  for (const std::vector<std::string> &texts :
       std::vector<std::vector<std::string>>{{"stop", "at"}, {"st", "op", "at"}, {"st", "opera", "tion"}, {"stop", ""}, {"sto"}, {"top"}, {""}})
    EXPECT_FALSE(ends({"stop"}, texts)) << texts.back();
}

TEST(StopStrings, AnyOfThemAndOneThatComesTwice) {
  EXPECT_TRUE(ends({"x", "op"}, {"st", "op"}));
  EXPECT_TRUE(ends({"aa"}, {"aa", "a"})); // the first is over before the last token, the second isn't
  EXPECT_FALSE(ends({}, {"stop"}));
}

// A model may have more tokens than its tokenizer; checked with the reference.
TEST(StopStrings, NoneGoesOverATokenWithoutText) {
  const std::vector<std::string> stops = {"ab"}, texts = {"a", "b"};
  EXPECT_TRUE(StopStrings(stops, texts).end(std::vector<int32_t>{9, 0, 1}));
  EXPECT_FALSE(StopStrings(stops, texts).end(std::vector<int32_t>{0, 9, 1}));
  EXPECT_FALSE(StopStrings(stops, texts).end(std::vector<int32_t>{0, 1, 9}));
  EXPECT_FALSE(StopStrings(stops, texts).end({}));
}

} // namespace
} // namespace zp::rt
