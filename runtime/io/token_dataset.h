// A token file: input_ids, labels, position_ids and segment_ids, i32 [rows, max_length] each, as
// zpdata writes them; for an encoder-decoder they are the decoder's, and source_ids,
// source_position_ids and source_segment_ids, i32 [rows, source_length], are what its encoder
// reads.
//
// Contract. `open` reads every row once and refuses what the plan can't run: a file for the other
// kind of model, another length or none, token ids or labels beyond the vocabulary (TokenRange, row and
// position named), damaged columns. Afterwards nothing is checked again. Every rank maps the whole
// file, so what the ranks must agree on (counts, lengths) is computed from it without a message.
#ifndef ZP_RUNTIME_IO_TOKEN_DATASET_H
#define ZP_RUNTIME_IO_TOKEN_DATASET_H

#include <array>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "runtime/io/safetensors.h"

namespace zp::rt {

enum class TokenColumn { InputIds, Labels, PositionIds, SegmentIds, SourceIds, SourcePositionIds, SourceSegmentIds };
inline constexpr std::array<const char *, 7> kTokenColumns = {
    "input_ids", "labels", "position_ids", "segment_ids", "source_ids", "source_position_ids", "source_segment_ids"};
/// Those that every file has.
inline constexpr std::span<const char *const, 4> kDecoderColumns = std::span(kTokenColumns).first<4>();
inline constexpr int32_t kIgnoredLabel = -100;
inline constexpr int32_t kPaddingSegment = -1;

inline bool isSource(TokenColumn column) { return static_cast<size_t>(column) >= kDecoderColumns.size(); }

struct TokenRow {
  uint32_t countedLabels = 0; ///< labels that some token of the row predicts: those at position 1 and later
  uint32_t tokens = 0;        ///< without padding, an encoder's with a decoder's
  uint32_t length = 0;        ///< up to the last token that is no padding, or the last label; the decoder's
  uint32_t sourceLength = 0;  ///< up to the encoder's last token that is no padding
};

class TokenDataset {
public:
  /// `maxLength` and `sourceLength`: tokens of a row as the plan has them; a source length of 0 is
  /// a decoder alone.
  static StatusOr<TokenDataset> open(const std::string &path, uint64_t maxLength, uint32_t vocabulary, uint64_t sourceLength = 0);

  uint64_t rows() const { return perRow.size(); }
  uint64_t maxLength() const { return rowLength; }
  uint64_t sourceLength() const { return rowSourceLength; } ///< 0: no encoder
  /// Columns that the file has: the first of kTokenColumns.
  size_t columnCount() const { return rowSourceLength ? kTokenColumns.size() : kDecoderColumns.size(); }
  /// Tokens of a whole row.
  uint64_t lengthOf(TokenColumn column) const { return isSource(column) ? rowSourceLength : rowLength; }
  const TokenRow &row(uint64_t index) const { return perRow[index]; }
  /// The first `length` tokens of a row.
  void copy(TokenColumn column, uint64_t row, uint64_t length, int32_t *out) const;
  /// A row that holds nothing: it fills a micro-batch at the end of an epoch.
  static void copyPadding(TokenColumn column, uint64_t length, int32_t *out);

private:
  TokenDataset() = default;
  Status checkKind(uint64_t sourceLength) const;
  Status mapColumns();
  Status checkLengths(uint64_t maxLength, uint64_t sourceLength) const;
  Status scan(TokenColumn column, uint32_t vocabulary);
  void summarize();
  Status wrong(const std::string &what) const { return Status(ErrorCode::Dataset, file->path() + ": " + what); }

  std::shared_ptr<const SafetensorsFile> file;
  std::array<const std::byte *, kTokenColumns.size()> columns{};
  uint64_t rowLength = 0, rowSourceLength = 0;
  std::vector<TokenRow> perRow;
};

} // namespace zp::rt

#endif // ZP_RUNTIME_IO_TOKEN_DATASET_H
