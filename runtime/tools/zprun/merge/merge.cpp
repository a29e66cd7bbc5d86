#include "runtime/tools/zprun/merge/merge.h"

#include <filesystem>

#include "runtime/base/atomic_file.h"
#include "runtime/base/text_file.h"
#include "runtime/tools/zprun/merge/merged_model.h"
#include "runtime/tools/zprun/merge/merged_tensors.h"
#include "runtime/tools/zprun/model_files.h"
#include "runtime/tools/zprun/staged_directory.h"

namespace zp::rt {

using nlohmann::ordered_json;

namespace {

/// config.json as it is, but for what the merge has changed, and the files beside it.
Status writeOthers(const MergedModel &model, const MergeOptions &options, const std::string &directory) {
  ZP_RETURN_IF_ERROR(copyBeside(options.model, directory));
  ZP_RETURN_IF_ERROR(copyTokenizer(options.adapter, directory)); // with the tokens that it was trained with
  ordered_json config = model.config;
  if (model.dequantized)
    config.erase("quantization_config");
  const FloatType *dtype = findFloat(options.dtype);
  if (!dtype && model.dequantized)
    dtype = &floatOf(*model.dequantized);
  if (dtype)
    config[config.contains("torch_dtype") ? "torch_dtype" : "dtype"] = dtype->name;
  if (model.vocabularySize)
    config["vocab_size"] = *model.vocabularySize;
  // T5's word for it says how the head's input is scaled: there the two are told apart by their values.
  if (model.headLeaves && model.textIn("model_type") != "t5" && model.textIn("model_type") != "mt5")
    config["tie_word_embeddings"] = false;
  ZP_ASSIGN_OR_RETURN(std::string text, readTextFile(options.model + "/config.json"));
  return writeFileAtomically(directory + "/config.json", config == model.config ? text : config.dump(2, ' ', true) + "\n");
}

} // namespace

Status mergeAdapter(const MergeOptions &options) {
  for (const auto &[flag, directory] : {std::pair("--model", options.model), {"--adapter_name_or_path", options.adapter}}) {
    std::error_code ignored;
    if (std::filesystem::equivalent(directory, options.output, ignored))
      return Status(ErrorCode::Usage, std::string("--output_dir: is the directory of ") + flag + ", expected another; name one with -o");
  }
  ZP_ASSIGN_OR_RETURN(std::unique_ptr<MergedModel> model, MergedModel::create(options));
  ZP_ASSIGN_OR_RETURN(StagedDirectory stage, StagedDirectory::create(options.output));
  ZP_RETURN_IF_ERROR(writeMergedTensors(*model, options, stage.path()));
  ZP_RETURN_IF_ERROR(writeOthers(*model, options, stage.path()));
  return stage.commit("config.json");
}

} // namespace zp::rt
