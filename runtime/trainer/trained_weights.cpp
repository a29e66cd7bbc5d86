#include "runtime/trainer/trained_weights.h"

#include <algorithm>
#include <map>

#include <nlohmann/json.hpp>

#include "runtime/io/convert_elements.h"
#include "runtime/io/safetensors_writer.h"
#include "runtime/schema/plan_generated.h"
#include "runtime/trainer/plan_entries.h"
#include "runtime/trainer/shards.h"

namespace zp::rt {

namespace {

constexpr uint64_t kPiece = 1 << 20; // elements of a rank's slice that travel at once

/// The files of rank 0: routes elements of sections to the tensors they belong to.
class Files {
public:
  Status open(const fbs::Plan &plan, const SavedModel &where) {
    std::vector<SafetensorsEntry> entries;
    for (const fbs::Section *section : *plan.sections())
      forEachSaved(*section, [&](const fbs::Parameter &parameter, uint64_t) {
        SafetensorsEntry entry{parameter.saved_as()->str(), SafetensorsDtype::F32, {}};
        for (int64_t dim : *parameter.shape())
          entry.shape.push_back(static_cast<uint64_t>(dim));
        entries.push_back(std::move(entry));
        return Status();
      }).ok();
    const bool adapter = plan.adapter_config() && plan.adapter_config()->size() > 0;
    shards = adapter ? std::vector<Shard>{{"adapter_model.safetensors", std::move(entries)}} : shardsOf(std::move(entries), where.maxShardBytes);
    const SafetensorsWriter::Metadata metadata = {{"format", "pt"}};
    for (size_t i = 0; i < shards.size(); ++i) {
      ZP_ASSIGN_OR_RETURN(SafetensorsWriter writer, SafetensorsWriter::create(where.directory + "/" + shards[i].file, shards[i].entries, &metadata));
      writers.push_back(std::move(writer));
      for (const SafetensorsEntry &entry : shards[i].entries)
        writerOf[entry.name] = i;
    }
    return {};
  }

  /// `values` are section elements [first, first+count).
  Status put(const fbs::Section &section, uint64_t first, uint64_t count, const float *values) {
    return forEachSaved(section, [&](const fbs::Parameter &parameter, uint64_t elements) {
      uint64_t begin = std::max(first, parameter.offset()), end = std::min(first + count, parameter.offset() + elements);
      if (begin >= end)
        return Status();
      std::string name = parameter.saved_as()->str();
      return writers[writerOf[name]].write(name, (begin - parameter.offset()) * 4, values + (begin - first), (end - begin) * 4);
    });
  }

  /// Masters that ranks have written already.
  Status putAll(const fbs::Plan &plan, const StateShards &masters) {
    std::vector<float> piece(kPiece);
    for (const fbs::Section *section : *plan.sections())
      ZP_RETURN_IF_ERROR(forEachSaved(*section, [&](const fbs::Parameter &parameter, uint64_t elements) {
        const std::string name = parameter.saved_as()->str();
        SafetensorsWriter &writer = writers[writerOf[name]];
        for (uint64_t done = 0; done < elements; done += kPiece) {
          uint64_t n = std::min(kPiece, elements - done);
          ZP_RETURN_IF_ERROR(masters.read(parameter.name()->str(), StateKind::Master, done, n, piece.data(), DType::F32));
          ZP_RETURN_IF_ERROR(writer.write(name, done * sizeof(float), piece.data(), n * sizeof(float)));
        }
        return Status();
      }));
    return {};
  }

  /// The weights get their names after the config, so that whoever finds them finds it too.
  Status finish(const fbs::Plan &plan, const SavedModel &where);

private:
  template <typename F> static Status forEachSaved(const fbs::Section &section, F &&f) {
    if (section.kind() != fbs::SectionKind::Trainable || !section.parameters())
      return {};
    for (const fbs::Parameter *parameter : *section.parameters()) {
      if (!parameter->saved_as() || parameter->saved_as()->size() == 0)
        continue;
      uint64_t elements = 1;
      for (int64_t dim : *parameter->shape())
        elements *= static_cast<uint64_t>(dim);
      ZP_RETURN_IF_ERROR(f(*parameter, elements));
    }
    return {};
  }

  std::vector<Shard> shards;
  std::vector<SafetensorsWriter> writers;
  std::map<std::string, size_t, std::less<>> writerOf;
};

/// Sends one section to rank 0, piece by piece. `files` is null on the other ranks.
Status gatherSection(const fbs::Section &section, const TensorView &state, Communicator &communicator, Files *files) {
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

/// adapter_config.json as PEFT spells it: sorted, two blanks, ASCII, no newline at the end.
StatusOr<std::string> adapterConfig(const fbs::Plan &plan, const std::string &baseName) {
  nlohmann::json config = nlohmann::json::parse(plan.adapter_config()->str(), nullptr, false);
  if (config.is_discarded() || !config.is_object())
    return Status(ErrorCode::PlanInvalid, "plan: adapter_config: is not a JSON object; compile it again");
  config["base_model_name_or_path"] = baseName;
  config["inference_mode"] = true;
  return config.dump(2, ' ', true, nlohmann::json::error_handler_t::replace);
}

Status Files::finish(const fbs::Plan &plan, const SavedModel &where) {
  if (plan.adapter_config() && plan.adapter_config()->size() > 0) {
    ZP_ASSIGN_OR_RETURN(std::string config, adapterConfig(plan, where.baseName));
    ZP_RETURN_IF_ERROR(writeFileAtomically(where.directory + "/adapter_config.json", config));
  } else {
    ZP_RETURN_IF_ERROR(writeFileAtomically(where.directory + "/config.json", plan.model_config() ? plan.model_config()->str() : "{}"));
  }
  for (SafetensorsWriter &writer : writers)
    ZP_RETURN_IF_ERROR(writer.finish());
  return shards.size() > 1 ? writeFileAtomically(where.directory + "/model.safetensors.index.json", shardIndex(shards)) : Status();
}

} // namespace

Status writeTrainedWeights(const fbs::Plan &plan, const StateShards &shards, const SavedModel &where) {
  Files files;
  ZP_RETURN_IF_ERROR(files.open(plan, where));
  ZP_RETURN_IF_ERROR(files.putAll(plan, shards));
  return files.finish(plan, where);
}

Status writeTrainedWeights(const fbs::Plan &plan, Executor &executor, Communicator &communicator, const SavedModel &where) {
  const bool first = communicator.rank() == 0;
  Files files;
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
