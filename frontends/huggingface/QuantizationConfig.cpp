#include "frontends/huggingface/QuantizationConfig.h"

#include "runtime/base/names.h"

namespace zp::fe {

static constexpr const char *kKey = "quantization_config";

StatusOr<std::optional<CheckpointQuantization>> importQuantization(const JsonDocument &config) {
  JsonReader reader(config);
  if (!reader.has(kKey))
    return std::optional<CheckpointQuantization>();
  if (!config.find(kKey)->is_object())
    return config.error(ErrorCode::Json, kKey, "is " + reader.valueText(kKey) + ", expected an object; fetch config.json again");
  const std::string remedy = "; use the model that it was quantised from with --use_4bit_quantization";
  auto refuse = [&](const char *key, const std::string &message) { reader.fail(ErrorCode::UnknownArchitecture, {kKey, key}, message); };
  // Files from before there were other methods don't name theirs.
  if (std::string method = reader.text({kKey, "quant_method"}, "bitsandbytes"); method != "bitsandbytes")
    refuse("quant_method", "is \"" + method + "\", expected \"bitsandbytes\"" + remedy);
  if (reader.boolean({kKey, "load_in_8bit"}, false))
    refuse("load_in_8bit", "is true, expected weights in 4 bits or in floating point" + remedy);
  else if (!reader.boolean({kKey, "load_in_4bit"}, false))
    refuse("load_in_4bit", std::string("is ") + (reader.has({kKey, "load_in_4bit"}) ? "false" : "missing") +
                               ", expected true, the one quantisation that is read" + remedy);
  CheckpointQuantization found;
  found.quantType = reader.text({kKey, "bnb_4bit_quant_type"}, "fp4");
  if (found.quantType != "nf4" && found.quantType != "fp4")
    refuse("bnb_4bit_quant_type", "is \"" + found.quantType + "\", expected \"nf4\" or \"fp4\"" + remedy);
  found.nested = reader.boolean({kKey, "bnb_4bit_use_double_quant"}, false);
  found.storage = reader.text({kKey, "bnb_4bit_quant_storage"}, "uint8");
  found.computeDtype = reader.text({kKey, "bnb_4bit_compute_dtype"}, "float32");
  if (reader.has({kKey, "llm_int8_skip_modules"}))
    found.skipped = reader.texts({kKey, "llm_int8_skip_modules"});
  ZP_RETURN_IF_ERROR(reader.status());
  return std::optional<CheckpointQuantization>(std::move(found));
}

static std::string textOf(bool value) { return value ? "true" : "false"; }
static std::string textOf(const std::string &value) { return "'" + value + "'"; }

void adoptQuantization(const CheckpointQuantization &quantization, const JsonDocument &config, const std::set<std::string> &given,
                       JobSettings &settings, std::vector<std::string> &warnings) {
  std::vector<std::string> overruled;
  auto adopt = [&](const char *name, auto &setting, const std::decay_t<decltype(setting)> &value) {
    if (setting != value && given.count(name))
      overruled.push_back("--" + std::string(name) + " " + textOf(setting));
    setting = value;
  };
  adopt("use_4bit_quantization", settings.use_4bit_quantization, true);
  adopt("bnb_4bit_prequantized", settings.bnb_4bit_prequantized, true);
  adopt("bnb_4bit_quant_type", settings.bnb_4bit_quant_type, quantization.quantType);
  adopt("use_nested_quant", settings.use_nested_quant, quantization.nested);
  adopt("bnb_4bit_quant_storage_dtype", settings.bnb_4bit_quant_storage_dtype, quantization.storage);
  adopt("bnb_4bit_skip_modules", settings.bnb_4bit_skip_modules, joinNames(quantization.skipped.value_or(std::vector<std::string>()), ","));
  if (!overruled.empty())
    warnings.push_back("warning: " + config.place(kKey) + ": the weights are quantised already, as it says; " + joinNames(overruled) +
                       (overruled.size() == 1 ? " has no effect" : " have no effect"));
  std::string computed = settings.bf16 ? "bfloat16" : settings.fp16 ? "float16" : "float32";
  if (quantization.computeDtype != computed)
    warnings.push_back("warning: " + config.place({kKey, "bnb_4bit_compute_dtype"}) + ": is \"" + quantization.computeDtype +
                       "\", but this job computes in " + computed +
                       (settings.bf16   ? ", as --bf16 says"
                        : settings.fp16 ? ", as --fp16 says"
                                        : "; --bf16 makes that bfloat16, --fp16 float16"));
}

} // namespace zp::fe
