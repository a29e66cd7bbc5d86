// Python's re, by cases of its manual: fullmatch, match, groups, and syntax that everyday patterns of PEFT's users have.
#include "runtime/base/name_pattern.h"

#include <gtest/gtest.h>

namespace zp {
namespace {

bool whole(const std::string &pattern, const std::string &name) {
  StatusOr<NamePattern> compiled = NamePattern::compile("--flag", pattern);
  EXPECT_TRUE(compiled.ok()) << compiled.status().message();
  return compiled.ok() && compiled->matchesWhole(name);
}

TEST(NamePattern, MatchesWholeNamesAsPythonDoes) {
  const std::string name = "model.layers.11.self_attn.q_proj";
  EXPECT_TRUE(whole(R"(.*\.(q|v)_proj)", name));
  EXPECT_FALSE(whole("q_proj", name));
  EXPECT_FALSE(whole(R"(model\.layers)", name)); // a beginning is no whole
  EXPECT_TRUE(whole("model|model.*", name));     // a shorter branch comes first: fullmatch goes back
  EXPECT_TRUE(whole(R"(model\.layers\.\d+\..*(?<!k)_proj)", name));
  EXPECT_FALSE(whole(R"(model\.layers\.\d+\..*(?<!q)_proj)", name));
  EXPECT_TRUE(whole(R"((?i).*SELF_ATTN\.Q_PROJ)", name));
  EXPECT_TRUE(whole(R"(.*(?P<which>q|v)_proj\Z)", name));
  EXPECT_TRUE(whole(R"(^.*layers\.(?:[0-9]|1[0-5])\..*(?=_proj)_proj$)", name));
  EXPECT_FALSE(whole(R"((?>.*)_proj)", name)); // an atomic group keeps all
  EXPECT_TRUE(whole(R"(\w+(\.\w+)*)", "a.b.c"));
}

TEST(NamePattern, MatchesBeginnings) {
  const NamePattern layer = *NamePattern::compile("", R"(.*?\.[^.]*\.(\d+)\.)");
  std::string group;
  EXPECT_TRUE(layer.matchesStart("model.layers.11.mlp.3.x", &group));
  EXPECT_EQ(group, "11");
  EXPECT_FALSE(layer.matchesStart("model.norm"));
  const NamePattern end = *NamePattern::compile("", "mlp$");
  EXPECT_TRUE(end.matchesFirst("mlp", 3));
  EXPECT_FALSE(end.matchesFirst("mlp.up", 3)); // the name goes on
  EXPECT_TRUE(NamePattern::compile("", "mlp")->matchesFirst("mlp.up", 3));
}

TEST(NamePattern, SaysWhatDoesNotCompile) {
  const Status refused = NamePattern::compile("adapter_config.json:4: target_modules", ".*(q_proj").status();
  EXPECT_EQ(refused.code(), ErrorCode::Config);
  EXPECT_EQ(refused.message().find("adapter_config.json:4: target_modules: '.*(q_proj' is no regular expression"), 0u) << refused.message();
  EXPECT_NE(refused.message().find("at character 9"), std::string::npos) << refused.message();
}

// Exponential in a backtracking matcher.
TEST(NamePattern, GivesUpInTime) { EXPECT_FALSE(whole("(a+)+b", std::string(60, 'a'))); }

} // namespace
} // namespace zp
