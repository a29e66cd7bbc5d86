#include "frontends/huggingface/ModuleTable.h"

#include "frontends/huggingface/architectures/Family.h"

namespace zp::fe {

static int64_t extentOf(Width width, const ModelSpec &spec) {
  switch (width) {
  case Width::None:
    return 0;
  case Width::Hidden:
    return spec.hidden;
  case Width::Intermediate:
    return spec.intermediate;
  case Width::Query:
    return spec.heads * spec.headDim;
  case Width::KeyValue:
    return spec.kvHeads * spec.headDim;
  case Width::HeadDim:
    return spec.headDim;
  }
  return 0;
}

static ParameterSpec parameterOf(const std::string &name, std::vector<int64_t> shape) {
  ParameterSpec parameter;
  parameter.name = parameter.checkpoint = name;
  parameter.shape = std::move(shape);
  return parameter;
}

static bool hasBias(Role role, const ModelSpec &spec) {
  switch (role) {
  case Role::Query:
  case Role::Key:
  case Role::Value:
    return spec.queryKeyValueBias;
  case Role::Output:
    return spec.outputBias;
  case Role::Gate:
  case Role::Up:
  case Role::Down:
    return spec.mlpBias;
  default:
    return false;
  }
}

void makeModules(ModelSpec &spec) {
  spec.modules.clear();
  auto add = [&](const std::string &path, ModuleKind kind, Role role, int64_t unit,
                 std::vector<int64_t> shape) -> ModuleSpec & {
    ModuleSpec module;
    module.path = path;
    module.kind = kind;
    module.role = role;
    module.unit = unit;
    if (!shape.empty())
      module.weight = parameterOf(path + ".weight", std::move(shape));
    return spec.modules.emplace_back(std::move(module));
  };

  const Family *family = nullptr;
  for (const Family *candidate : allFamilies())
    if (spec.modelType == candidate->modelType)
      family = candidate;

  add("model", ModuleKind::Container, Role::None, 0, {});
  add("model.embed_tokens", ModuleKind::Embedding, Role::Embedding, 0,
      {spec.vocabulary, spec.hidden});
  add("model.layers", ModuleKind::Container, Role::None, 1, {});
  for (int64_t layer = 0; layer < spec.layers; ++layer) {
    std::string prefix = "model.layers." + std::to_string(layer);
    int64_t unit = layer + 1;
    add(prefix, ModuleKind::Container, Role::None, unit, {});
    for (const BlockModule &entry : family->block) {
      std::vector<int64_t> shape;
      for (Width width : {entry.out, entry.in})
        if (width != Width::None)
          shape.push_back(extentOf(width, spec));
      ModuleSpec &module = add(prefix + "." + entry.path, entry.kind, entry.role, unit, shape);
      if (hasBias(entry.role, spec))
        module.bias = parameterOf(module.path + ".bias", {shape[0]});
    }
  }
  int64_t last = spec.layers + 1;
  add("model.norm", ModuleKind::RmsNorm, Role::FinalNorm, last, {spec.hidden});
  add("model.rotary_emb", ModuleKind::Other, Role::None, 0, {});
  ModuleSpec &head =
      add("lm_head", ModuleKind::Linear, Role::Head, last, {spec.vocabulary, spec.hidden});
  if (spec.tiedHead)
    head.weight = spec.modules[1].weight;
}

} // namespace zp::fe
