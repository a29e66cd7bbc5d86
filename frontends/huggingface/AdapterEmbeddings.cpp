#include "frontends/huggingface/AdapterEmbeddings.h"

#include <cstring>

#include "frontends/huggingface/ModuleTable.h"
#include "frontends/huggingface/TrainedParameters.h"
#include "runtime/io/safetensors.h"

namespace zp::fe {

static const ModuleSpec *moduleOf(const ModelSpec &spec, Role role) {
  for (const ModuleSpec &module : spec.modules)
    if (module.role == role)
      return &module;
  return nullptr;
}

Status adoptEmbeddings(const std::string &adapterDirectory, ModelSpec &spec) {
  auto opened = rt::SafetensorsFile::open(adapterDirectory + "/adapter_model.safetensors");
  if (!opened.ok())
    return Status();
  const rt::SafetensorsFile &file = **opened;
  auto nameOf = [&](Role role) {
    const ModuleSpec *module = moduleOf(spec, role);
    return module ? kSavedPrefix + module->path + ".weight" : std::string();
  };
  const rt::SafetensorsInfo *embedding = file.find(nameOf(Role::Embedding)), *head = file.find(nameOf(Role::Head));
  if (!embedding || (!embedding->shape.empty() && embedding->shape[0] == uint64_t(spec.vocabulary)))
    return Status();
  auto refuse = [&](Role role, const std::string &is, const std::string &expected) {
    return Status(ErrorCode::AdapterMismatch, file.path() + ": tensor " + nameOf(role) + ": " + is + ", expected " + expected +
                                                  "; name the base that the adapter was trained on");
  };
  constexpr uint64_t kMostRows = uint64_t(1) << 30;
  if (embedding->shape.size() != 2 || embedding->shape[0] == 0 || embedding->shape[0] > kMostRows || embedding->shape[1] != uint64_t(spec.hidden))
    return refuse(Role::Embedding, "shape is " + rt::shapeText(embedding->shape),
                  "rows of " + std::to_string(spec.hidden) + " elements as " + spec.configFile + " has");
  if (head && head->shape != embedding->shape)
    return refuse(Role::Head, "shape is " + rt::shapeText(head->shape), rt::shapeText(embedding->shape) + " as the adapter's embeddings have");
  if (!head && !spec.tiedHead)
    return refuse(Role::Head, "is missing", "a head of " + rt::shapeText(embedding->shape) + " beside the adapter's embeddings");
  // A tied head is saved twice; if the two differ they were tied no more.
  spec.tiedHead =
      spec.tiedHead && (!head || (head->dtype == embedding->dtype && std::memcmp(file.data(*head), file.data(*embedding), head->bytes) == 0));
  spec.notes.push_back("note: " + file.path() + ": has embeddings of " + std::to_string(embedding->shape[0]) + " tokens, and " + spec.configFile +
                       " says " + std::to_string(spec.vocabulary) + ": the adapter's take the place of the base's");
  spec.vocabulary = int64_t(embedding->shape[0]);
  makeModules(spec);
  for (ModuleSpec &module : spec.modules)
    if (module.role == Role::Embedding || module.role == Role::EmbeddingAlias || module.role == Role::Head)
      module.weight->ofAdapter = true;
  return Status();
}

} // namespace zp::fe
