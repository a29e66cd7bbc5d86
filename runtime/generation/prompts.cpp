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
    return Status(ErrorCode::Dataset, file.path() + ": " + name + " is " + (info ? textOf(info->dtype) + shapeText(info->shape) : "missing") +
                                          ", expected I32 [rows, length]; make the file with zpdata prompts");
  return Column{file.data(*info), info->shape};
}

/// A token id of the metadata, if it is there.
Status readToken(const SafetensorsFile &file, const char *name, uint32_t vocabulary, std::optional<int32_t> &token) {
  auto found = file.metadata().find(name);
  if (found == file.metadata().end())
    return {};
  const std::string &text = found->second;
  uint32_t value = 0;
  auto [last, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || last != text.data() + text.size())
    return Status(ErrorCode::Dataset,
                  file.path() + ": " + name + " of its metadata is \"" + text + "\", expected a token id; make the file with zpdata prompts");
  // A model that has no such token can't say it.
  if (value < vocabulary)
    token = static_cast<int32_t>(value);
  return {};
}

/// `token_bytes`, the texts one behind another, and `token_ends`, where each ends, if the file has them.
Status readTokenTexts(const SafetensorsFile &file, std::vector<std::string> &texts) {
  const SafetensorsInfo *bytes = file.find("token_bytes"), *ends = file.find("token_ends");
  if (!bytes && !ends)
    return {};
  auto wrong = [&](const std::string &what) {
    return Status(ErrorCode::Dataset, file.path() + ": token_ends: " + what + "; make the file with zpdata prompts --token_text true");
  };
  if (!bytes || !ends || bytes->dtype != SafetensorsDtype::U8 || ends->dtype != SafetensorsDtype::I64 || ends->shape.size() != 1)
    return wrong("is not I64 [tokens] beside token_bytes, U8, expected both");
  const char *text = reinterpret_cast<const char *>(file.data(*bytes));
  int64_t begin = 0;
  for (uint64_t token = 0; token < ends->shape[0]; ++token) {
    int64_t end;
    std::memcpy(&end, file.data(*ends) + token * sizeof end, sizeof end);
    if (end < begin || static_cast<uint64_t>(end) > bytes->bytes)
      return wrong("element " + std::to_string(token) + " is " + std::to_string(end) + ", expected " + std::to_string(begin) + " to " +
                   std::to_string(bytes->bytes));
    texts.emplace_back(text + begin, static_cast<size_t>(end - begin));
    begin = end;
  }
  return {};
}

/// A file of prompts is for one kind of model, as its metadata says; one to train from has a side for an encoder or none.
Status checkKind(const SafetensorsFile &file, const PromptRoom &room) {
  auto kind = file.metadata().find("kind");
  if ((file.find("source_ids") || (kind != file.metadata().end() && kind->second == "seq2seq")) == room.ofEncoder)
    return {};
  return Status(ErrorCode::Dataset, file.path() + (room.ofEncoder ? ": is of a decoder alone, but the plan is an encoder-decoder's, expected what an "
                                                                    "encoder reads; make it with zpdata prompts --mode seq2seq"
                                                                  : ": is of an encoder, but the plan's model is a decoder alone, expected its "
                                                                    "prompts; make it with zpdata prompts, without --mode seq2seq"));
}

/// The tokens of a row, its padding on one side.
Status readRow(const Column &ids, const Column &segments, uint64_t row, uint32_t vocabulary, const std::string &place, std::vector<int32_t> &prompt) {
  uint64_t at = 0;
  while (at < ids.shape[1] && segments.at(row, at) == kPadding)
    ++at;
  for (; at < ids.shape[1] && segments.at(row, at) != kPadding; ++at) {
    const int32_t id = ids.at(row, at), segment = segments.at(row, at);
    if (segment != 0)
      return Status(ErrorCode::Dataset, place + "token " + std::to_string(at) + " is of document " + std::to_string(segment) +
                                            ", expected one document a row; make the file with zpdata prompts, without --packing");
    if (id < 0 || static_cast<uint32_t>(id) >= vocabulary)
      return Status(ErrorCode::TokenRange, place + "token " + std::to_string(at) + " is " + std::to_string(id) + ", expected 0 to " +
                                               std::to_string(vocabulary - 1) + "; tokenize with the model's own tokenizer");
    prompt.push_back(id);
  }
  if (prompt.empty())
    return Status(ErrorCode::Dataset, place + "is an empty prompt, expected a token at least; give it a word, or a tokenizer with a bos token");
  return {};
}

} // namespace

StatusOr<Prompts> readPrompts(const std::string &path, uint32_t vocabulary, const PromptRoom &room) {
  ZP_ASSIGN_OR_RETURN(std::shared_ptr<const SafetensorsFile> file, SafetensorsFile::open(path));
  ZP_RETURN_IF_ERROR(checkKind(*file, room));
  const bool hasSource = file->find("source_ids") != nullptr;
  ZP_ASSIGN_OR_RETURN(Column ids, columnOf(*file, hasSource ? "source_ids" : "input_ids"));
  ZP_ASSIGN_OR_RETURN(Column segments, columnOf(*file, hasSource ? "source_segment_ids" : "segment_ids"));
  // Rows of no tokens take no bytes, so a file may claim any number of them.
  if (ids.shape != segments.shape || ids.shape[0] == 0 || ids.shape[1] == 0)
    return Status(ErrorCode::Dataset, path + ": its tokens are " + shapeText(ids.shape) + " and their segments " + shapeText(segments.shape) +
                                          ", expected one shape with a row of a token at least; make the file with zpdata prompts");
  Prompts prompts;
  ZP_RETURN_IF_ERROR(readToken(*file, "eos_token_id", vocabulary, prompts.end));
  ZP_RETURN_IF_ERROR(readToken(*file, "decoder_start_token_id", vocabulary, prompts.start));
  ZP_RETURN_IF_ERROR(readTokenTexts(*file, prompts.tokenTexts));
  prompts.rows.resize(ids.shape[0]);
  for (uint64_t row = 0; row < prompts.rows.size(); ++row) {
    const std::string place = path + ": row " + std::to_string(row) + ": ";
    ZP_RETURN_IF_ERROR(readRow(ids, segments, row, vocabulary, place, prompts.rows[row]));
    if (const uint64_t length = prompts.rows[row].size(); length > room.most)
      return Status(ErrorCode::Dataset, place + "has " + std::to_string(length) + " tokens, expected at most " + std::to_string(room.most) +
                                            "; import again with a larger " + (room.ofEncoder ? "--max_source_length" : "--max_length") +
                                            ", or shorten the prompt");
  }
  return prompts;
}

} // namespace zp::rt
