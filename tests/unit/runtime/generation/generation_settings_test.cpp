#include "runtime/generation/generation_settings.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

namespace zp::rt {
namespace {

/// A model's directory with these two files; an empty text is no file.
class Model {
public:
  Model(const std::string &config, const std::string &generation) {
    char name[] = "/tmp/generation-XXXXXX";
    path = mkdtemp(name);
    write("config.json", config);
    write("generation_config.json", generation);
  }
  ~Model() { std::filesystem::remove_all(path); }
  std::string path;

private:
  void write(const std::string &name, const std::string &text) {
    if (!text.empty())
      std::ofstream(path + "/" + name) << text;
  }
};

TEST(GenerationSettings, TheFileThenTheFlags) {
  Model model("{}", R"({"do_sample": true, "temperature": 0.6, "top_p": 0.9, "top_k": 20, "repetition_penalty": 1.05, "max_new_tokens": 9,
                       "eos_token_id": [5, 7], "bos_token_id": 1, "pad_token_id": 0})");
  auto settings = readGenerationSettings(model.path, {});
  ASSERT_TRUE(settings.ok()) << settings.status().toString();
  EXPECT_TRUE(settings->do_sample);
  EXPECT_EQ(settings->temperature, 0.6);
  EXPECT_EQ(settings->top_p, 0.9);
  EXPECT_EQ(settings->top_k, 20u);
  EXPECT_EQ(settings->repetition_penalty, 1.05);
  EXPECT_EQ(settings->max_new_tokens, 9u);
  EXPECT_EQ(settings->eos_token_id, (std::vector<int32_t>{5, 7}));
  EXPECT_TRUE(settings->notes.empty());
  EXPECT_FALSE(settings->noOtherEnds);
  GenerationFlags flags;
  flags.eos_token_id = {3};
  flags.do_sample = false;
  flags.top_k = 0;
  flags.max_new_tokens = 3;
  settings = readGenerationSettings(model.path, flags);
  ASSERT_TRUE(settings.ok());
  EXPECT_FALSE(settings->do_sample);
  EXPECT_EQ(settings->top_k, 0u);
  EXPECT_EQ(settings->max_new_tokens, 3u);
  EXPECT_EQ(settings->temperature, 0.6);
  EXPECT_EQ(settings->eos_token_id, std::vector<int32_t>{3});
  EXPECT_TRUE(settings->noOtherEnds);
}

TEST(GenerationSettings, BeamsAndForcedTokens) {
  Model model("{}", R"({"num_beams": 4, "length_penalty": 2, "early_stopping": true, "no_repeat_ngram_size": 3, "forced_bos_token_id": 0,
                        "forced_eos_token_id": 2, "eos_token_id": 2, "decoder_start_token_id": 2, "min_length": 5, "max_length": 30,
                        "suppress_tokens": [7, 8], "stop_strings": ["a", "b"], "min_p": 0.1})");
  auto settings = readGenerationSettings(model.path, {});
  ASSERT_TRUE(settings.ok()) << settings.status().toString();
  EXPECT_EQ(settings->num_beams, 4u);
  EXPECT_EQ(settings->length_penalty, 2);
  EXPECT_EQ(settings->early_stopping, EarlyStopping::Yes);
  EXPECT_EQ(settings->no_repeat_ngram_size, 3u);
  EXPECT_EQ(settings->forced_bos_token_id, 0);
  EXPECT_EQ(settings->forced_eos_token_id, (std::vector<int32_t>{2}));
  EXPECT_EQ(settings->decoder_start_token_id, 2);
  EXPECT_EQ(settings->min_length, 5u);
  EXPECT_EQ(settings->max_length, 30u);
  EXPECT_EQ(settings->suppress_tokens, (std::vector<int32_t>{7, 8}));
  EXPECT_EQ(settings->stop_strings, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(settings->min_p, 0.1);
  GenerationFlags flags;
  flags.early_stopping = EarlyStopping::Never;
  flags.num_beams = 2;
  flags.suppress_tokens = {9};
  settings = readGenerationSettings(model.path, flags);
  ASSERT_TRUE(settings.ok());
  EXPECT_EQ(settings->early_stopping, EarlyStopping::Never);
  EXPECT_EQ(settings->num_beams, 2u);
  EXPECT_EQ(settings->suppress_tokens, (std::vector<int32_t>{9}));
}

TEST(GenerationSettings, OneOfTheLengthsHolds) {
  Model model("{}", R"({"max_length": 30, "max_new_tokens": 9})");
  GenerationFlags flags;
  flags.max_length = 12;
  auto settings = readGenerationSettings(model.path, flags);
  ASSERT_TRUE(settings.ok());
  EXPECT_EQ(settings->max_length, 12u);
  EXPECT_FALSE(settings->max_new_tokens); // the flag's before the file's
}

// Checked with transformers 5.23, which asks generation_config.json alone.
TEST(GenerationSettings, ADecoderWithoutATokenOfItsOwnBeginsWithTheTexts) {
  GenerationFlags flags;
  Model both("{}", R"({"bos_token_id": 4, "decoder_start_token_id": 2})"), text(R"({"decoder_start_token_id": 2})", R"({"bos_token_id": 4})");
  EXPECT_EQ(readGenerationSettings(both.path, flags)->decoder_start_token_id, 2);
  EXPECT_EQ(readGenerationSettings(text.path, flags)->decoder_start_token_id, 4);
  flags.decoder_start_token_id = 7;
  EXPECT_EQ(readGenerationSettings(text.path, flags)->decoder_start_token_id, 7);
  Model several("{}", R"({"bos_token_id": [4, 5]})");
  EXPECT_FALSE(readGenerationSettings(several.path, {})->decoder_start_token_id);
}

// Checked with transformers 5.23: a model without the file generates as its config says.
TEST(GenerationSettings, WithoutTheFileTheModelsConfigSays) {
  Model model(R"({"eos_token_id": 2, "temperature": 9.0, "num_beams": 4, "vocab_size": 5, "typical_p": 0.5})", "");
  auto settings = readGenerationSettings(model.path, {});
  ASSERT_TRUE(settings.ok());
  EXPECT_EQ(settings->eos_token_id, (std::vector<int32_t>{2}));
  EXPECT_EQ(settings->temperature, 9);
  EXPECT_EQ(settings->num_beams, 4u);
  EXPECT_FALSE(settings->max_new_tokens);
  EXPECT_EQ(settings->notes.size(), 1u); // of typical_p; what else a model's config says is no matter of text
}

TEST(GenerationSettings, WhatIsNotBuiltOrNotKnownIsSaid) {
  Model model("{}", R"({"num_beam_groups": 4, "typical_p": 1.0, "no_repeat_ngram_size": 0, "bad_words_ids": null, "use_cache": true, "beams": 4,
                        "guidance_scale": 1.0})");
  auto settings = readGenerationSettings(model.path, {});
  ASSERT_TRUE(settings.ok());
  ASSERT_EQ(settings->notes.size(), 2u);
  EXPECT_NE(settings->notes[0].find("num_beam_groups is 4"), std::string::npos);
  EXPECT_NE(settings->notes[1].find("beams is not a key that is known"), std::string::npos);
}

TEST(GenerationSettings, BadValuesAreRefused) {
  struct Bad {
    const char *file;
    ErrorCode code;
    const char *says;
  };
  const std::string deep = R"({"top_k": )" + std::string(200000, '[') + std::string(200000, ']') + "}";
  const Bad bad[] = {{"[1]", ErrorCode::Json, "is not a JSON object"},
                     {deep.c_str(), ErrorCode::Json, "is not a JSON object of at most 100 levels"},
                     {R"({"do_sample": "yes"})", ErrorCode::Json, "do_sample is \"yes\", expected true or false"},
                     {R"({"top_k": -1})", ErrorCode::Json, "top_k is -1, expected a whole number from 0"},
                     {R"({"top_k": 1.5})", ErrorCode::Json, "top_k is 1.5, expected a whole number"},
                     {R"({"max_new_tokens": -3})", ErrorCode::Json, "max_new_tokens is -3"},
                     {R"({"max_new_tokens": 0})", ErrorCode::Config, "--max_new_tokens: is 0"},
                     {R"({"do_sample": true, "temperature": 0.0})", ErrorCode::Config, "--temperature: is 0"},
                     {R"({"do_sample": true, "top_p": 1.1})", ErrorCode::Config, "--top_p: is 1.1"},
                     {R"({"repetition_penalty": 0})", ErrorCode::Config, "--repetition_penalty: is 0"},
                     {R"({"eos_token_id": [1, -2]})", ErrorCode::Json, "eos_token_id is [1,-2], expected a token id"},
                     {R"({"early_stopping": "sometimes"})", ErrorCode::Json, "expected true, false or \"never\""},
                     {R"({"num_beams": 0})", ErrorCode::Config, "--num_beams: is 0"},
                     {R"({"num_beams": 2, "do_sample": true})", ErrorCode::Config, "--num_beams: is 2, expected 1 beside --do_sample true"},
                     {R"({"min_p": 2, "do_sample": true})", ErrorCode::Config, "--min_p: is 2"},
                     {R"({"max_length": 0})", ErrorCode::Config, "--max_length: is 0"},
                     {R"({"stop_strings": [""]})", ErrorCode::Config, "--stop_strings: is \"\""},
                     {R"({"suppress_tokens": [3], "forced_bos_token_id": 3})", ErrorCode::Config, "--forced_bos_token_id: is 3"},
                     {R"({"suppress_tokens": [3, 4], "forced_eos_token_id": [4]})", ErrorCode::Config, "--forced_eos_token_id: is [4]"}};
  for (const Bad &b : bad) {
    Model model("{}", b.file);
    auto settings = readGenerationSettings(model.path, {});
    ASSERT_FALSE(settings.ok()) << b.file;
    EXPECT_EQ(settings.status().code(), b.code) << b.file;
    EXPECT_NE(settings.status().message().find(b.says), std::string::npos) << settings.status().message();
  }
  EXPECT_EQ(readGenerationSettings("/nowhere", {}).status().code(), ErrorCode::FileMissing);
}

TEST(GenerationSettings, TokensThatAreForcedOrForbiddenAreOfTheVocabulary) {
  constexpr uint32_t kVocabulary = 8;
  auto check = [](const char *file, bool startUsed = true) {
    Model model("{}", file);
    auto settings = readGenerationSettings(model.path, {});
    return settings.ok() ? checkTokens(*settings, kVocabulary, startUsed) : settings.status();
  };
  EXPECT_TRUE(check(R"({"decoder_start_token_id": 0, "forced_bos_token_id": 7, "forced_eos_token_id": [0, 7], "suppress_tokens": [1],
                        "begin_suppress_tokens": [2], "eos_token_id": 9})")
                  .ok()); // an end that can't be said ends nothing
  const std::pair<const char *, const char *> bad[] = {
      {R"({"decoder_start_token_id": 8})", "--decoder_start_token_id: is 8, expected a token from 0 to 7"},
      {R"({"forced_bos_token_id": 8})", "--forced_bos_token_id: is 8"},
      {R"({"forced_eos_token_id": [7, 2147483647]})", "--forced_eos_token_id: is 2147483647"},
      {R"({"suppress_tokens": [1, 9]})", "--suppress_tokens: is 9"},
      {R"({"begin_suppress_tokens": [8]})", "--begin_suppress_tokens: is 8"}};
  for (const auto &[file, says] : bad) {
    const Status status = check(file);
    EXPECT_EQ(status.code(), ErrorCode::TokenRange) << file;
    EXPECT_NE(status.message().find(says), std::string::npos) << status.message();
  }
  EXPECT_TRUE(check(R"({"decoder_start_token_id": 8})", false).ok()) << "a decoder alone begins with its prompt";
  GenerationSettings given; // by flags, which may be negative
  given.forced_bos_token_id = -1;
  EXPECT_EQ(checkTokens(given, kVocabulary, true).code(), ErrorCode::TokenRange);
}

} // namespace
} // namespace zp::rt
