// What the verbs that write a model's directory ask of one: its JSON files, the files beside weights.
#ifndef ZP_RUNTIME_TOOLS_ZPRUN_MODEL_FILES_H
#define ZP_RUNTIME_TOOLS_ZPRUN_MODEL_FILES_H

#include <span>
#include <string>

#include <nlohmann/json.hpp>

#include "runtime/base/json_depth.h"
#include "runtime/base/text_file.h"
#include "runtime/io/float_types.h"
#include "runtime/io/model_weights.h"

namespace zp::rt {

inline constexpr const char *kSavedHead = "base_model.model.lm_head.weight"; ///< in an adapter that holds it whole

/// FileMissing, Json. `Document`: nlohmann::ordered_json where the order of keys matters.
template <typename Document = nlohmann::json> StatusOr<Document> readObject(const std::string &path) {
  ZP_ASSIGN_OR_RETURN(std::string text, readTextFile(path));
  if (nestsTooDeep(text))
    return Status(ErrorCode::Json,
                  path + ": nests deeper than " + std::to_string(kDeepestJson) + " levels, expected a JSON object; fetch the file again");
  Document object = Document::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object())
    return Status(ErrorCode::Json, path + ": is not a JSON object; fetch the file again");
  return object;
}

/// Names that a tokenizer's files may have.
std::span<const char *const> tokenizerFiles();
/// A tokenizer_config.json whose tokenizer.json is to be read as it stands, not as LlamaTokenizer would have it. Beside a Mistral's config.json
/// transformers does so whatever class is named; an adapter's directory has none, so there the class must say it.
std::string readAsItStands(const std::string &tokenizerConfig);
/// Copies the tokenizer's files of a directory into another, those that there are. Where they make a tokenizer, none of another one's stays
/// there: its template or special tokens would go before. DiskWrite, DiskFull.
Status copyTokenizer(const std::string &from, const std::string &to);
/// The tokenizer and generation_config.json.
Status copyBeside(const std::string &from, const std::string &to);

} // namespace zp::rt

#endif // ZP_RUNTIME_TOOLS_ZPRUN_MODEL_FILES_H
