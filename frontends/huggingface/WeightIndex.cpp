#include "frontends/huggingface/WeightIndex.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <set>

#include "frontends/common/JsonDocument.h"
#include "frontends/huggingface/architectures/Family.h"

namespace zp::fe {

namespace fs = std::filesystem;

void WeightIndex::addFile(std::shared_ptr<const rt::SafetensorsFile> file) {
  for (const auto &[name, info] : file->tensors())
    entries.emplace(name, Entry{file, &info});
}

StatusOr<std::optional<WeightIndex>> WeightIndex::open(const std::string &directory) {
  std::error_code ignored;
  std::string single = directory + "/model.safetensors", index = directory + "/model.safetensors.index.json";
  WeightIndex weights;
  if (fs::exists(single, ignored)) {
    ZP_ASSIGN_OR_RETURN(auto file, rt::SafetensorsFile::open(single));
    weights.place = single;
    weights.addFile(std::move(file));
    return std::optional<WeightIndex>(std::move(weights));
  }
  if (!fs::exists(index, ignored))
    return std::optional<WeightIndex>();
  weights.place = index;
  ZP_ASSIGN_OR_RETURN(JsonDocument document, JsonDocument::read(index));
  const auto *map = document.find("weight_map");
  if (!map || !map->is_object())
    return document.error(ErrorCode::Json, "weight_map", "is missing, expected an object from tensor to file; fetch the index again");
  std::set<std::string> shards;
  for (const auto &[tensor, shard] : map->items()) {
    if (!shard.is_string())
      return document.error(ErrorCode::Json, {"weight_map", tensor}, "is " + shard.dump() + ", expected a file name; fetch the index again");
    std::string name = shard.get<std::string>();
    if (name.find('/') != std::string::npos)
      return document.error(ErrorCode::Json, {"weight_map", tensor},
                            "is \"" + name + "\", expected a file of the same directory; fetch the index again");
    if (!shards.insert(name).second)
      continue;
    if (!fs::exists(directory + "/" + name, ignored))
      return document.error(ErrorCode::FileMissing, {"weight_map", tensor},
                            "names " + name + ", which isn't there, expected every shard beside the index; fetch it");
    ZP_ASSIGN_OR_RETURN(auto file, rt::SafetensorsFile::open(directory + "/" + name));
    weights.addFile(std::move(file));
  }
  return std::optional<WeightIndex>(std::move(weights));
}

const WeightIndex::Entry *WeightIndex::find(const std::string &name) const {
  auto entry = entries.find(name);
  return entry == entries.end() ? nullptr : &entry->second;
}

std::string WeightIndex::storedName(const std::string &name, const std::string &basePrefix) const {
  if (find(name) || !name.starts_with(basePrefix))
    return name;
  std::string bare = name.substr(basePrefix.size());
  return find(bare) ? bare : name;
}

void WeightIndex::adoptNames(ModelSpec &spec) const {
  std::string prefix = familyNamed(spec.modelType).basePrefix, embedding, stored = storedEmbedding(spec);
  for (const ModuleSpec &module : spec.modules)
    if (module.role == Role::Embedding)
      embedding = module.weight->checkpoint;
  for (ModuleSpec &module : spec.modules)
    for (std::optional<ParameterSpec> *slot : {&module.weight, &module.bias})
      if (*slot) {
        std::string &name = (*slot)->checkpoint;
        name = name == embedding ? stored : storedName(name, prefix);
      }
}

std::string WeightIndex::storedEmbedding(const ModelSpec &spec) const {
  std::string prefix = familyNamed(spec.modelType).basePrefix, first;
  for (const ModuleSpec &module : spec.modules) {
    if (module.role != Role::Embedding && module.role != Role::EmbeddingAlias)
      continue;
    std::string name = storedName(module.path + ".weight", prefix);
    if (find(name))
      return name;
    if (first.empty())
      first = name;
  }
  for (const ModuleSpec &module : spec.modules) // a tied model may be stored by its head alone
    if (module.role == Role::Head && spec.tiedHead && find(module.path + ".weight"))
      return module.path + ".weight";
  return first;
}

Status WeightIndex::refuseHeadBias() const {
  constexpr const char *kBias = "final_logits_bias";
  const Entry *bias = find(kBias);
  if (!bias)
    return Status();
  const std::byte *data = bias->file->data(*bias->info);
  if (std::all_of(data, data + bias->info->bytes, [](std::byte b) { return b == std::byte(0); }))
    return Status();
  return Status(ErrorCode::UnknownArchitecture,
                bias->file->path() + ": tensor " + kBias +
                    " is not zero, expected zeros as BART's is: a bias of the head is not built; choose a model without it");
}

bool WeightIndex::differ(const Entry *a, const Entry *b) {
  if (!a || !b)
    return false;
  if (a->info->dtype != b->info->dtype || a->info->bytes != b->info->bytes)
    return true;
  return std::memcmp(a->file->data(*a->info), b->file->data(*b->info), a->info->bytes) != 0;
}

bool WeightIndex::headDiffers(const ModelSpec &spec) const {
  const Entry *head = nullptr;
  for (const ModuleSpec &module : spec.modules)
    if (module.role == Role::Head)
      head = find(module.path + ".weight");
  return differ(head, find(storedEmbedding(spec)));
}

Status WeightIndex::refuseOwnEmbeddings(const ModelSpec &spec) const {
  const std::string prefix = familyNamed(spec.modelType).basePrefix;
  const Entry *shared = find(storedEmbedding(spec));
  for (const ModuleSpec &module : spec.modules) {
    const std::string name = storedName(module.path + ".weight", prefix);
    if (const Entry *own = find(name); module.role == Role::EmbeddingAlias && differ(own, shared))
      return Status(ErrorCode::UnknownArchitecture,
                    own->file->path() + ": tensor " + name +
                        " has values of its own, expected those of the shared embedding: tables for encoder and decoder each are not built; "
                        "choose a model with tie_word_embeddings true");
  }
  return Status();
}

Status WeightIndex::checkFloat(const ModelSpec &spec, const ParameterSpec &parameter, bool prequantized) const {
  std::vector<uint64_t> shape(parameter.shape.begin(), parameter.shape.end());
  const Entry *entry = find(parameter.checkpoint);
  if (!entry)
    return Status(ErrorCode::TensorMissing, place + ": tensor " + parameter.checkpoint + " is missing, expected " + rt::shapeText(shape) + " by " +
                                                spec.configFile + "; fetch the weights again or correct config.json");
  std::string where = entry->file->path() + ": tensor " + parameter.checkpoint;
  if (find(parameter.checkpoint + ".absmax"))
    return Status(ErrorCode::TensorDtype, where + " is in 4 bits, expected F32, BF16 or F16 by " + spec.configFile +
                                              (prequantized ? ": the head and skipped modules stay in floats; quantise the "
                                                              "model again with lm_head in llm_int8_skip_modules"
                                                            : ", which has no quantization_config; use the config.json "
                                                              "that belongs to the weights"));
  if (entry->info->shape != shape)
    return Status(ErrorCode::TensorShape, where + " is " + rt::shapeText(entry->info->shape) + ", expected " + rt::shapeText(shape) + " by " +
                                              spec.configFile + "; use the config.json that belongs to the weights");
  using Dtype = rt::SafetensorsDtype;
  if (Dtype dtype = entry->info->dtype; dtype != Dtype::F32 && dtype != Dtype::BF16 && dtype != Dtype::F16)
    return Status(ErrorCode::TensorDtype, where + " is " + rt::textOf(dtype) + ", expected F32, BF16 or F16; convert the checkpoint");
  return Status();
}

Status WeightIndex::check(const ModelSpec &spec, const CheckpointQuantization *packed) const {
  for (const ModuleSpec &module : spec.modules) {
    if (module.weight && module.weight->ofAdapter)
      continue; // the base's isn't read
    if (module.weight && packed && module.fourBit)
      ZP_RETURN_IF_ERROR(checkPacked(spec, *module.weight, *packed));
    else if (module.weight)
      ZP_RETURN_IF_ERROR(checkFloat(spec, *module.weight, packed));
    if (module.bias)
      ZP_RETURN_IF_ERROR(checkFloat(spec, *module.bias, packed));
  }
  return Status();
}

} // namespace zp::fe
