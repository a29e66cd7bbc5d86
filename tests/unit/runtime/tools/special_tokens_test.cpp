// A saved model names its tokenizer's tokens, as transformers 5.23's Trainer has both configurations name them (align_special_tokens).
#include "runtime/tools/zprun/special_tokens.h"

#include "runtime/tools/zprun/model_files.h"

#include <gtest/gtest.h>

#include "tests/unit/runtime/io/temporary_directory.h"

namespace zp::rt {
namespace {

using nlohmann::ordered_json;

struct Configs {
  ordered_json config, generation;
};
Configs aligned(const SpecialTokens &tokens, const char *config, const char *generation) {
  Configs both{ordered_json::parse(config), ordered_json::parse(generation)};
  alignSpecialTokens(tokens, both.config, both.generation);
  return both;
}

TEST(SpecialTokens, anotherEndIsAddedWhereThereAreSeveral) {
  Configs both = aligned({.end = 5}, R"({"eos_token_id": 2})", R"({"eos_token_id": [2, 7]})");
  EXPECT_EQ(both.config.dump(), R"({"eos_token_id":5})");
  EXPECT_EQ(both.generation.dump(), R"({"eos_token_id":[5,2,7]})");
  both = aligned({.end = 5}, R"({"eos_token_id": [2, 7]})", R"({"eos_token_id": 2})");
  EXPECT_EQ(both.config.dump(), R"({"eos_token_id":[5,2,7]})");
  EXPECT_EQ(both.generation.dump(), R"({"eos_token_id":[5,2]})");
  both = aligned({.end = 5}, R"({"eos_token_id": null})", R"({})");
  EXPECT_EQ(both.config.dump() + both.generation.dump(), R"({"eos_token_id":5}{"eos_token_id":[5]})");
}

TEST(SpecialTokens, whatBothNameStays) {
  Configs both = aligned({.end = 2}, R"({"eos_token_id": 2})", R"({"eos_token_id": [7, 2]})");
  EXPECT_EQ(both.config.dump() + both.generation.dump(), R"({"eos_token_id":2}{"eos_token_id":[7,2]})");
  both = aligned({.end = 2}, R"({"eos_token_id": 2})", R"({"eos_token_id": 7})");
  EXPECT_EQ(both.config.dump() + both.generation.dump(), R"({"eos_token_id":2}{"eos_token_id":[2,7]})") << "one of them doesn't name it";
  both = aligned({}, R"({"eos_token_id": 2})", R"({"eos_token_id": 3})");
  EXPECT_EQ(both.config.dump() + both.generation.dump(), R"({"eos_token_id":2}{"eos_token_id":3})") << "a tokenizer that names none";
}

TEST(SpecialTokens, beginAndPaddingAreOne) {
  const Configs both = aligned({.begin = 1, .padding = 9}, R"({"bos_token_id": [0, 1], "pad_token_id": 3})", R"({"bos_token_id": 0})");
  EXPECT_EQ(both.config.dump(), R"({"bos_token_id":1,"pad_token_id":9})");
  EXPECT_EQ(both.generation.dump(), R"({"bos_token_id":1,"pad_token_id":9})");
}

TEST(SpecialTokens, areFoundInATokenizersFiles) {
  test::TemporaryDirectory folder;
  EXPECT_FALSE(specialTokensOf(folder.path).end) << "no files";
  folder.write("tokenizer_config.json", R"({"eos_token": {"content": "<end>"}, "pad_token": "<strange>"})");
  folder.write("special_tokens_map.json", R"({"bos_token": "b", "eos_token": "b"})");
  EXPECT_FALSE(specialTokensOf(folder.path).end) << "no tokenizer";
  folder.write("tokenizer.json", R"({"added_tokens": [{"id": 12, "content": "<end>"}], "model": {"vocab": {"a": 0, "b": 1, "<end>": 3}}})");
  SpecialTokens tokens = specialTokensOf(folder.path);
  EXPECT_EQ(tokens.end, 1) << "the older file goes before a configuration that doesn't list its tokens";
  EXPECT_EQ(tokens.begin, 1);
  EXPECT_FALSE(tokens.padding);
  folder.write("tokenizer_config.json", R"({"eos_token": {"content": "<end>"}, "added_tokens_decoder": {}})");
  tokens = specialTokensOf(folder.path);
  EXPECT_EQ(tokens.end, 12);
  EXPECT_FALSE(tokens.begin) << "and isn't read beside one that does";
  folder.write("tokenizer_config.json", R"({"pad_token": "<strange>", "added_tokens_decoder": {"9": {"content": "<strange>"}}})");
  EXPECT_EQ(specialTokensOf(folder.path).padding, 9) << "a token of the configuration alone";
}

TEST(Tokenizers, ofAMistralAreReadAsTheyStand) {
  EXPECT_EQ(readAsItStands(R"({"legacy": false, "tokenizer_class": "LlamaTokenizer"})"),
            "{\n  \"legacy\": false,\n  \"tokenizer_class\": \"PreTrainedTokenizerFast\"\n}\n");
  for (const char *same : {R"({"tokenizer_class": "TokenizersBackend"})", "{}", "no JSON"})
    EXPECT_EQ(readAsItStands(same), same);
}

} // namespace
} // namespace zp::rt
