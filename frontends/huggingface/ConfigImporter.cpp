#include "frontends/huggingface/ConfigImporter.h"

#include <algorithm>

#include "frontends/huggingface/architectures/Family.h"
#include "runtime/base/names.h"

namespace zp::fe {

static bool isNamed(const Family &family, const std::string &architecture) {
  return architecture == family.architecture || std::ranges::find(family.otherArchitectures, architecture) != family.otherArchitectures.end();
}

/// The reference makes what model_type says. `architectures` says what the weights were saved from: a class of that family, or of another that
/// holds the same tensors.
StatusOr<const Family *> familyOf(const JsonDocument &config) {
  JsonReader reader(config);
  std::vector<std::string> architectures = reader.texts("architectures");
  std::string modelType = reader.text("model_type", "");
  ZP_RETURN_IF_ERROR(reader.status());
  std::vector<std::string> supported;
  const Family *typed = nullptr, *named = nullptr;
  for (const Family *family : allFamilies()) {
    supported.push_back(family->architecture);
    if (modelType == family->modelType)
      typed = family;
    if (!architectures.empty() && !named && isNamed(*family, architectures[0]))
      named = family;
  }
  if (const Family *found = typed && (named || architectures.empty()) ? typed : named)
    return found;
  std::string expected = ", expected one of " + joinNames(supported) + "; choose a model of a supported family";
  if (!architectures.empty())
    return config.error(ErrorCode::UnknownArchitecture, "architectures", "is " + architectures[0] + expected);
  return config.error(ErrorCode::UnknownArchitecture, "model_type", "is \"" + modelType + "\" and there is no architectures" + expected);
}

StatusOr<ModelSpec> importConfig(const JsonDocument &config) {
  ZP_ASSIGN_OR_RETURN(const Family *family, familyOf(config));
  ModelSpec spec;
  spec.architecture = family->architecture;
  spec.modelType = family->modelType;
  spec.structure = family->structure;
  spec.defaultTargets.assign(family->defaultTargets.begin(), family->defaultTargets.end());
  spec.configFile = config.name();
  spec.configText = config.text();
  ZP_RETURN_IF_ERROR(family->read(config, spec));
  if (JsonReader reader(config); reader.has("architectures") && !reader.texts("architectures").empty())
    if (const std::string named = reader.texts("architectures")[0]; !isNamed(*family, named))
      spec.notes.push_back("note: " + config.place("architectures") + ": is " + named + ", and model_type \"" + family->modelType + "\": read as " +
                           family->architecture + ", as transformers does");
  return spec;
}

} // namespace zp::fe
