#include "runtime/tools/zprun/model_files.h"

#include <filesystem>

#include "runtime/io/atomic_file.h"

namespace zp::rt {

static constexpr FloatType kFloats[] = {{"float32", DType::F32, SafetensorsDtype::F32},
                                        {"bfloat16", DType::BF16, SafetensorsDtype::BF16},
                                        {"float16", DType::F16, SafetensorsDtype::F16}};
static constexpr const char *kTokenizerFiles[] = {
    "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "tokenizer.model",   "vocab.json",
    "merges.txt",     "added_tokens.json",     "chat_template.jinja",     "chat_template.json"};

const FloatType *findFloat(std::string_view name) {
  for (const FloatType &known : kFloats)
    if (name == known.name)
      return &known;
  return nullptr;
}

const FloatType &floatOf(DType dtype) {
  for (const FloatType &known : kFloats)
    if (known.dtype == dtype)
      return known;
  return kFloats[0];
}

static Status copyFile(const std::string &from, const std::string &to, const char *name) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(from + "/" + name, ignored))
    return {};
  ZP_ASSIGN_OR_RETURN(std::string text, readTextFile(from + "/" + name));
  return writeFileAtomically(to + "/" + name, text);
}

Status copyTokenizer(const std::string &from, const std::string &to) {
  for (const char *name : kTokenizerFiles)
    ZP_RETURN_IF_ERROR(copyFile(from, to, name));
  return {};
}

Status copyBeside(const std::string &from, const std::string &to) {
  ZP_RETURN_IF_ERROR(copyFile(from, to, "generation_config.json"));
  return copyTokenizer(from, to);
}

} // namespace zp::rt
