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
  // of an encoder, when `sourceLength` says so
  std::vector<int32_t> sourceIds = {7, 6, 5, 4, 3, 0};
  std::vector<int32_t> sourcePositions = {0, 1, 2, 0, 1, 0};
  std::vector<int32_t> sourceSegments = {0, 0, 0, 0, 0, -1};
  uint64_t sourceRows = 2, sourceLength = 0;
  bool emptySource = false; // the columns are there, with rows of no tokens
  std::string leaveOut, kind;
};

void addSource(Columns &columns) { columns.sourceLength = 3; }

class TokenFile : public testing::Test {
protected:
  std::string write(const Columns &c) {
    std::string path = directory.file("tokens.safetensors");
    const std::vector<int32_t> *data[] = {&c.ids, &c.labels, &c.positions, &c.segments, &c.sourceIds, &c.sourcePositions, &c.sourceSegments};
    std::vector<SafetensorsEntry> entries;
    std::vector<size_t> written;
    for (size_t i = 0; i < kTokenColumns.size(); ++i) {
      const bool source = isSource(static_cast<TokenColumn>(i));
      if (kTokenColumns[i] == c.leaveOut || (source && c.sourceLength == 0 && !c.emptySource))
        continue;
      entries.push_back({kTokenColumns[i], SafetensorsDtype::I32, {source ? c.sourceRows : c.rows, source ? c.sourceLength : c.length}});
      written.push_back(i);
    }
    SafetensorsWriter::Metadata metadata = {{"kind", c.kind}};
    auto writer = SafetensorsWriter::create(path, entries, c.kind.empty() ? nullptr : &metadata);
    for (size_t i : written)
      EXPECT_TRUE(writer->write(kTokenColumns[i], 0, data[i]->data(), data[i]->size() * 4).ok());
    EXPECT_TRUE(writer->finish().ok());
    return path;
  }
  Status open(const std::function<void(Columns &)> &edit, uint64_t length = 4, uint32_t vocabulary = 8, uint64_t sourceLength = 0) {
    Columns columns;
    edit(columns);
    return TokenDataset::open(write(columns), length, vocabulary, sourceLength).status();
  }
  /// A file with a source side, changed, in a plan that reads one of three tokens.
  Status openPair(const std::function<void(Columns &)> &edit, uint64_t sourceLength = 3) {
    return open([&](Columns &c) { addSource(c), edit(c); }, 4, 8, sourceLength);
  }
  void expect(const Status &status, ErrorCode code, const std::string &says) {
    EXPECT_EQ(status.code(), code) << status.toString();
    EXPECT_NE(status.message().find(says), std::string::npos) << status.message();
  }
  zp::test::TemporaryDirectory directory;
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

TEST_F(TokenFile, RefusesRowsOfNoTokens) {
  auto empty = [](Columns &c) {
    c.rows = uint64_t{1} << 60; // no byte of the file says otherwise
    c.length = 0;
    c.ids = c.labels = c.positions = c.segments = {};
  };
  expect(open(empty, 0), ErrorCode::Dataset, "input_ids: is [1152921504606846976, 0], expected rows of a token at least");
  expect(open(empty, 4), ErrorCode::Dataset, "expected rows of a token at least");
  expect(openPair([](Columns &c) {
           c.sourceLength = 0;
           c.emptySource = true;
           c.sourceIds = c.sourcePositions = c.sourceSegments = {};
         }),
         ErrorCode::Dataset, "source_ids: is [2, 0], expected rows of a token at least");
}

TEST_F(TokenFile, ReadsTheSourceSide) {
  Columns columns;
  addSource(columns);
  columns.kind = "seq2seq";
  auto dataset = TokenDataset::open(write(columns), 4, 8, 3);
  ASSERT_TRUE(dataset.ok()) << dataset.status().toString();
  EXPECT_EQ(dataset->sourceLength(), 3u);
  EXPECT_EQ(dataset->columnCount(), 7u);
  EXPECT_EQ(dataset->lengthOf(TokenColumn::SourceIds), 3u);
  EXPECT_EQ(dataset->lengthOf(TokenColumn::Labels), 4u);
  EXPECT_EQ(dataset->row(0).sourceLength, 3u);
  EXPECT_EQ(dataset->row(1).sourceLength, 2u);
  EXPECT_EQ(dataset->row(1).length, 3u);
  EXPECT_EQ(dataset->row(1).tokens, 3u + 2u);
  EXPECT_EQ(dataset->row(1).countedLabels, 1u);
  int32_t out[3];
  dataset->copy(TokenColumn::SourceIds, 1, 3, out);
  EXPECT_EQ(out[0], 4);
  EXPECT_EQ(out[1], 3);
  dataset->copy(TokenColumn::SourceSegmentIds, 1, 3, out);
  EXPECT_EQ(out[2], -1);
  TokenDataset::copyPadding(TokenColumn::SourceSegmentIds, 3, out);
  EXPECT_EQ(out[0], -1);
  TokenDataset::copyPadding(TokenColumn::SourceIds, 3, out);
  EXPECT_EQ(out[0], 0);
}

TEST_F(TokenFile, PaddingOnTheLeftIsPartOfARowsLength) {
  Columns columns;
  columns.segments = {-1, -1, 0, 0, -1, 0, 0, -1};
  columns.positions = {0, 0, 0, 1, 0, 0, 1, 0};
  columns.labels = {-100, -100, -100, 4, -100, -100, 7, -100};
  columns.kind = "causal";
  auto dataset = TokenDataset::open(write(columns), 4, 8);
  ASSERT_TRUE(dataset.ok()) << dataset.status().toString();
  EXPECT_EQ(dataset->row(0).length, 4u);
  EXPECT_EQ(dataset->row(0).tokens, 2u);
  EXPECT_EQ(dataset->row(1).length, 3u);
}

TEST_F(TokenFile, RefusesTheOtherKind) {
  expect(openPair([](Columns &) {}, 0), ErrorCode::Dataset, "rows of an encoder and a decoder, expected a decoder's alone");
  expect(open([](Columns &) {}, 4, 8, 3), ErrorCode::Dataset, "rows of a decoder alone, expected source_ids too");
  expect(open([](Columns &c) { c.kind = "seq2seq"; }), ErrorCode::Dataset, "is of kind \"seq2seq\" and has no source_ids");
  expect(openPair([](Columns &c) { c.kind = "causal"; }), ErrorCode::Dataset, "is of kind \"causal\" and has source_ids");
  expect(open([](Columns &c) { c.kind = "other"; }), ErrorCode::Dataset, "is of kind \"other\"");
}

TEST_F(TokenFile, RefusesADamagedSourceSide) {
  expect(openPair([](Columns &c) { c.leaveOut = "source_segment_ids"; }), ErrorCode::Dataset, "has no source_segment_ids, expected the seven");
  expect(openPair([](Columns &c) { c.leaveOut = "source_ids"; }), ErrorCode::Dataset, "expected source_ids too");
  expect(openPair([](Columns &) {}, 2), ErrorCode::Dataset,
         "rows of the encoder have 3 tokens, expected 2 as the plan has; run zpdata with "
         "--max_source_length 2");
  expect(openPair([](Columns &c) {
           c.sourceRows = 3;
           c.sourceIds = c.sourcePositions = c.sourceSegments = std::vector<int32_t>(9);
         }),
         ErrorCode::Dataset, "source_ids: shape is [3, 3], expected 2 rows");
  expect(openPair([](Columns &c) { c.sourceIds[5] = 8; }), ErrorCode::TokenRange, "source_ids[1][2] is 8, expected 0 to 7");
  expect(openPair([](Columns &c) { c.sourceIds[0] = -100; }), ErrorCode::TokenRange, "source_ids[0][0] is -100");
  expect(openPair([](Columns &c) { c.sourcePositions[1] = 3; }), ErrorCode::Dataset, "source_position_ids[0][1] is 3, expected 0 to 2");
  expect(openPair([](Columns &c) { c.sourceSegments[1] = -2; }), ErrorCode::Dataset, "source_segment_ids[0][1] is -2");
}

} // namespace
} // namespace zp::rt
