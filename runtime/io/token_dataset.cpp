#include "runtime/io/token_dataset.h"

#include <algorithm>
#include <cstring>

namespace zp::rt {

static const char *nameOf(TokenColumn column) { return kTokenColumns[static_cast<size_t>(column)]; }

static bool isSegments(TokenColumn column) { return column == TokenColumn::SegmentIds || column == TokenColumn::SourceSegmentIds; }

StatusOr<TokenDataset> TokenDataset::open(const std::string &path, uint64_t maxLength, uint32_t vocabulary, uint64_t sourceLength) {
  TokenDataset dataset;
  ZP_ASSIGN_OR_RETURN(dataset.file, SafetensorsFile::open(path));
  ZP_RETURN_IF_ERROR(dataset.checkKind(sourceLength));
  ZP_RETURN_IF_ERROR(dataset.mapColumns());
  ZP_RETURN_IF_ERROR(dataset.checkLengths(maxLength, sourceLength));
  for (size_t c = 0; c < dataset.columnCount(); ++c)
    ZP_RETURN_IF_ERROR(dataset.scan(static_cast<TokenColumn>(c), vocabulary));
  dataset.summarize();
  return dataset;
}

/// The file's kind, by its metadata and by its columns, against the plan's.
Status TokenDataset::checkKind(uint64_t sourceLength) const {
  const bool source = file->find(nameOf(TokenColumn::SourceIds)) != nullptr;
  auto kind = file->metadata().find("kind");
  if (kind != file->metadata().end() && kind->second != (source ? "seq2seq" : "causal"))
    return wrong("is of kind \"" + kind->second + "\" and has " + (source ? "" : "no ") +
                 "source_ids, expected seq2seq with them or causal without; make it with zpdata");
  if (sourceLength && !source)
    return wrong("has rows of a decoder alone, expected source_ids too, since the plan's model has "
                 "an encoder; make it with zpdata "
                 "--mode seq2seq");
  if (!sourceLength && source)
    return wrong("has rows of an encoder and a decoder, expected a decoder's alone as the plan's "
                 "model is one; make it with zpdata "
                 "without --mode seq2seq, or import an encoder-decoder");
  return {};
}

/// Finds the columns and the lengths of rows.
Status TokenDataset::mapColumns() {
  const bool source = file->find(nameOf(TokenColumn::SourceIds)) != nullptr;
  const SafetensorsInfo *first = nullptr; // of the decoder's columns, then of the encoder's
  std::string firstName;
  for (size_t c = 0; c < (source ? kTokenColumns.size() : kDecoderColumns.size()); ++c) {
    const std::string name = kTokenColumns[c];
    const SafetensorsInfo *info = file->find(name);
    if (!info)
      return wrong("has no " + name + ", expected the " + (source ? "seven" : "four") + " columns that zpdata writes; make it with zpdata");
    const std::string shape = shapeText(info->shape);
    if (info->dtype != SafetensorsDtype::I32 || info->shape.size() != 2)
      return wrong(name + ": is " + textOf(info->dtype) + shape + ", expected I32 [rows, max_length]; make it with zpdata");
    if (info->shape[1] == 0) // such a column may claim any number of rows
      return wrong(name + ": is " + shape + ", expected rows of a token at least; make it with zpdata");
    if (c == 0 || c == kDecoderColumns.size()) {
      if (first && info->shape[0] != first->shape[0])
        return wrong(name + ": shape is " + shape + ", expected " + std::to_string(first->shape[0]) + " rows as input_ids has; make it with zpdata");
      first = info;
      firstName = name;
    }
    if (info->shape != first->shape)
      return wrong(name + ": shape is " + shape + ", expected " + shapeText(first->shape) + " as " + firstName + " has; make it with zpdata");
    (isSource(static_cast<TokenColumn>(c)) ? rowSourceLength : rowLength) = info->shape[1];
    columns[c] = file->data(*info);
  }
  perRow.resize(first->shape[0]);
  return {};
}

Status TokenDataset::checkLengths(uint64_t maxLength, uint64_t sourceLength) const {
  if (perRow.empty())
    return wrong("has no rows; give zpdata a data set that isn't empty");
  auto check = [&](const char *what, const std::string &flag, uint64_t is, uint64_t planned) -> Status {
    if (is == planned)
      return {};
    const std::string length = std::to_string(is), expected = std::to_string(planned);
    return wrong(what + length + " tokens, expected " + expected + " as the plan has; run zpdata with " + flag + " " + expected +
                 " or zpc import with " + flag + " " + length);
  };
  ZP_RETURN_IF_ERROR(check("rows of the encoder have ", "--max_source_length", rowSourceLength, sourceLength));
  return sourceLength ? check("rows of the decoder have ", "--max_target_length", rowLength, maxLength)
                      : check("rows have ", "--max_length", rowLength, maxLength);
}

/// Every value of a column within its bounds.
Status TokenDataset::scan(TokenColumn column, uint32_t vocabulary) {
  const uint64_t n = lengthOf(column);
  const bool labels = column == TokenColumn::Labels;
  const bool tokens = labels || column == TokenColumn::InputIds || column == TokenColumn::SourceIds;
  const bool segments = isSegments(column);
  const int64_t least = segments ? kPaddingSegment : 0;
  const int64_t end = tokens ? int64_t{vocabulary} : segments ? int64_t{1} << 31 : static_cast<int64_t>(n);
  std::vector<int32_t> row(n);
  for (uint64_t r = 0; r < perRow.size(); ++r) {
    copy(column, r, n, row.data());
    for (uint64_t t = 0; t < n; ++t) {
      const int32_t value = row[t];
      if ((value >= least && value < end) || (labels && value == kIgnoredLabel))
        continue;
      const std::string place =
          file->path() + ": " + nameOf(column) + "[" + std::to_string(r) + "][" + std::to_string(t) + "] is " + std::to_string(value) + ", expected ";
      const std::string range = "0 to " + std::to_string(end - 1);
      if (tokens)
        return Status(ErrorCode::TokenRange,
                      place + (labels ? "-100 or " : "") + range +
                          "; tokenize with the model's own tokenizer, or give the model rows for the tokens of this one with zprun resize");
      return Status(ErrorCode::Dataset, place + (segments ? "-1 (padding) or a document's number" : range) + "; make the file with zpdata");
    }
  }
  return {};
}

void TokenDataset::summarize() {
  std::vector<int32_t> labels(rowLength), segments(rowLength), source(rowSourceLength);
  for (uint64_t r = 0; r < perRow.size(); ++r) {
    copy(TokenColumn::Labels, r, rowLength, labels.data());
    copy(TokenColumn::SegmentIds, r, rowLength, segments.data());
    TokenRow &summary = perRow[r];
    for (uint64_t t = 0; t < rowLength; ++t) {
      summary.countedLabels += t > 0 && labels[t] != kIgnoredLabel;
      summary.tokens += segments[t] != kPaddingSegment;
      if (segments[t] != kPaddingSegment || labels[t] != kIgnoredLabel)
        summary.length = static_cast<uint32_t>(t + 1);
    }
    if (!rowSourceLength)
      continue;
    copy(TokenColumn::SourceSegmentIds, r, rowSourceLength, source.data());
    for (uint64_t t = 0; t < rowSourceLength; ++t)
      if (source[t] != kPaddingSegment) {
        ++summary.tokens;
        summary.sourceLength = static_cast<uint32_t>(t + 1);
      }
  }
}

void TokenDataset::copy(TokenColumn column, uint64_t row, uint64_t length, int32_t *out) const {
  std::memcpy(out, columns[static_cast<size_t>(column)] + row * lengthOf(column) * sizeof(int32_t), length * sizeof(int32_t));
}

void TokenDataset::copyPadding(TokenColumn column, uint64_t length, int32_t *out) {
  std::fill_n(out, length, column == TokenColumn::Labels ? kIgnoredLabel : isSegments(column) ? kPaddingSegment : 0);
}

} // namespace zp::rt
