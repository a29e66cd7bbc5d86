#include "runtime/tools/zprun/quantize/quantize.h"

#include <cstdio>
#include <cstring>
#include <filesystem>

#include "runtime/io/convert_elements.h"
#include "runtime/io/token_weights.h"
#include "runtime/quant/python_json.h"
#include "runtime/tools/zprun/model_files.h"
#include "runtime/tools/zprun/quantize/quantized_writer.h"
#include "runtime/tools/zprun/quantize/saved_config.h"
#include "runtime/tools/zprun/staged_directory.h"
#include "runtime/tools/zprun/tensor_progress.h"

namespace zp::rt {

using nlohmann::json;

namespace {

constexpr uint32_t kBlockSize = 64; // what the reference always makes

struct Storage {
  const char *name;
  SafetensorsDtype dtype;
};
constexpr Storage kStorages[] = {
#define ZP_QUANT_STORAGE(label, name) {name, SafetensorsDtype::label},
#include "runtime/schema/quant_storages.inc"
#undef ZP_QUANT_STORAGE
};

class Quantization {
public:
  explicit Quantization(const QuantizeOptions &options) : options(options), configPath(options.model + "/config.json") {}

  Status run() {
    ZP_RETURN_IF_ERROR(readConfig());
    ZP_ASSIGN_OR_RETURN(ModelWeights checkpoint, ModelWeights::open(options.model));
    ZP_ASSIGN_OR_RETURN(bool head, hasHead(checkpoint));
    ZP_ASSIGN_OR_RETURN(std::vector<ModelTensor> tensors, tensorsOf(*family, config, head, configPath));
    findSources(checkpoint, tensors);
    ZP_RETURN_IF_ERROR(chooseFormat(checkpoint, tensors));
    json generation = generationConfigOfModel(given);
    std::error_code ignored;
    if (std::string path = options.model + "/generation_config.json"; std::filesystem::exists(path, ignored)) {
      ZP_ASSIGN_OR_RETURN(json own, readObject(path));
      generation = savedGenerationConfig(own);
    }

    ZP_ASSIGN_OR_RETURN(StagedDirectory stage, StagedDirectory::create(options.output));
    uint64_t steps = 0;
    for (const ModelTensor &tensor : tensors)
      steps += tensor.linear && format.nested ? 2 : 1;
    if (family->note && !options.quiet)
      std::fprintf(stderr, "quantize: note: %s: %s\n", configPath.c_str(), family->note);
    TensorProgress progress("quantize", steps, options.quiet);
    QuantizedWriter writer(checkpoint, format, std::move(tensors), [&] { progress.step(); });
    ZP_RETURN_IF_ERROR(writer.write(stage.path(), options.maxShardBytes));
    ZP_RETURN_IF_ERROR(copyTokenizer(options.model, stage.path()));
    ZP_RETURN_IF_ERROR(writeFileAtomically(stage.path() + "/generation_config.json", pythonJson(generation) + "\n"));
    ZP_RETURN_IF_ERROR(writeFileAtomically(stage.path() + "/config.json", pythonJson(config) + "\n"));
    return stage.commit("config.json");
  }

private:
  Status readConfig() {
    std::error_code ignored;
    if (std::filesystem::equivalent(options.model, options.output, ignored))
      return Status(ErrorCode::Usage, "--output_dir: is the model's own directory, expected another; name one with -o");
    ZP_ASSIGN_OR_RETURN(given, readObject(configPath));
    if (given.contains("quantization_config") && !given["quantization_config"].is_null())
      return Status(ErrorCode::QuantFormat, configPath + ": quantization_config: is there already, expected a model that isn't quantized; "
                                                         "name the original with --model");
    const json names = given.value("architectures", json());
    std::string architecture = names.is_array() && !names.empty() && names[0].is_string() ? names[0].get<std::string>() : "";
    const json type = given.value("model_type", json());
    family = findFamily(architecture, type.is_string() ? type.get<std::string>() : "");
    if (!family)
      return Status(ErrorCode::UnknownArchitecture, configPath + ": architectures: is \"" + architecture + "\", expected one of " +
                                                        knownArchitectures() + "; use a model of one of these");
    ZP_ASSIGN_OR_RETURN(config, savedConfig(given, *family, configPath));
    return {};
  }

  /// A tied head is saved with the embedding alone; two that differ aren't tied, whatever the configuration says.
  StatusOr<bool> hasHead(ModelWeights &checkpoint) {
    const bool tied = config["tie_word_embeddings"].is_boolean() && config["tie_word_embeddings"].get<bool>();
    return tied ? headDiffers(checkpoint) : true;
  }

  /// A checkpoint may name the embedding by an alias, and have no buffers.
  void findSources(const ModelWeights &checkpoint, std::vector<ModelTensor> &tensors) const {
    for (ModelTensor &tensor : tensors) {
      if (checkpoint.contains(tensor.name))
        continue;
      if (&tensor == tensors.data()) // the embedding
        tensor.source = embeddingIn(checkpoint).empty() ? tensor.name : embeddingIn(checkpoint);
      else if (!tensor.isParameter)
        tensor.source.clear();
    }
  }

  /// The model's own dtype is what its configuration says, or else what its first tensor has.
  StatusOr<const FloatType *> ownDtype(ModelWeights &checkpoint, const ModelTensor &first) {
    for (const char *key : {"dtype", "torch_dtype"})
      if (given.contains(key) && given[key].is_string()) {
        if (const FloatType *known = findFloat(given[key].get<std::string>()))
          return known;
        return Status(ErrorCode::Config, configPath + ": " + key + ": is \"" + given[key].get<std::string>() +
                                             "\", expected float32, bfloat16 or float16; say which with --dtype");
      }
    DType stored;
    ZP_ASSIGN_OR_RETURN(WeightTensor tensor, findFloats(checkpoint, first.source, first.shape, stored));
    return &floatOf(stored);
  }

  Status chooseFormat(ModelWeights &checkpoint, const std::vector<ModelTensor> &tensors) {
    const FloatType *dtype = findFloat(options.dtype);
    if (!dtype) {
      ZP_ASSIGN_OR_RETURN(dtype, ownDtype(checkpoint, tensors.front()));
    }
    format.blocks = {*quantTypeOf(options.quantType), kBlockSize};
    format.nested = options.nested;
    format.dtype = dtype->dtype;
    format.storageName = options.storageDtype;
    for (const Storage &storage : kStorages)
      if (options.storageDtype == storage.name)
        format.storage = storage.dtype;
    config["dtype"] = dtype->name;
    config["quantization_config"] = {{"_load_in_4bit", true},
                                     {"_load_in_8bit", false},
                                     {"bnb_4bit_compute_dtype", options.computeDtype},
                                     {"bnb_4bit_quant_storage", options.storageDtype},
                                     {"bnb_4bit_quant_type", options.quantType},
                                     {"bnb_4bit_use_double_quant", options.nested},
                                     {"llm_int8_enable_fp32_cpu_offload", false},
                                     {"llm_int8_has_fp16_weight", false},
                                     {"llm_int8_skip_modules", nullptr},
                                     {"llm_int8_threshold", 6.0},
                                     {"load_in_4bit", true},
                                     {"load_in_8bit", false},
                                     {"quant_method", "bitsandbytes"}};
    return {};
  }

  const QuantizeOptions &options;
  const std::string configPath;
  json given, config;
  const ModelFamily *family = nullptr;
  QuantizedFormat format;
};

} // namespace

Status quantizeModel(const QuantizeOptions &options) { return Quantization(options).run(); }

} // namespace zp::rt
