#include "runtime/generation/prompts.h"

#include <charconv>
#include <cstring>

#include "runtime/io/safetensors.h"

namespace zp::rt {

namespace {

constexpr int32_t kPadding = -1;

/// A column of i32 [rows, length].
struct Column {
  const std::byte *data = nullptr;
  std::vector<uint64_t> shape;

  int32_t at(uint64_t row, uint64_t i) const {
    int32_t value;
    std::memcpy(&value, data + (row * shape[1] + i) * sizeof value, sizeof value);
    return value;
  }
};

StatusOr<Column> columnOf(const SafetensorsFile &file, const char *name) {
  const SafetensorsInfo *info = file.find(name);
  if (!info || info->dtype != SafetensorsDtype::I32 || info->shape.size() != 2)
    return Status(ErrorCode::Dataset, file.path() + ": " + name + " is " +
                                          (info ? textOf(info->dtype) + shapeText(info->shape) : "missing") +
                                          ", expected I32 [rows, length]; make the file with zpdata prompts");
  return Column{file.data(*info), info->shape};
}

/// `eos_token_id` of the metadata.
Status readEnd(const SafetensorsFile &file, uint32_t vocabulary, std::optional<int32_t> &end) {
  auto found = file.metadata().find("eos_token_id");
  if (found == file.metadata().end())
    return {};
  const std::string &text = found->second;
  uint32_t value = 0;
  auto [last, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || last != text.data() + text.size())
    return Status(ErrorCode::Dataset, file.path() + ": eos_token_id of its metadata is \"" + text +
                                          "\", expected a token id; make the file with zpdata prompts");
  // A model that has no such token can't say it.
  if (value < vocabulary)
    end = static_cast<int32_t>(value);
  return {};
}

} // namespace

StatusOr<Prompts> readPrompts(const std::string &path, uint32_t vocabulary, uint64_t longest) {
  ZP_ASSIGN_OR_RETURN(std::shared_ptr<const SafetensorsFile> file, SafetensorsFile::open(path));
  ZP_ASSIGN_OR_RETURN(Column ids, columnOf(*file, "input_ids"));
  ZP_ASSIGN_OR_RETURN(Column segments, columnOf(*file, "segment_ids"));
  if (ids.shape != segments.shape || ids.shape[0] == 0)
    return Status(ErrorCode::Dataset, path + ": input_ids is " + shapeText(ids.shape) + " and segment_ids " +
                                          shapeText(segments.shape) +
                                          ", expected one shape with a row at least; make the file with zpdata prompts");
  Prompts prompts;
  ZP_RETURN_IF_ERROR(readEnd(*file, vocabulary, prompts.end));
  prompts.rows.resize(ids.shape[0]);
  for (uint64_t row = 0; row < prompts.rows.size(); ++row) {
    std::vector<int32_t> &prompt = prompts.rows[row];
    const std::string place = path + ": row " + std::to_string(row) + ": ";
    while (prompt.size() < ids.shape[1] && segments.at(row, prompt.size()) != kPadding) {
      const int32_t id = ids.at(row, prompt.size()), segment = segments.at(row, prompt.size());
      if (segment != 0)
        return Status(ErrorCode::Dataset,
                      place + "token " + std::to_string(prompt.size()) + " is of document " + std::to_string(segment) +
                          ", expected one document a row; make the file with zpdata prompts, without --packing");
      if (id < 0 || static_cast<uint32_t>(id) >= vocabulary)
        return Status(ErrorCode::TokenRange, place + "token " + std::to_string(prompt.size()) + " is " + std::to_string(id) +
                                                 ", expected 0 to " + std::to_string(vocabulary - 1) +
                                                 "; tokenize with the model's own tokenizer");
      prompt.push_back(id);
    }
    if (prompt.empty())
      return Status(ErrorCode::Dataset,
                    place + "is an empty prompt, expected a token at least; give it a word, or a tokenizer with a bos token");
    if (prompt.size() >= longest)
      return Status(ErrorCode::Dataset,
                    place + "has " + std::to_string(prompt.size()) + " tokens, expected at most " + std::to_string(longest - 1) +
                        ", so that one fits in behind them; import again with a larger --max_length, or shorten the prompt");
  }
  return prompts;
}

} // namespace zp::rt
