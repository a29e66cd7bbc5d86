#include "runtime/io/adapter.h"

#include <algorithm>
#include <filesystem>

#include <nlohmann/json.hpp>

#include "runtime/base/json_depth.h"
#include "runtime/base/text_file.h"

namespace zp::rt {

using nlohmann::json;

namespace {

/// Fields that must agree, with what an absent one means. Targets are compared by the tensors themselves.
struct Field {
  const char *name;
  json absent;
};

const std::vector<Field> &comparedFields() {
  static const std::vector<Field> fields = {{"r", 8},
                                            {"lora_alpha", 8},
                                            {"use_rslora", false},
                                            {"bias", "none"},
                                            {"rank_pattern", json::object()},
                                            {"alpha_pattern", json::object()},
                                            {"modules_to_save", nullptr},
                                            {"use_dora", false},
                                            {"lora_bias", false}};
  return fields;
}

/// Absent and null are one; lists are sets.
json fieldOf(const json &config, const Field &field) {
  json value = config.contains(field.name) && !config[field.name].is_null() ? config[field.name] : field.absent;
  if (value.is_array())
    std::sort(value.begin(), value.end());
  return value.is_array() && value.empty() ? json(nullptr) : value;
}

} // namespace

bool isSavedTwice(const std::string &name) {
  return name.find(".modules_to_save.") != std::string::npos || name.find(".original_module.") != std::string::npos;
}

StatusOr<ModelWeights> openAdapterWeights(const std::string &directory) {
  const std::string weights = directory + "/adapter_model.safetensors";
  std::error_code ignored;
  if (!std::filesystem::exists(weights, ignored) && std::filesystem::exists(directory + "/adapter_model.bin", ignored))
    return Status(ErrorCode::FileMissing, directory + ": has its weights in adapter_model.bin, a program of Python's, which isn't run, expected "
                                                      "safetensors; load the adapter with PEFT and save it again with save_pretrained");
  return ModelWeights::openFile(weights);
}

StatusOr<ModelWeights> openAdapter(const std::string &directory, const std::string &adapterConfig, const std::set<std::string> &trained) {
  std::string path = directory + "/adapter_config.json";
  ZP_ASSIGN_OR_RETURN(std::string text, readTextFile(path));
  json theirs = parseJson<json>(text), ours = json::parse(adapterConfig, nullptr, false);
  if (!theirs.is_object())
    return Status(ErrorCode::Json, path + ": is not a JSON object of at most " + std::to_string(kDeepestJson) + " levels; save the adapter again");
  if (ours.is_discarded() || !ours.is_object())
    return Status(ErrorCode::AdapterMismatch,
                  path + ": the plan has no adapter, expected one of these settings; import again with --adapter_name_or_path " + directory);
  for (const Field &field : comparedFields()) {
    json a = fieldOf(theirs, field), b = fieldOf(ours, field);
    if (a != b)
      return Status(ErrorCode::AdapterMismatch, path + ": " + field.name + " is " + a.dump() + ", expected " + b.dump() +
                                                    " as the plan has; import again with --adapter_name_or_path " + directory);
  }
  ZP_ASSIGN_OR_RETURN(ModelWeights weights, openAdapterWeights(directory));
  for (const std::string &name : weights.names())
    if (!trained.count(name) && !isSavedTwice(name))
      return Status(ErrorCode::AdapterMismatch, weights.place() + ": tensor " + name +
                                                    " is of no parameter that the plan trains; import again with --adapter_name_or_path " +
                                                    directory);
  return weights;
}

} // namespace zp::rt
