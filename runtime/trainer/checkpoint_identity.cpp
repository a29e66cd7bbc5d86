#include "runtime/trainer/checkpoint_identity.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "runtime/io/checksum.h"
#include "runtime/io/model_weights.h"
#include "runtime/schedule/schedule_rules.h"
#include "runtime/schema/plan_generated.h"
#include "runtime/trainer/run_length.h"

namespace zp::rt {

using nlohmann::json;

namespace {

/// Settings that may differ: they say who computes, where bytes lie, what is printed and when files
/// are written. Whatever isn't named here must agree. Length and rows of an update stand in the
/// identity by themselves.
constexpr std::string_view kFree[] = {"num_processes",
                                      "zero_stage",
                                      "per_device_train_batch_size",
                                      "gradient_accumulation_steps",
                                      "length_buckets",
                                      "dequant_cache_bytes",
                                      "max_steps",
                                      "num_train_epochs",
                                      "nvme_path",
                                      "load_best_model_at_end",
                                      "zero3_save_16bit_model",
                                      "report_to"};
constexpr std::string_view kFreeFamilies[] = {"stage3_",          "save_",    "logging_",    "eval_",       "prefetch_",    "reduce_",
                                              "per_device_eval_", "offload_", "metric_for_", "greater_is_", "rematerialize"};

bool isFree(std::string_view name) {
  return std::any_of(std::begin(kFree), std::end(kFree), [&](auto free) { return name == free; }) ||
         std::any_of(std::begin(kFreeFamilies), std::end(kFreeFamilies), [&](auto family) { return name.starts_with(family); });
}

class Hash {
public:
  Hash &bytes(const void *data, size_t size) {
    sum.add(data, size);
    return *this;
  }
  Hash &text(std::string_view text) { // its length first, so that no two lists read alike
    uint64_t size = text.size();
    return bytes(&size, sizeof size).bytes(text.data(), text.size());
  }
  std::string hex() const { return hexOf(sum.value()); }

private:
  Checksum sum;
};

std::string textOr(const flatbuffers::String *text) { return text ? text->str() : ""; }

std::string shapeOf(const fbs::Parameter &parameter) {
  std::string out;
  for (int64_t dim : *parameter.shape())
    out += std::to_string(dim) + ",";
  return out;
}

/// A JSON object as a text that doesn't depend on spacing, on order or on who wrote it.
std::string canonical(const flatbuffers::String *text) {
  json object = json::parse(textOr(text), nullptr, false);
  if (!object.is_object())
    return textOr(text);
  for (const char *label :
       {"_name_or_path", "base_model_name_or_path", "transformers_version", "peft_version", "use_cache", "inference_mode", "auto_mapping"})
    object.erase(label);
  return object.dump(-1, ' ', true, json::error_handler_t::replace);
}

std::string hashOfData(const TokenDataset &dataset) {
  Hash hash;
  for (size_t c = 0; c < dataset.columnCount(); ++c) {
    auto column = static_cast<TokenColumn>(c);
    std::vector<int32_t> row(dataset.lengthOf(column));
    for (uint64_t r = 0; r < dataset.rows(); ++r) {
      dataset.copy(column, r, row.size(), row.data());
      hash.bytes(row.data(), row.size() * sizeof(int32_t));
    }
  }
  return hash.hex();
}

/// A sample of the tensors that the run reads and doesn't train.
StatusOr<std::string> hashOfBase(const fbs::Plan &plan, const std::string &modelDirectory) {
  constexpr uint64_t kEnd = 4096; // bytes of each end of a tensor
  Hash hash;
  std::vector<std::string> names;
  for (const fbs::Section *section : *plan.sections())
    if (section->kind() != fbs::SectionKind::Trainable && section->parameters())
      for (const fbs::Parameter *parameter : *section->parameters())
        if (parameter->initial() == fbs::Initial::Checkpoint)
          names.push_back(textOr(parameter->checkpoint()));
  std::sort(names.begin(), names.end());
  if (names.empty())
    return hash.hex();
  ZP_ASSIGN_OR_RETURN(ModelWeights base, ModelWeights::open(modelDirectory));
  for (const std::string &name : names) {
    ZP_ASSIGN_OR_RETURN(WeightTensor tensor, base.find(name));
    const uint64_t bytes = tensor.info->bytes, end = std::min(bytes, kEnd);
    hash.text(name).text(textOf(tensor.info->dtype)).text(shapeText(tensor.info->shape));
    hash.bytes(tensor.data(), end).bytes(tensor.data() + bytes - end, end);
  }
  return hash.hex();
}

std::string hashOfTrained(const fbs::Plan &plan) {
  std::vector<std::string> lines;
  for (const fbs::Section *section : *plan.sections())
    if (section->kind() == fbs::SectionKind::Trainable && section->parameters())
      for (const fbs::Parameter *parameter : *section->parameters())
        lines.push_back(textOr(parameter->name()) + " " + shapeOf(*parameter) + " " + textOr(parameter->saved_as()));
  std::sort(lines.begin(), lines.end());
  Hash hash;
  for (const std::string &line : lines)
    hash.text(line);
  return hash.hex();
}

} // namespace

StatusOr<CheckpointIdentity> identityOf(const fbs::Plan &plan, const JobSettings &settings, const TokenDataset &dataset,
                                        const std::string &modelDirectory) {
  CheckpointIdentity identity;
  settings.forEach([&](const char *name, const auto &value, const char *) {
    if (!isFree(name))
      identity[name] = json(value).dump(-1, ' ', true, json::error_handler_t::replace);
  });
  ZP_ASSIGN_OR_RETURN(ScheduleArguments schedule, verifySchedule(settings, "plan: settings.", std::nullopt));
  identity["lr_scheduler_kwargs"] = json(schedule.text()).dump(); // not how it was written
  const int ranks = static_cast<int>(plan.ranks());
  ZP_ASSIGN_OR_RETURN(uint64_t updates, updatesInAll(settings, dataset, ranks));
  const int64_t round = settings.per_device_train_batch_size * ranks;
  identity["updates in all"] = std::to_string(updates);
  identity["rows of an update"] = std::to_string(round * settings.gradient_accumulation_steps);
  if (settings.dataloader_drop_last) // what is left out depends on it
    identity["rows of a round"] = std::to_string(round);
  identity["data set"] =
      json(std::to_string(dataset.rows()) + " rows of " + std::to_string(dataset.maxLength()) + " tokens, xxh64 " + hashOfData(dataset)).dump();
  identity["trained parameters"] = json("xxh64 " + hashOfTrained(plan)).dump();
  identity["model's config.json"] = json("xxh64 " + Hash().text(canonical(plan.model_config())).hex()).dump();
  identity["adapter_config.json"] = json("xxh64 " + Hash().text(canonical(plan.adapter_config())).hex()).dump();
  ZP_ASSIGN_OR_RETURN(std::string base, hashOfBase(plan, modelDirectory));
  identity["base model's weights"] = json("xxh64 " + base).dump();
  return identity;
}

Status sameIdentity(const std::string &place, const CheckpointIdentity &checkpoint, const CheckpointIdentity &run) {
  auto differs = [&](const std::string &key, const std::string &theirs, const std::string &ours) {
    return Status(ErrorCode::CheckpointMismatch, place + ": " + key + ": is " + theirs + ", expected " + ours +
                                                     " as this run has; resume with what the checkpoint was made by, or start "
                                                     "anew without --resume_from_checkpoint");
  };
  // A setting that one side doesn't know has its default there, which is that of this build or of a
  // later one.
  CheckpointIdentity defaults;
  JobSettings().forEach(
      [&](const char *name, const auto &value, const char *) { defaults[name] = json(value).dump(-1, ' ', true, json::error_handler_t::replace); });
  for (const auto &[key, ours] : run) {
    auto found = checkpoint.find(key);
    auto initial = defaults.find(key);
    const std::string theirs = found != checkpoint.end() ? found->second : initial != defaults.end() ? initial->second : "not there";
    if (theirs != ours)
      return differs(key, theirs, ours);
  }
  for (const auto &[key, theirs] : checkpoint)
    if (!run.count(key) && !isFree(key))
      return differs(key, theirs, "no such thing");
  return {};
}

} // namespace zp::rt
