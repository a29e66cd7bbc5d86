// fixtures/searches.json: what transformers' `generate` says with settings of many kinds (make_searches.py: how).
#include "runtime/generation/text_search.h"

#include <filesystem>
#include <fstream>

#include <nlohmann/json.hpp>

#include <gtest/gtest.h>

namespace zp::rt {
namespace {

using nlohmann::json;
using Tokens = std::vector<int32_t>;

/// The model of make_searches.py: whole numbers until the end, so that both say the very same.
std::vector<float> logitsOf(int64_t last, int64_t before, int64_t vocabulary) {
  std::vector<float> logits;
  for (int64_t token = 0; token < vocabulary; ++token)
    logits.push_back(static_cast<float>(
        static_cast<double>((last * 7919 + before * 104729 + token * token * 31 + token * (last * 3 + 1) * 977) % 1009) / 1009.0 * 5));
  return logits;
}

/// Settings as a model's file says them.
GenerationSettings settingsFrom(const json &values) {
  char name[] = "/tmp/searches-XXXXXX";
  const std::string folder = mkdtemp(name);
  std::ofstream(folder + "/generation_config.json") << values;
  auto settings = readGenerationSettings(folder, {});
  std::filesystem::remove_all(folder);
  EXPECT_TRUE(settings.ok()) << settings.status().toString();
  return *settings;
}

Continuation say(const Tokens &prompt, const GenerationSettings &settings, int64_t vocabulary) {
  const uint64_t most = settings.max_new_tokens ? prompt.size() + *settings.max_new_tokens : *settings.max_length;
  auto search = makeSearch({prompt, prompt, 0, most, &settings, nullptr});
  while (!search->over()) {
    std::vector<float> logits;
    for (uint64_t beam = 0; beam < search->beams(); ++beam) {
      auto tokens = search->tokens(beam);
      auto row = logitsOf(tokens.back(), tokens.size() > 1 ? tokens[tokens.size() - 2] : 0, vocabulary);
      logits.insert(logits.end(), row.begin(), row.end());
    }
    std::vector<Tokens> before;
    for (uint64_t beam = 0; beam < search->beams(); ++beam)
      before.emplace_back(search->tokens(beam).begin(), search->tokens(beam).end());
    search->step(logits);
    // A beam goes on from the beam that it says.
    for (uint64_t beam = 0; beam < search->beams(); ++beam)
      EXPECT_TRUE(std::ranges::equal(before[search->origin(beam)], search->tokens(beam).first(before[0].size())));
  }
  return search->result();
}

TEST(TextSearch, SaysWhatTheReferenceSays) {
  const json fixture = json::parse(std::ifstream(ZP_TESTS "/unit/runtime/generation/fixtures/searches.json"));
  ASSERT_GE(fixture["searches"].size(), 300u);
  for (const json &one : fixture["searches"]) {
    const GenerationSettings settings = settingsFrom(one["settings"]);
    const Tokens expected = one["tokens"];
    const Continuation got = say(one["prompt"], settings, fixture["vocabulary"]);
    EXPECT_EQ(got.tokens, expected) << one["prompt"] << " " << one["settings"];
    EXPECT_EQ(got.ended, !expected.empty() && settings.isEnd(expected.back())) << one["settings"];
  }
}

TEST(TextSearch, BeamsEndWhereAStopStringDoes) {
  const std::vector<std::string> texts = {"a", "b", "c", "d", "st", "op", "x", "y"};
  GenerationSettings settings = settingsFrom({{"num_beams", 2}, {"max_new_tokens", 20}, {"stop_strings", {"stop"}}, {"early_stopping", true}});
  const Tokens prompt = {6};
  auto search = makeSearch({prompt, prompt, 0, 21, &settings, &texts});
  while (!search->over()) { // "st" is likeliest, then "op"
    std::vector<float> logits(2 * texts.size());
    for (uint64_t beam = 0; beam < 2; ++beam)
      logits[beam * texts.size() + (search->tokens(beam).back() == 4 ? 5 : 4)] = 3;
    search->step(logits);
  }
  EXPECT_EQ(search->result().tokens, (Tokens{4, 5}));
  EXPECT_TRUE(search->result().ended);
}

} // namespace
} // namespace zp::rt
