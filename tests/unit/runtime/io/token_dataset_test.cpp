// What a token file must be, and what is counted in it.
#include "runtime/io/token_dataset.h"

#include <functional>

#include <gtest/gtest.h>

#include "runtime/io/safetensors_writer.h"
#include "tests/unit/runtime/io/temporary_directory.h"

namespace zp::rt {
namespace {

struct Columns {
  // two rows of four tokens: the second has two documents and padding
  std::vector<int32_t> ids = {1, 2, 3, 4, 5, 6, 7, 0};
  std::vector<int32_t> labels = {1, -100, 3, 4, -100, 6, -100, -100};
  std::vector<int32_t> positions = {0, 1, 2, 3, 0, 1, 0, 0};
  std::vector<int32_t> segments = {0, 0, 0, 0, 0, 0, 1, -1};
  uint64_t rows = 2, length = 4;
  const char *leaveOut = "";
};

class TokenFile : public testing::Test {
protected:
  std::string write(const Columns &c) {
    std::string path = directory.file("tokens.safetensors");
    const std::vector<int32_t> *data[] = {&c.ids, &c.labels, &c.positions, &c.segments};
    std::vector<SafetensorsEntry> entries;
    for (const char *name : kTokenColumns)
      if (name != std::string(c.leaveOut))
        entries.push_back({name, SafetensorsDtype::I32, {c.rows, c.length}});
    auto writer = SafetensorsWriter::create(path, entries, nullptr);
    for (size_t i = 0; i < 4; ++i)
      if (kTokenColumns[i] != std::string(c.leaveOut)) {
        EXPECT_TRUE(writer->write(kTokenColumns[i], 0, data[i]->data(), data[i]->size() * 4).ok());
      }
    EXPECT_TRUE(writer->finish().ok());
    return path;
  }
  Status open(const std::function<void(Columns &)> &edit, uint64_t length = 4, uint32_t vocabulary = 8) {
    Columns columns;
    edit(columns);
    return TokenDataset::open(write(columns), length, vocabulary).status();
  }
  void expect(const Status &status, ErrorCode code, const std::string &says) {
    EXPECT_EQ(status.code(), code) << status.toString();
    EXPECT_NE(status.message().find(says), std::string::npos) << status.message();
  }
  test::TemporaryDirectory directory;
};

TEST_F(TokenFile, CountsWhatRowsHold) {
  auto dataset = TokenDataset::open(write({}), 4, 8);
  ASSERT_TRUE(dataset.ok()) << dataset.status().toString();
  EXPECT_EQ(dataset->rows(), 2u);
  EXPECT_EQ(dataset->row(0).countedLabels, 2u) << "nothing predicts the label at position 0";
  EXPECT_EQ(dataset->row(1).countedLabels, 1u);
  EXPECT_EQ(dataset->row(0).tokens, 4u);
  EXPECT_EQ(dataset->row(1).tokens, 3u);
  EXPECT_EQ(dataset->row(1).length, 3u);
  int32_t out[3];
  dataset->copy(TokenColumn::InputIds, 1, 3, out);
  EXPECT_EQ(out[0], 5);
  EXPECT_EQ(out[2], 7);
  TokenDataset::copyPadding(TokenColumn::Labels, 3, out);
  EXPECT_EQ(out[2], -100);
  TokenDataset::copyPadding(TokenColumn::SegmentIds, 3, out);
  EXPECT_EQ(out[0], -1);
}

TEST_F(TokenFile, ALabelOnPaddingStillCounts) {
  auto dataset = TokenDataset::open(write([] {
                                      Columns c;
                                      c.labels[7] = 2;
                                      return c;
                                    }()),
                                    4, 8);
  ASSERT_TRUE(dataset.ok());
  EXPECT_EQ(dataset->row(1).length, 4u);
}

TEST_F(TokenFile, RefusesAnotherLength) {
  expect(open([](Columns &) {}, 8), ErrorCode::Dataset, "rows have 4 tokens, expected 8 as the plan has; run zpdata with --max_length 8");
  expect(open([](Columns &) {}, 2), ErrorCode::Dataset, "zpc import with --max_length 4");
}
TEST_F(TokenFile, RefusesMissingColumns) {
  expect(open([](Columns &c) { c.leaveOut = "labels"; }), ErrorCode::Dataset, "has no labels");
}
TEST_F(TokenFile, RefusesIdsBeyondTheVocabulary) {
  expect(open([](Columns &c) { c.ids[6] = 8; }), ErrorCode::TokenRange, "input_ids[1][2] is 8, expected 0 to 7");
  expect(open([](Columns &c) { c.ids[0] = -1; }), ErrorCode::TokenRange, "input_ids[0][0] is -1");
  expect(open([](Columns &c) { c.labels[1] = 8; }), ErrorCode::TokenRange, "labels[0][1] is 8, expected -100 or 0 to 7");
  expect(open([](Columns &c) { c.labels[1] = -1; }), ErrorCode::TokenRange, "labels[0][1] is -1");
}
TEST_F(TokenFile, RefusesOddPositionsAndSegments) {
  expect(open([](Columns &c) { c.positions[3] = 4; }), ErrorCode::Dataset, "position_ids[0][3] is 4, expected 0 to 3");
  expect(open([](Columns &c) { c.segments[3] = -2; }), ErrorCode::Dataset, "segment_ids[0][3] is -2");
}
TEST_F(TokenFile, RefusesNoRows) {
  expect(open([](Columns &c) {
           c.rows = 0;
           c.ids = c.labels = c.positions = c.segments = {};
         }),
         ErrorCode::Dataset, "has no rows");
}

} // namespace
} // namespace zp::rt
