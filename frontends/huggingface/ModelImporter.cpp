#include "frontends/huggingface/ModelImporter.h"

#include "frontends/common/SettingsVerifier.h"
#include "frontends/common/SpecVerifier.h"
#include "frontends/huggingface/AdapterConfigWriter.h"
#include "frontends/huggingface/ConfigImporter.h"
#include "frontends/huggingface/LoraTargets.h"
#include "frontends/huggingface/ModuleTable.h"
#include "frontends/huggingface/PeftImporter.h"
#include "frontends/huggingface/WeightIndex.h"

namespace zp::fe {

static StatusOr<LoraSettings> readLora(const ImportRequest &request,
                                       std::vector<std::string> &warnings) {
  if (request.adapterDirectory.empty())
    return loraFromFlags(request.settings);
  ZP_ASSIGN_OR_RETURN(JsonDocument config,
                      JsonDocument::read(request.adapterDirectory + "/adapter_config.json"));
  return importAdapterConfig(config, warnings);
}

StatusOr<ImportedModel> importModel(const ImportRequest &request) {
  ZP_RETURN_IF_ERROR(verifySettings(request.settings));
  ImportedModel imported;
  imported.settings = request.settings;
  ZP_ASSIGN_OR_RETURN(JsonDocument config,
                      JsonDocument::read(request.modelDirectory + "/config.json"));
  ZP_ASSIGN_OR_RETURN(imported.spec, importConfig(config));
  ModelSpec &spec = imported.spec;
  ZP_RETURN_IF_ERROR(verifySpec(spec, request.settings));

  // A stored head decides whether the tie holds, so the files are looked at before the tensors get
  // their names.
  ZP_ASSIGN_OR_RETURN(std::optional<WeightIndex> weights,
                      WeightIndex::open(request.modelDirectory));
  if (spec.tiedHead && weights && weights->headDiffers()) {
    spec.tiedHead = false;
    imported.warnings.push_back(
        "warning: " + config.place("tie_word_embeddings") +
        ": is true, but the weights hold a head of its own; they are not tied");
  }
  makeModules(spec);
  if (weights)
    ZP_RETURN_IF_ERROR(weights->check(spec));

  if (!request.settings.use_peft_lora) {
    imported.counts = trainEverything(spec);
    return imported;
  }
  ZP_ASSIGN_OR_RETURN(LoraSettings lora, readLora(request, imported.warnings));
  recordLora(lora, imported.settings);
  ZP_ASSIGN_OR_RETURN(LoraSettings resolved, attachAdapters(spec, lora));
  ZP_ASSIGN_OR_RETURN(imported.counts, trainAdapters(spec, resolved));
  imported.adapterConfig = writeAdapterConfig(resolved, request.modelDirectory);
  return imported;
}

} // namespace zp::fe
