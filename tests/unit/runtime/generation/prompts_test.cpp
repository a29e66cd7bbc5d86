#include "runtime/generation/prompts.h"

#include <filesystem>
#include <unistd.h>

#include "runtime/io/safetensors_writer.h"

#include <gtest/gtest.h>

namespace zp::rt {
namespace {

using Rows = std::vector<std::vector<int32_t>>;

class File {
public:
  File(const Rows &ids, const Rows &segments, const SafetensorsWriter::Metadata *metadata = nullptr)
      : path("/tmp/prompts-" + std::to_string(getpid()) + ".safetensors") {
    auto entry = [](const char *name, const Rows &rows) { return SafetensorsEntry{name, SafetensorsDtype::I32, {rows.size(), rows[0].size()}}; };
    auto writer = SafetensorsWriter::create(path, {entry("input_ids", ids), entry("segment_ids", segments)}, metadata);
    EXPECT_TRUE(writer.ok());
    for (const auto &[name, rows] : {std::pair("input_ids", &ids), std::pair("segment_ids", &segments)})
      for (size_t row = 0; row < rows->size(); ++row)
        EXPECT_TRUE(writer->write(name, row * (*rows)[row].size() * 4, (*rows)[row].data(), (*rows)[row].size() * 4).ok());
    EXPECT_TRUE(writer->finish().ok());
  }
  ~File() { std::filesystem::remove(path); }
  std::string path;
};

TEST(Prompts, TokensUpToThePadding) {
  File file({{4, 5, 6, 0}, {7, 0, 0, 0}, {0, 0, 2, 1}}, {{0, 0, 0, -1}, {0, -1, -1, -1}, {-1, -1, 0, 0}});
  auto prompts = readPrompts(file.path, 8, {3});
  ASSERT_TRUE(prompts.ok()) << prompts.status().toString();
  EXPECT_EQ(prompts->rows, (Rows{{4, 5, 6}, {7}, {2, 1}}));
  EXPECT_FALSE(prompts->end);
}

TEST(Prompts, TheFilesOwnEnd) {
  auto endOf = [](const char *text) {
    const SafetensorsWriter::Metadata metadata = {{"eos_token_id", text}};
    File file({{4}}, {{0}}, &metadata);
    return readPrompts(file.path, 8, {3});
  };
  EXPECT_EQ(endOf("7")->end, 7);
  EXPECT_FALSE(endOf("8")->end); // the model can't say it
  EXPECT_EQ(endOf("seven").status().code(), ErrorCode::Dataset);
  EXPECT_EQ(endOf("-1").status().code(), ErrorCode::Dataset);
}

TEST(Prompts, WhatCannotBeContinuedIsRefused) {
  struct Bad {
    Rows ids, segments;
    ErrorCode code;
    const char *says;
  };
  const Bad bad[] = {{{{1, 2, 3}}, {{0, 0, 0}}, ErrorCode::Dataset, "row 0: has 3 tokens, expected at most 2"},
                     {{{1, 2}, {3, 3}}, {{0, 0}, {-1, -1}}, ErrorCode::Dataset, "row 1: is an empty prompt"},
                     {{{1, 8}}, {{0, 0}}, ErrorCode::TokenRange, "row 0: token 1 is 8, expected 0 to 7"},
                     {{{-1, 1}}, {{0, 0}}, ErrorCode::TokenRange, "row 0: token 0 is -1"},
                     {{{1, 2}}, {{0, 1}}, ErrorCode::Dataset, "token 1 is of document 1"},
                     {{{1, 2}}, {{0}}, ErrorCode::Dataset, "expected one shape"},
                     {{{}}, {{}}, ErrorCode::Dataset, "its tokens are [1, 0] and their segments [1, 0]"}};
  for (const Bad &b : bad) {
    File file(b.ids, b.segments);
    auto prompts = readPrompts(file.path, 8, {2});
    ASSERT_FALSE(prompts.ok()) << b.says;
    EXPECT_EQ(prompts.status().code(), b.code) << b.says;
    EXPECT_NE(prompts.status().message().find(b.says), std::string::npos) << prompts.status().message();
  }
  EXPECT_EQ(readPrompts("/nowhere", 8, {2}).status().code(), ErrorCode::FileMissing);
}

TEST(Prompts, RowsOfNoTokensAreRefusedHoweverManyAFileClaims) {
  const std::string path = "/tmp/prompts-" + std::to_string(getpid()) + ".safetensors";
  const std::vector<uint64_t> shape = {uint64_t{1} << 60, 0};
  auto writer =
      SafetensorsWriter::create(path, {{"input_ids", SafetensorsDtype::I32, shape}, {"segment_ids", SafetensorsDtype::I32, shape}}, nullptr);
  ASSERT_TRUE(writer.ok()) << writer.status().toString();
  ASSERT_TRUE(writer->finish().ok());
  Status status = readPrompts(path, 8, {2}).status();
  std::filesystem::remove(path);
  EXPECT_EQ(status.code(), ErrorCode::Dataset) << status.toString();
  EXPECT_NE(status.message().find("with a row of a token at least"), std::string::npos) << status.message();
}

} // namespace
} // namespace zp::rt
