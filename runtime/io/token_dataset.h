// A token file: input_ids, labels, position_ids and segment_ids, i32 [rows, max_length] each, as zpdata writes them.
//
// Contract. `open` reads every row once and refuses what the plan can't run: another length, token ids or labels beyond the
// vocabulary (TokenRange, row and position named), damaged columns. Afterwards nothing is checked again. Every rank maps the
// whole file, so what the ranks must agree on (counts, lengths) is computed from it without a message.
#ifndef ZP_RUNTIME_IO_TOKEN_DATASET_H
#define ZP_RUNTIME_IO_TOKEN_DATASET_H

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "runtime/io/safetensors.h"

namespace zp::rt {

enum class TokenColumn { InputIds, Labels, PositionIds, SegmentIds };
inline constexpr std::array<const char *, 4> kTokenColumns = {"input_ids", "labels", "position_ids", "segment_ids"};
inline constexpr int32_t kIgnoredLabel = -100;
inline constexpr int32_t kPaddingSegment = -1;

struct TokenRow {
  uint32_t countedLabels = 0; ///< labels that some token of the row predicts: those at position 1 and later
  uint32_t tokens = 0;        ///< without padding
  uint32_t length = 0;        ///< up to the last token that is no padding, or the last label
};

class TokenDataset {
public:
  static StatusOr<TokenDataset> open(const std::string &path, uint64_t maxLength, uint32_t vocabulary);

  uint64_t rows() const { return perRow.size(); }
  uint64_t maxLength() const { return rowLength; }
  const TokenRow &row(uint64_t index) const { return perRow[index]; }
  /// The first `length` tokens of a row.
  void copy(TokenColumn column, uint64_t row, uint64_t length, int32_t *out) const;
  /// A row that holds nothing: it fills a micro-batch at the end of an epoch.
  static void copyPadding(TokenColumn column, uint64_t length, int32_t *out);

private:
  TokenDataset() = default;
  Status scan(uint32_t vocabulary);

  std::shared_ptr<const SafetensorsFile> file;
  std::array<const std::byte *, 4> columns{};
  uint64_t rowLength = 0;
  std::vector<TokenRow> perRow;
};

} // namespace zp::rt

#endif // ZP_RUNTIME_IO_TOKEN_DATASET_H
