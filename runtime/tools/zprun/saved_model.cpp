#include "runtime/tools/zprun/saved_model.h"

#include <filesystem>

#include "runtime/base/text_file.h"
#include "runtime/io/parameter_info.h"
#include "runtime/tools/zprun/model_files.h"
#include "runtime/tools/zprun/special_tokens.h"

namespace zp::rt {

namespace {

nlohmann::json configOf(const fbs::Plan &plan) {
  return nlohmann::json::parse(plan.model_config() ? plan.model_config()->str() : "", nullptr, false);
}

StatusOr<DType> ownDtype(const Session &session) {
  const nlohmann::json config = configOf(session.plan());
  for (const char *key : {"dtype", "torch_dtype"})
    if (config.is_object() && config.contains(key) && config[key].is_string())
      if (const FloatType *type = findFloat(config[key].get_ref<const std::string &>()))
        return type->dtype;
  ZP_ASSIGN_OR_RETURN(ModelWeights base, ModelWeights::open(session.options.model));
  for (const std::string &name : base.names()) {
    ZP_ASSIGN_OR_RETURN(WeightTensor tensor, base.find(name));
    DType dtype;
    if (floatOf(tensor.info->dtype, dtype))
      return dtype;
  }
  return DType::F32;
}

/// Rows of embeddings of the model that the adapter's config will name; nothing where it isn't a directory.
std::optional<int64_t> vocabularyOf(const std::string &model) {
  std::error_code ignored;
  if (!std::filesystem::exists(model + "/config.json", ignored))
    return {};
  StatusOr<nlohmann::json> config = readObject(model + "/config.json");
  if (!config.ok() || !config->value("vocab_size", nlohmann::json()).is_number_integer())
    return {};
  return (*config)["vocab_size"].get<int64_t>();
}

/// Those that the job begins with: the adapter's, if it brings its own. A head that is tied is saved too, as PEFT does.
StatusOr<std::vector<SavedCopy>> embeddingsOf(const Session &session) {
  ZP_ASSIGN_OR_RETURN(ModelWeights base, ModelWeights::open(session.options.model));
  std::optional<ModelWeights> adapter;
  if (!session.options.adapter.empty()) {
    ZP_ASSIGN_OR_RETURN(adapter, ModelWeights::openFile(session.options.adapter + "/adapter_model.safetensors"));
  }
  std::vector<SavedCopy> copies;
  for (const fbs::Parameter *parameter : frozenEmbeddings(session.plan())) {
    const std::string name = savedWholeAs(*parameter);
    const bool brought = adapter && adapter->contains(name);
    ZP_ASSIGN_OR_RETURN(WeightTensor tensor, brought ? adapter->find(name) : base.find(textOf(parameter->checkpoint())));
    copies.push_back({name, tensor});
  }
  if (copies.size() == 1 && copies[0].name != kSavedHead)
    copies.push_back({kSavedHead, copies[0].tensor});
  return copies;
}

/// The tokenizer's files, read before anything is trained: where they lie may be gone when it is. Of another one's none is to be left.
Status addTokenizer(const std::string &directory, bool asked, SavedModel &saved) {
  for (const char *name : tokenizerFiles()) {
    const std::string path = directory + "/" + name;
    if (std::error_code ignored; std::filesystem::is_regular_file(path, ignored)) {
      ZP_ASSIGN_OR_RETURN(std::string text, readTextFile(path));
      saved.texts.emplace_back(name, std::move(text));
    } else {
      saved.strangers.push_back(name);
    }
  }
  if (!saved.texts.empty())
    return {};
  saved.strangers.clear();
  return asked ? Status(ErrorCode::FileMissing, directory + ": has no file of a tokenizer, expected tokenizer.json or another; name the "
                                                            "tokenizer's directory with --tokenizer")
               : Status();
}

/// What transformers makes of a model without generation_config.json.
nlohmann::ordered_json generationOf(const nlohmann::ordered_json &config) {
  nlohmann::ordered_json generation = {{"_from_model_config", true}};
  auto take = [&](const char *key) {
    if (config.contains(key) && !config[key].is_null())
      generation[key] = config[key];
  };
  take("bos_token_id");
  take("pad_token_id");
#define ZP_GENERATION(name, kind, initial, doc) take(#name);
#include "runtime/schema/generation.inc"
#undef ZP_GENERATION
  return generation;
}

/// What a whole model is saved with beside its weights: it is a model of its own, for which its tokenizer's tokens are those that end a text,
/// and fill rows: where it names none for that, TRL takes the one that ends texts.
Status addConfigs(const Session &session, const std::string &tokenizer, SavedModel &saved) {
  using nlohmann::ordered_json;
  const fbs::Plan &plan = session.plan();
  saved.modelConfig = plan.model_config() ? plan.model_config()->str() : "{}";
  ordered_json config = ordered_json::parse(saved.modelConfig, nullptr, false);
  if (!config.is_object())
    return {};
  const std::string path = session.options.model + "/generation_config.json";
  std::error_code ignored;
  const bool hasFile = std::filesystem::exists(path, ignored);
  ordered_json generation = generationOf(config);
  if (hasFile) {
    ZP_ASSIGN_OR_RETURN(generation, readObject<ordered_json>(path));
  }
  SpecialTokens tokens = specialTokensOf(tokenizer);
  if (!tokens.padding)
    tokens.padding = tokens.end;
  const ordered_json before = config;
  alignSpecialTokens(tokens, config, generation);
  if (config != before)
    saved.modelConfig = config.dump(2, ' ', true, ordered_json::error_handler_t::replace) + "\n";
  if (hasFile || config != before)
    saved.texts.emplace_back("generation_config.json", generation.dump(2, ' ', true, ordered_json::error_handler_t::replace) + "\n");
  return {};
}

} // namespace

StatusOr<SavedModel> savedModelOf(const Session &session, bool writes) {
  const ZprunOptions &options = session.options;
  SavedModel saved;
  saved.directory = options.outputDirectory;
  saved.baseName = options.baseName.empty() ? options.model : options.baseName;
  saved.maxShardBytes = options.maxShardBytes;
  const std::string &tokenizer = options.tokenizer.empty() ? options.model : options.tokenizer;
  if (writes)
    ZP_RETURN_IF_ERROR(addTokenizer(tokenizer, !options.tokenizer.empty(), saved));
  if (session.trainsAdapter()) {
    if (const nlohmann::json config = configOf(session.plan()); config.is_object() && config.value("model_type", nlohmann::json()) == "mistral")
      for (auto &[name, text] : saved.texts)
        if (name == "tokenizer_config.json")
          text = readAsItStands(text);
    const std::optional<int64_t> rows = vocabularyOf(saved.baseName);
    if (rows && *rows != static_cast<int64_t>(session.plan().vocab_size())) {
      ZP_ASSIGN_OR_RETURN(saved.copies, embeddingsOf(session));
    }
    return saved;
  }
  if (writes)
    ZP_RETURN_IF_ERROR(addConfigs(session, tokenizer, saved));
  const bool rounded = session.settings.zero3_save_16bit_model && (session.settings.bf16 || session.settings.fp16);
  if (rounded) {
    saved.dtype = session.settings.bf16 ? DType::BF16 : DType::F16;
  } else {
    ZP_ASSIGN_OR_RETURN(saved.dtype, ownDtype(session));
  }
  return saved;
}

} // namespace zp::rt
