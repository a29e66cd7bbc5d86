// A Hugging Face directory and a job to everything the builder needs: the steps of import in their
// order, without IR.
#ifndef ZP_FRONTENDS_HUGGINGFACE_MODELIMPORTER_H
#define ZP_FRONTENDS_HUGGINGFACE_MODELIMPORTER_H

#include <set>

#include "frontends/common/ModelSpec.h"
#include "frontends/huggingface/TrainedParameters.h"
#include "runtime/schema/settings.h"

namespace zp::fe {

struct ImportRequest {
  std::string modelDirectory;
  std::string adapterDirectory; ///< empty: LoRA by the settings
  JobSettings settings;
  std::set<std::string> given = {}; ///< the settings that were asked for by name
};

struct ImportedModel {
  ModelSpec spec;
  JobSettings settings;      ///< with LoRA's and the quantised checkpoint's as they were resolved
  std::string adapterConfig; ///< adapter_config.json's text; empty for full-parameter training
  ParameterCounts counts;
  std::vector<std::string> warnings;
};

StatusOr<ImportedModel> importModel(const ImportRequest &request);

} // namespace zp::fe

#endif // ZP_FRONTENDS_HUGGINGFACE_MODELIMPORTER_H
