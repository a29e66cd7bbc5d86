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
  Model model(
      "{}", R"({"do_sample": true, "temperature": 0.6, "top_p": 0.9, "top_k": 20, "repetition_penalty": 1.05, "max_new_tokens": 9,
                       "eos_token_id": [5, 7], "bos_token_id": 1, "pad_token_id": 0})");
  auto settings = readGenerationSettings(model.path, {});
  ASSERT_TRUE(settings.ok()) << settings.status().toString();
  EXPECT_TRUE(settings->sample);
  EXPECT_EQ(settings->temperature, 0.6);
  EXPECT_EQ(settings->topP, 0.9);
  EXPECT_EQ(settings->topK, 20);
  EXPECT_EQ(settings->repetitionPenalty, 1.05);
  EXPECT_EQ(settings->newTokens, 9);
  EXPECT_EQ(settings->ends, (std::vector<int32_t>{5, 7}));
  EXPECT_TRUE(settings->notes.empty());
  GenerationFlags flags;
  flags.sample = false;
  flags.topK = 0;
  flags.newTokens = 3;
  settings = readGenerationSettings(model.path, flags);
  ASSERT_TRUE(settings.ok());
  EXPECT_FALSE(settings->sample);
  EXPECT_EQ(settings->topK, 0);
  EXPECT_EQ(settings->newTokens, 3);
  EXPECT_EQ(settings->temperature, 0.6);
}

TEST(GenerationSettings, WithoutTheFileTheModelSaysWhereTextEnds) {
  Model model(R"({"eos_token_id": 2, "temperature": 9.0})", "");
  auto settings = readGenerationSettings(model.path, {});
  ASSERT_TRUE(settings.ok());
  EXPECT_EQ(settings->ends, (std::vector<int32_t>{2}));
  EXPECT_EQ(settings->temperature, 1);
  EXPECT_FALSE(settings->newTokens);
}

TEST(GenerationSettings, WhatIsNotBuiltIsSaid) {
  Model model("{}", R"({"num_beams": 4, "no_repeat_ngram_size": 0, "min_length": 0, "bad_words_ids": null})");
  auto settings = readGenerationSettings(model.path, {});
  ASSERT_TRUE(settings.ok());
  ASSERT_EQ(settings->notes.size(), 1u);
  EXPECT_NE(settings->notes[0].find("num_beams is 4"), std::string::npos);
}

TEST(GenerationSettings, BadValuesAreRefused) {
  struct Bad {
    const char *file;
    ErrorCode code;
    const char *says;
  };
  const Bad bad[] = {{"[1]", ErrorCode::Json, "is not a JSON object"},
                     {R"({"do_sample": "yes"})", ErrorCode::Json, "do_sample is \"yes\", expected true or false"},
                     {R"({"top_k": -1})", ErrorCode::Config, "--top_k: is -1"},
                     {R"({"top_k": 1.5})", ErrorCode::Json, "top_k is 1.5, expected a whole number"},
                     {R"({"max_new_tokens": -3})", ErrorCode::Json, "max_new_tokens is -3"},
                     {R"({"max_new_tokens": 0})", ErrorCode::Config, "--max_new_tokens: is 0"},
                     {R"({"do_sample": true, "temperature": 0.0})", ErrorCode::Config, "--temperature: is 0"},
                     {R"({"do_sample": true, "top_p": 1.1})", ErrorCode::Config, "--top_p: is 1.1"},
                     {R"({"repetition_penalty": 0})", ErrorCode::Config, "--repetition_penalty: is 0"},
                     {R"({"eos_token_id": [1, -2]})", ErrorCode::Json, "eos_token_id holds -2"}};
  for (const Bad &b : bad) {
    Model model("{}", b.file);
    auto settings = readGenerationSettings(model.path, {});
    ASSERT_FALSE(settings.ok()) << b.file;
    EXPECT_EQ(settings.status().code(), b.code) << b.file;
    EXPECT_NE(settings.status().message().find(b.says), std::string::npos) << settings.status().message();
  }
  EXPECT_EQ(readGenerationSettings("/nowhere", {}).status().code(), ErrorCode::FileMissing);
}

} // namespace
} // namespace zp::rt
