#include "frontends/huggingface/AdapterConfigWriter.h"

#include <algorithm>

namespace zp::fe {

using Json = nlohmann::json; // keeps its keys sorted

static Json number(WrittenNumber written) { return written.whole ? Json(int64_t(written.value)) : Json(written.value); }

static Json choice(const ModuleChoice &modules) {
  switch (modules.kind) {
  case ModuleChoice::Kind::None:
    return nullptr;
  case ModuleChoice::Kind::AllLinear:
  case ModuleChoice::Kind::Regex:
    return modules.text();
  case ModuleChoice::Kind::Names:
    break;
  }
  std::vector<std::string> names = modules.names;
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

std::string writeAdapterConfig(const LoraSettings &lora, const std::string &baseModel) {
  Json config = Json::object();
#define ZP_ADAPTER_KEY(name, initial, use) config[#name] = Json::parse(initial);
#include "frontends/huggingface/AdapterConfigKeys.inc"
#undef ZP_ADAPTER_KEY
  for (const auto &[key, value] : lora.recorded.items())
    config[key] = value;
  if (config["base_model_name_or_path"].is_null())
    config["base_model_name_or_path"] = baseModel;
  config["r"] = lora.rank;
  config["lora_alpha"] = number(lora.alpha);
  config["lora_dropout"] = number(lora.dropout);
  config["target_modules"] = choice(lora.targets);
  config["exclude_modules"] = choice(lora.excluded);
  config["bias"] = lora.bias;
  config["use_rslora"] = lora.rankStabilised;
  const bool isFlag = lora.initial == "true" || lora.initial == "false";
  config["init_lora_weights"] = isFlag ? Json(lora.initial == "true") : Json(lora.initial);
  for (const auto &[key, rank] : lora.rankPattern)
    config["rank_pattern"][key] = rank;
  for (const auto &[key, alpha] : lora.alphaPattern)
    config["alpha_pattern"][key] = number(alpha);
  if (lora.layers)
    config["layers_to_transform"] = lora.singleLayer ? Json(lora.layers->front()) : Json(*lora.layers);
  if (!lora.layersPattern.empty())
    config["layers_pattern"] = lora.singleLayersPattern ? Json(lora.layersPattern.front()) : Json(lora.layersPattern);
  if (lora.modulesToSave)
    config["modules_to_save"] = *lora.modulesToSave;
  return config.dump(2, ' ', /*ensure_ascii=*/true, Json::error_handler_t::replace);
}

} // namespace zp::fe
