#include "frontends/huggingface/ModelImporter.h"

#include <filesystem>

#include "frontends/common/RowLengths.h"
#include "frontends/common/SettingsVerifier.h"
#include "frontends/common/SpecVerifier.h"
#include "frontends/huggingface/AdapterConfigWriter.h"
#include "frontends/huggingface/AdapterEmbeddings.h"
#include "frontends/huggingface/ConfigImporter.h"
#include "frontends/huggingface/FourBitModules.h"
#include "frontends/huggingface/LoraTargets.h"
#include "frontends/huggingface/ModuleTable.h"
#include "frontends/huggingface/PeftImporter.h"
#include "frontends/huggingface/QuantizationConfig.h"
#include "frontends/huggingface/SpecialTokens.h"
#include "frontends/huggingface/WeightIndex.h"
#include "frontends/huggingface/architectures/Family.h"
#include "runtime/base/names.h"
#include "runtime/io/safetensors.h"

namespace zp::fe {

static StatusOr<LoraSettings> readLora(const ImportRequest &request, const ModelSpec &spec, std::vector<std::string> &warnings) {
  if (request.adapterDirectory.empty())
    return loraFromFlags(request.settings);
  ZP_ASSIGN_OR_RETURN(JsonDocument config, JsonDocument::read(request.adapterDirectory + "/adapter_config.json"));
  return importAdapterConfig(config, spec.defaultTargets, warnings);
}

/// An adapter that text is generated with says its own settings.
static Status refuseLoraFlags(const std::set<std::string> &given) {
  for (const std::string &name : given)
    if (isLoraFlag(name))
      return Status(ErrorCode::Config, "--" + name +
                                           ": is given beside --generate, expected the settings of a trained adapter; "
                                           "give it by --adapter_name_or_path DIR, or drop the flag");
  return Status();
}

/// Whether the weights are in 4 bits already, and so which settings hold.
static StatusOr<std::optional<CheckpointQuantization>> resolveQuantization(const ImportRequest &request, const JsonDocument &config,
                                                                           ImportedModel &imported) {
  ZP_ASSIGN_OR_RETURN(std::optional<CheckpointQuantization> stored, importQuantization(config));
  if (stored) {
    adoptQuantization(*stored, config, request.given, imported.settings, imported.warnings);
  } else if (request.settings.bnb_4bit_prequantized) {
    return Status(ErrorCode::Config, "--bnb_4bit_prequantized: is true, but " + config.name() +
                                         " has no quantization_config, expected a checkpoint in 4 bits; drop the flag");
  }
  return stored;
}

static Status markLinears(ImportedModel &imported, const std::optional<CheckpointQuantization> &stored, const JsonDocument &config) {
  if (!imported.settings.use_4bit_quantization)
    return Status();
  // A checkpoint's list may name what other models have.
  if (stored)
    return markFourBit(imported.spec, stored->skipped.value_or(std::vector<std::string>()),
                       config.place({"quantization_config", "llm_int8_skip_modules"}), /*all=*/false);
  return markFourBit(imported.spec, splitCommaList(imported.settings.bnb_4bit_skip_modules), "--bnb_4bit_skip_modules", /*all=*/true);
}

/// What the reference keeps in f32 when it loads a model in f16.
static void keepInF32(ModelSpec &spec) {
  spec.fp16 = true;
  for (ModuleSpec &module : spec.modules)
    if (module.role == Role::Down && spec.downInFloats)
      module.weight->inF32 = true;
}

/// A plan has room for the beams that the model's own settings ask for, as zprun reads them.
static Status adoptBeams(const ImportRequest &request, const JsonDocument &config, JobSettings &settings) {
  if (!settings.generate || request.given.count("num_beams"))
    return Status();
  const std::string own = request.modelDirectory + "/generation_config.json";
  std::error_code ignored;
  StatusOr<JsonDocument> document = std::filesystem::exists(own, ignored) ? JsonDocument::read(own) : StatusOr<JsonDocument>(config);
  ZP_RETURN_IF_ERROR(document.status());
  JsonReader reader(*document);
  settings.num_beams = reader.integer({"num_beams"}, settings.num_beams);
  return reader.status();
}

/// The settings as the model and its files leave them, which may break rules that the flags kept; and what the weights are in
/// already, if in 4 bits.
static StatusOr<std::optional<CheckpointQuantization>> settleSettings(const ImportRequest &request, const JsonDocument &config,
                                                                      ImportedModel &imported) {
  ZP_RETURN_IF_ERROR(settleLengths(imported.spec, request.given, imported.settings));
  ZP_ASSIGN_OR_RETURN(std::optional<CheckpointQuantization> stored, resolveQuantization(request, config, imported));
  ZP_RETURN_IF_ERROR(adoptBeams(request, config, imported.settings));
  ZP_RETURN_IF_ERROR(verifySettings(imported.settings));
  ZP_RETURN_IF_ERROR(verifySpec(imported.spec, imported.settings));
  return stored;
}

/// The modules, with a head that is tied or isn't: a stored one with values of its own never is. transformers 5 ties every other
/// encoder-decoder's whatever config.json says; else that says it, and it alone where there are no weights to look at.
static void makeModulesAsStored(const JsonDocument &config, const std::optional<WeightIndex> &weights, ImportedModel &imported) {
  ModelSpec &spec = imported.spec;
  makeModules(spec);
  const bool said = spec.tiedHead, may = said || spec.structure == Structure::EncoderDecoder;
  if (!weights || !may)
    return;
  spec.tiedHead = !weights->headDiffers(spec);
  if (spec.tiedHead == said)
    return;
  makeModules(spec);
  if (said)
    imported.warnings.push_back("warning: " + config.place("tie_word_embeddings") +
                                ": is true, but the weights hold a head of its own; they are not tied");
}

StatusOr<ImportedModel> importModel(const ImportRequest &request) {
  ZP_RETURN_IF_ERROR(verifySettings(request.settings));
  ImportedModel imported;
  imported.settings = request.settings;
  ZP_ASSIGN_OR_RETURN(JsonDocument config, JsonDocument::read(request.modelDirectory + "/config.json"));
  ZP_ASSIGN_OR_RETURN(imported.spec, importConfig(config));
  ModelSpec &spec = imported.spec;
  imported.warnings = spec.notes;
  ZP_ASSIGN_OR_RETURN(std::optional<CheckpointQuantization> stored, settleSettings(request, config, imported));
  ZP_RETURN_IF_ERROR(verifySpecialTokens(config, request.modelDirectory, spec));

  ZP_ASSIGN_OR_RETURN(std::optional<WeightIndex> weights, WeightIndex::open(request.modelDirectory));
  if (!weights && rt::hasPickledWeights(request.modelDirectory))
    imported.warnings.push_back("warning: " + request.modelDirectory +
                                "/pytorch_model.bin: isn't read, and zprun will ask for safetensors; load the model with transformers and save it "
                                "again with save_pretrained");
  const bool untied = familyNamed(spec.modelType).untiesEmbeddings && !spec.tiedHead;
  makeModulesAsStored(config, weights, imported);
  if (weights && untied)
    ZP_RETURN_IF_ERROR(weights->refuseOwnEmbeddings(spec));
  if (!request.adapterDirectory.empty()) {
    const size_t told = spec.notes.size();
    ZP_RETURN_IF_ERROR(adoptEmbeddings(request.adapterDirectory, spec));
    imported.warnings.insert(imported.warnings.end(), spec.notes.begin() + std::ptrdiff_t(told), spec.notes.end());
  }
  if (weights) {
    weights->adoptNames(spec);
    ZP_RETURN_IF_ERROR(weights->refuseHeadBias());
  }
  ZP_RETURN_IF_ERROR(markLinears(imported, stored, config));
  if (imported.settings.fp16)
    keepInF32(spec);
  if (weights)
    ZP_RETURN_IF_ERROR(weights->check(spec, stored ? &*stored : nullptr));

  if (request.settings.generate && request.adapterDirectory.empty()) {
    ZP_RETURN_IF_ERROR(refuseLoraFlags(request.given));
    imported.counts = trainNothing(spec);
    return imported;
  }
  if (!request.settings.use_peft_lora) {
    if (untied)
      return Status(ErrorCode::UnknownArchitecture,
                    config.place("tie_word_embeddings") +
                        ": is false, so that encoder and decoder would train tables of their own, which is not built, "
                        "expected true beside --use_peft_lora false; train an adapter");
    imported.counts = trainEverything(spec);
    if (imported.settings.decay_everything)
      decayEverything(spec);
    return imported;
  }
  ZP_ASSIGN_OR_RETURN(LoraSettings lora, readLora(request, spec, imported.warnings));
  if (spec.structure == Structure::EncoderDecoder && request.adapterDirectory.empty())
    lora.recorded["task_type"] = "SEQ_2_SEQ_LM";
  recordLora(lora, imported.settings);
  const size_t told = spec.notes.size();
  ZP_ASSIGN_OR_RETURN(LoraSettings resolved, attachAdapters(spec, lora));
  imported.warnings.insert(imported.warnings.end(), spec.notes.begin() + std::ptrdiff_t(told), spec.notes.end());
  ZP_ASSIGN_OR_RETURN(imported.counts, trainAdapters(spec, resolved));
  if (imported.settings.decay_everything)
    decayEverything(spec);
  ZP_RETURN_IF_ERROR(verifyFourBitFrozen(spec, resolved));
  imported.adapterConfig = writeAdapterConfig(resolved, request.modelDirectory);
  return imported;
}

} // namespace zp::fe
