#include "runtime/io/model_weights.h"

#include <filesystem>

#include <nlohmann/json.hpp>

#include "runtime/base/text_file.h"

namespace zp::rt {

StatusOr<ModelWeights> ModelWeights::open(const std::string &directory) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  std::string whole = directory + "/model.safetensors", index = whole + ".index.json";
  if (fs::exists(whole, ignored)) {
    ZP_ASSIGN_OR_RETURN(ModelWeights weights, openFile(whole));
    weights.directory = directory;
    return weights;
  }
  if (!fs::exists(index, ignored) && hasPickledWeights(directory))
    return Status(ErrorCode::FileMissing, directory + ": has its weights in pytorch_model.bin, a program of Python's, which isn't run, expected "
                                                      "safetensors; load the model with transformers and save it again with save_pretrained");
  if (!fs::exists(index, ignored))
    return Status(ErrorCode::FileMissing, directory +
                                              ": has neither model.safetensors nor model.safetensors.index.json, expected the weights of a model;"
                                              " name its directory with --model");
  ZP_ASSIGN_OR_RETURN(std::string text, readTextFile(index));
  nlohmann::json root = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (root.is_discarded() || !root.is_object())
    return Status(ErrorCode::Json, index + ": is not a JSON object; fetch the file again");
  auto map = root.find("weight_map");
  if (map == root.end() || !map->is_object())
    return Status(ErrorCode::Json, index + ": weight_map: is not an object of tensor to file; fetch the file again");
  ModelWeights weights;
  weights.where = index;
  weights.directory = directory;
  for (auto &[tensor, file] : map->items()) {
    // A shard lies beside its index: a path out of the directory is no shard's name.
    constexpr std::string_view kNoName("/\0", 2);
    if (!file.is_string() || file.get_ref<const std::string &>().find_first_of(kNoName) != std::string::npos)
      return Status(ErrorCode::Json, index + ": weight_map." + tensor + ": is not a file name; fetch the file again");
    weights.weightMap[tensor] = file.get<std::string>();
  }
  return weights;
}

StatusOr<ModelWeights> ModelWeights::openFile(const std::string &path) {
  ModelWeights weights;
  weights.where = path;
  ZP_ASSIGN_OR_RETURN(weights.single, SafetensorsFile::open(path));
  return weights;
}

bool ModelWeights::stores(const std::string &name) const { return single ? single->find(name) != nullptr : weightMap.count(name) != 0; }

std::string ModelWeights::storedName(const std::string &name) const {
  if (directory.empty() || stores(name)) // an adapter's one file has its own names
    return name;
  for (const std::string prefix : {"model.", "transformer."}) {
    const std::string other = name.starts_with(prefix) ? name.substr(prefix.size()) : prefix + name;
    if (stores(other))
      return other;
  }
  return name;
}

bool ModelWeights::contains(const std::string &name) const { return stores(storedName(name)); }

std::vector<std::string> ModelWeights::names() const {
  std::vector<std::string> names;
  if (single)
    for (const auto &[name, info] : single->tensors())
      names.push_back(name);
  for (const auto &[name, file] : weightMap)
    names.push_back(name);
  return names;
}

StatusOr<WeightTensor> ModelWeights::find(const std::string &asked) {
  const std::string name = storedName(asked);
  auto missing = [&](const std::string &file) {
    return Status(ErrorCode::TensorMissing, file + ": has no tensor " + asked + "; the checkpoint is not of the model that the plan was made for");
  };
  WeightTensor tensor;
  tensor.file = single;
  if (!single) {
    auto it = weightMap.find(name);
    if (it == weightMap.end())
      return missing(where);
    ZP_ASSIGN_OR_RETURN(tensor.file, shard(it->second));
  }
  tensor.info = tensor.file->find(name);
  if (!tensor.info)
    return missing(tensor.file->path());
  return tensor;
}

StatusOr<std::shared_ptr<const SafetensorsFile>> ModelWeights::shard(const std::string &file) {
  auto &slot = shards[file];
  if (!slot) {
    ZP_ASSIGN_OR_RETURN(slot, SafetensorsFile::open(directory + "/" + file));
  }
  return slot;
}

} // namespace zp::rt
