#include "runtime/io/token_dataset.h"

#include <algorithm>
#include <cstring>

namespace zp::rt {

static std::string numbered(const char *what, uint64_t index) { return std::string(what) + "[" + std::to_string(index) + "]"; }

StatusOr<TokenDataset> TokenDataset::open(const std::string &path, uint64_t maxLength, uint32_t vocabulary) {
  TokenDataset dataset;
  ZP_ASSIGN_OR_RETURN(dataset.file, SafetensorsFile::open(path));
  auto wrong = [&](const std::string &what) { return Status(ErrorCode::Dataset, path + ": " + what); };
  const SafetensorsInfo *first = nullptr;
  for (size_t i = 0; i < kTokenColumns.size(); ++i) {
    const SafetensorsInfo *info = dataset.file->find(kTokenColumns[i]);
    if (!info)
      return wrong(std::string("has no ") + kTokenColumns[i] + ", expected the four columns that zpdata writes; make it with zpdata");
    if (info->dtype != SafetensorsDtype::I32 || info->shape.size() != 2)
      return wrong(std::string(kTokenColumns[i]) + ": is " + textOf(info->dtype) + shapeText(info->shape) +
                   ", expected I32 [rows, max_length]; make it with zpdata");
    if (!first)
      first = info;
    if (info->shape != first->shape)
      return wrong(std::string(kTokenColumns[i]) + ": shape is " + shapeText(info->shape) + ", expected " +
                   shapeText(first->shape) + " as input_ids has; make it with zpdata");
    dataset.columns[i] = dataset.file->data(*info);
  }
  dataset.rowLength = first->shape[1];
  if (first->shape[0] == 0)
    return wrong("has no rows; give zpdata a data set that isn't empty");
  if (dataset.rowLength != maxLength) {
    std::string length = std::to_string(dataset.rowLength), expected = std::to_string(maxLength);
    return wrong("rows have " + length + " tokens, expected " + expected + " as the plan has; run zpdata with --max_length " +
                 expected + " or zpc import with --max_length " + length);
  }
  dataset.perRow.resize(first->shape[0]);
  ZP_RETURN_IF_ERROR(dataset.scan(vocabulary));
  return dataset;
}

Status TokenDataset::scan(uint32_t vocabulary) {
  const uint64_t n = rowLength;
  std::array<std::vector<int32_t>, 4> row;
  row.fill(std::vector<int32_t>(n));
  for (uint64_t r = 0; r < perRow.size(); ++r) {
    for (size_t c = 0; c < row.size(); ++c)
      copy(static_cast<TokenColumn>(c), r, n, row[c].data());
    auto place = [&](TokenColumn column, uint64_t t) {
      return file->path() + ": " + numbered(kTokenColumns[static_cast<size_t>(column)], r) + "[" + std::to_string(t) + "] is " +
             std::to_string(row[static_cast<size_t>(column)][t]);
    };
    TokenRow &summary = perRow[r];
    for (uint64_t t = 0; t < n; ++t) {
      int32_t id = row[0][t], label = row[1][t], position = row[2][t], segment = row[3][t];
      if (id < 0 || static_cast<uint32_t>(id) >= vocabulary)
        return Status(ErrorCode::TokenRange, place(TokenColumn::InputIds, t) + ", expected 0 to " + std::to_string(vocabulary - 1) +
                                                 "; tokenize with the model's own tokenizer");
      if (label != kIgnoredLabel && (label < 0 || static_cast<uint32_t>(label) >= vocabulary))
        return Status(ErrorCode::TokenRange, place(TokenColumn::Labels, t) + ", expected -100 or 0 to " +
                                                 std::to_string(vocabulary - 1) + "; tokenize with the model's own tokenizer");
      if (position < 0 || static_cast<uint64_t>(position) >= n)
        return Status(ErrorCode::Dataset, place(TokenColumn::PositionIds, t) + ", expected 0 to " + std::to_string(n - 1) +
                                              "; make the file with zpdata");
      if (segment < kPaddingSegment)
        return Status(ErrorCode::Dataset, place(TokenColumn::SegmentIds, t) + ", expected -1 (padding) or a document's number;"
                                                                              " make the file with zpdata");
      summary.countedLabels += t > 0 && label != kIgnoredLabel;
      summary.tokens += segment != kPaddingSegment;
      if (segment != kPaddingSegment || label != kIgnoredLabel)
        summary.length = static_cast<uint32_t>(t + 1);
    }
  }
  return {};
}

void TokenDataset::copy(TokenColumn column, uint64_t row, uint64_t length, int32_t *out) const {
  std::memcpy(out, columns[static_cast<size_t>(column)] + row * rowLength * sizeof(int32_t), length * sizeof(int32_t));
}

void TokenDataset::copyPadding(TokenColumn column, uint64_t length, int32_t *out) {
  int32_t value = column == TokenColumn::Labels ? kIgnoredLabel : column == TokenColumn::SegmentIds ? kPaddingSegment : 0;
  std::fill_n(out, length, value);
}

} // namespace zp::rt
