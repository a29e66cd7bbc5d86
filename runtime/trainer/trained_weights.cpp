#include "runtime/trainer/trained_weights.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>

#include <nlohmann/json.hpp>

#include "runtime/io/convert_elements.h"
#include "runtime/io/float_types.h"
#include "runtime/io/safetensors_writer.h"
#include "runtime/io/streamed_file.h"
#include "runtime/schema/plan_generated.h"
#include "runtime/schema/section_records.h"
#include "runtime/trainer/plan_entries.h"
#include "runtime/trainer/shards.h"

namespace zp::rt {

namespace {

constexpr uint64_t kPiece = 1 << 20; // elements of a rank's slice that travel at once

bool isAdapter(const fbs::Plan &plan) { return plan.adapter_config() && plan.adapter_config()->size() > 0; }

const SafetensorsWriter::Metadata kMetadata = {{"format", "pt"}};

template <typename F> Status forEachSaved(const fbs::Section &section, F &&f) {
  if (section.kind() != fbs::SectionKind::Trainable || !section.parameters())
    return {};
  for (const fbs::Parameter *parameter : *section.parameters())
    if (parameter->saved_as() && parameter->saved_as()->size() > 0)
      ZP_RETURN_IF_ERROR(f(*parameter));
  return {};
}

/// What the files hold, and by which name.
struct SavedFiles {
  DType dtype = DType::F32; ///< of what was trained
  std::vector<Shard> shards;
  std::map<std::string, const fbs::Parameter *, std::less<>> trained;
  std::map<std::string, const WeightTensor *, std::less<>> copied;

  SavedFiles(const fbs::Plan &plan, const SavedModel &where) {
    const bool adapter = isAdapter(plan);
    dtype = adapter ? DType::F32 : where.dtype;
    std::vector<SafetensorsEntry> entries;
    for (const fbs::Section *section : *plan.sections())
      forEachSaved(*section, [&](const fbs::Parameter &parameter) {
        SafetensorsEntry entry{parameter.saved_as()->str(), floatOf(dtype).label, {}};
        for (int64_t dim : *parameter.shape())
          entry.shape.push_back(static_cast<uint64_t>(dim));
        trained[entry.name] = &parameter;
        entries.push_back(std::move(entry));
        return Status();
      }).ok();
    for (const SavedCopy &copy : where.copies)
      if (!trained.count(copy.name)) {
        copied[copy.name] = &copy.tensor;
        entries.push_back({copy.name, copy.tensor.info->dtype, copy.tensor.info->shape});
      }
    shards = adapter ? std::vector<Shard>{{"adapter_model.safetensors", std::move(entries)}} : shardsOf(std::move(entries), where.maxShardBytes);
  }
};

/// adapter_config.json as PEFT spells it: sorted, two blanks, ASCII, no newline at the end.
StatusOr<std::string> adapterConfig(const fbs::Plan &plan, const std::string &baseName) {
  nlohmann::json config = nlohmann::json::parse(plan.adapter_config()->str(), nullptr, false);
  if (config.is_discarded() || !config.is_object())
    return Status(ErrorCode::PlanInvalid, "plan: adapter_config: is not a JSON object; compile it again");
  config["base_model_name_or_path"] = baseName;
  config["inference_mode"] = true;
  return config.dump(2, ' ', true, nlohmann::json::error_handler_t::replace);
}

/// config.json that says what dtype the weights have: f32, where it says none or null.
std::string modelConfig(const std::string &text, DType dtype) {
  auto config = nlohmann::ordered_json::parse(text, nullptr, false);
  const std::string name = floatOf(dtype).name;
  if (!config.is_object())
    return text;
  std::string said = "float32";
  for (const char *key : {"torch_dtype", "dtype"}) // the newer name goes before the older
    if (auto at = config.find(key); at != config.end() && at->is_string())
      said = at->get<std::string>();
  if (said == name)
    return text;
  config[config.contains("dtype") ? "dtype" : "torch_dtype"] = name;
  return config.dump(2, ' ', true, nlohmann::json::error_handler_t::replace) + "\n";
}

/// Before the weights get their names, so that whoever finds them finds it too.
Status writeConfig(const fbs::Plan &plan, const SavedModel &where) {
  std::error_code ignored;
  for (const std::string &name : where.strangers)
    std::filesystem::remove(where.directory + "/" + name, ignored);
  for (const auto &[name, text] : where.texts)
    ZP_RETURN_IF_ERROR(writeFileAtomically(where.directory + "/" + name, text));
  const std::string own = plan.model_config() ? plan.model_config()->str() : "{}";
  if (!isAdapter(plan))
    return writeFileAtomically(where.directory + "/config.json", modelConfig(where.modelConfig.empty() ? own : where.modelConfig, where.dtype));
  ZP_ASSIGN_OR_RETURN(std::string config, adapterConfig(plan, where.baseName));
  return writeFileAtomically(where.directory + "/adapter_config.json", config);
}

Status writeIndex(const SavedFiles &files, const SavedModel &where) {
  return files.shards.size() > 1 ? writeFileAtomically(where.directory + "/model.safetensors.index.json", shardIndex(files.shards)) : Status();
}

/// The files of rank 0: routes elements of sections to the tensors they belong to, in whatever order they come.
class GatheredFiles {
public:
  Status open(const fbs::Plan &plan, const SavedModel &where) {
    files.emplace(plan, where);
    for (size_t i = 0; i < files->shards.size(); ++i) {
      const Shard &shard = files->shards[i];
      ZP_ASSIGN_OR_RETURN(SafetensorsWriter writer, SafetensorsWriter::create(where.directory + "/" + shard.file, shard.entries, &kMetadata));
      writers.push_back(std::move(writer));
      for (const SafetensorsEntry &entry : shard.entries)
        writerOf[entry.name] = i;
    }
    for (const auto &[name, tensor] : files->copied)
      ZP_RETURN_IF_ERROR(writers[writerOf[name]].write(name, 0, tensor->data(), tensor->info->bytes));
    return {};
  }

  /// `values` are section elements [first, first+count).
  Status put(const fbs::Section &section, uint64_t first, uint64_t count, const float *values) {
    return forEachSaved(section, [&](const fbs::Parameter &parameter) {
      const uint64_t begin = std::max(first, parameter.offset()), end = std::min(first + count, parameter.offset() + elementsOf(parameter));
      if (begin >= end)
        return Status();
      const std::string name = parameter.saved_as()->str();
      converted.resize(bytesOf(files->dtype, end - begin));
      convertElements(reinterpret_cast<const std::byte *>(values + (begin - first)), DType::F32, converted.data(), files->dtype, end - begin);
      return writers[writerOf[name]].write(name, bytesOf(files->dtype, begin - parameter.offset()), converted.data(), converted.size());
    });
  }

  Status finish(const fbs::Plan &plan, const SavedModel &where) {
    ZP_RETURN_IF_ERROR(writeConfig(plan, where));
    for (SafetensorsWriter &writer : writers)
      ZP_RETURN_IF_ERROR(writer.finish());
    return writeIndex(*files, where);
  }

private:
  std::optional<SavedFiles> files;
  std::vector<SafetensorsWriter> writers;
  std::map<std::string, size_t, std::less<>> writerOf;
  std::vector<std::byte> converted;
};

/// Sends one section to rank 0, piece by piece. `files` is null on the other ranks.
Status gatherSection(const fbs::Section &section, const TensorView &state, Communicator &communicator, GatheredFiles *files) {
  const auto owned = static_cast<uint64_t>(state.elements()), ranks = static_cast<uint64_t>(communicator.size());
  const bool sharded = owned != section.elements();
  if (sharded && owned * ranks != section.elements())
    return Status(ErrorCode::PlanInvalid, "plan: section " + section.name()->str() + ": its state has " + std::to_string(owned) +
                                              " elements, expected " + std::to_string(section.elements()) + " or a rank's share; compile it again");
  if (!sharded && !files)
    return {};
  const uint64_t piece = std::min(kPiece, owned);
  std::vector<float> mine(piece), whole(sharded ? piece * ranks : 0);
  for (uint64_t done = 0; done < owned; done += piece) {
    uint64_t n = std::min(piece, owned - done);
    convertElements(state.as<std::byte>() + bytesOf(state.dtype, done), state.dtype, mine.data(), DType::F32, n);
    if (!sharded) {
      ZP_RETURN_IF_ERROR(files->put(section, done, n, mine.data()));
      continue;
    }
    ZP_RETURN_IF_ERROR(communicator.allGather(mine.data(), whole.data(), n * sizeof(float)));
    for (uint64_t r = 0; files && r < ranks; ++r)
      ZP_RETURN_IF_ERROR(files->put(section, r * owned + done, n, whole.data() + r * n));
  }
  return {};
}

/// One file from its beginning to its end.
StatusOr<ManifestFile> streamShard(Shard &shard, const SavedFiles &files, const StateShards &masters, const std::string &directory) {
  std::vector<uint64_t> begins;
  const std::string header = safetensorsHeader(shard.entries, &kMetadata, begins);
  uint64_t bytes = header.size();
  for (const SafetensorsEntry &entry : shard.entries)
    bytes += bytesOf(entry);
  ZP_ASSIGN_OR_RETURN(StreamedFile file, StreamedFile::create(directory, shard.file, bytes));
  ZP_RETURN_IF_ERROR(file.append(header.data(), header.size()));
  const uint64_t unit = bytesOf(files.dtype, 1);
  for (const SafetensorsEntry &entry : shard.entries) {
    if (auto copy = files.copied.find(entry.name); copy != files.copied.end()) {
      ZP_RETURN_IF_ERROR(file.append(copy->second->data(), copy->second->info->bytes));
      continue;
    }
    const std::string parameter = files.trained.at(entry.name)->name()->str();
    ZP_RETURN_IF_ERROR(file.append(bytesOf(entry), unit, [&](std::byte *target, uint64_t done, uint64_t n) {
      return masters.read(parameter, StateKind::Master, done / unit, n / unit, target, files.dtype);
    }));
  }
  return file.commit();
}

} // namespace

StatusOr<std::vector<ManifestFile>> writeTrainedWeights(const fbs::Plan &plan, const StateShards &shards, const SavedModel &where) {
  SavedFiles files(plan, where);
  ZP_RETURN_IF_ERROR(writeConfig(plan, where));
  std::vector<ManifestFile> written;
  for (Shard &shard : files.shards) {
    ZP_ASSIGN_OR_RETURN(ManifestFile file, streamShard(shard, files, shards, where.directory));
    written.push_back(std::move(file));
  }
  ZP_RETURN_IF_ERROR(writeIndex(files, where));
  return written;
}

Status writeTrainedWeights(const fbs::Plan &plan, Executor &executor, Communicator &communicator, const SavedModel &where) {
  const bool first = communicator.rank() == 0;
  GatheredFiles files;
  if (first)
    ZP_RETURN_IF_ERROR(files.open(plan, where));
  for (const fbs::Section *section : *plan.sections()) {
    if (section->kind() != fbs::SectionKind::Trainable)
      continue;
    uint32_t tensor = section->master() != kNoTensor ? section->master() : section->values();
    std::vector<std::byte> storage;
    TensorView state;
    ZP_RETURN_IF_ERROR(executor.bring(tensor, storage, state));
    ZP_RETURN_IF_ERROR(gatherSection(*section, state, communicator, first ? &files : nullptr));
  }
  if (first)
    ZP_RETURN_IF_ERROR(files.finish(plan, where));
  return communicator.barrier(); // a rank that returns may exit: only when the files are there
}

} // namespace zp::rt
