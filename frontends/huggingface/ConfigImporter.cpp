#include "frontends/huggingface/ConfigImporter.h"

#include <algorithm>

#include "frontends/huggingface/architectures/Family.h"
#include "runtime/base/names.h"

namespace zp::fe {

StatusOr<const Family *> familyOf(const JsonDocument &config) {
  JsonReader reader(config);
  std::vector<std::string> architectures = reader.texts("architectures");
  std::string modelType = reader.text("model_type", "");
  ZP_RETURN_IF_ERROR(reader.status());
  std::vector<std::string> supported;
  for (const Family *family : allFamilies()) {
    supported.push_back(family->architecture);
    bool named = !architectures.empty() &&
                 (architectures[0] == family->architecture || std::find(family->otherArchitectures.begin(), family->otherArchitectures.end(),
                                                                        architectures[0]) != family->otherArchitectures.end());
    if (architectures.empty() ? modelType == family->modelType : named)
      return family;
  }
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
  return spec;
}

} // namespace zp::fe
