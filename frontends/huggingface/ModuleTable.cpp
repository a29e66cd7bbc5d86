#include "frontends/huggingface/ModuleTable.h"

#include "frontends/huggingface/architectures/Family.h"

namespace zp::fe {

static int64_t extentOf(Width width, const ModelSpec &spec) {
  switch (width) {
  case Width::None:
    return 0;
  case Width::Vocabulary:
    return spec.vocabulary;
  case Width::Hidden:
    return spec.hidden;
  case Width::Intermediate:
    return spec.intermediate;
  case Width::Query:
    return spec.heads * spec.headDim;
  case Width::KeyValue:
    return spec.kvHeads * spec.headDim;
  case Width::QueryKeyValue:
    return (spec.heads + 2 * spec.kvHeads) * spec.headDim;
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

static bool hasBias(const ModuleRow &row, const ModelSpec &spec) {
  if (row.kind == ModuleKind::LayerNorm)
    return true;
  switch (row.role) {
  case Role::Query:
  case Role::Key:
  case Role::Value:
  case Role::QueryKeyValue:
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

namespace {

class ModuleMaker {
public:
  explicit ModuleMaker(ModelSpec &spec) : spec(spec) {}

  void run() {
    spec.modules.clear();
    for (const Section &section : familyNamed(spec.modelType).sections)
      add(section);
    if (spec.tiedHead)
      tieHead();
  }

private:
  void add(const Section &section) {
    if (section.place != Place::Blocks)
      return addRows("", section.rows, section.place == Place::Embeddings ? 0 : spec.lastUnit());
    addContainer(section.path, nextBlock);
    for (int64_t layer = 0; layer < spec.layers; ++layer, ++nextBlock) {
      std::string path = std::string(section.path) + "." + std::to_string(layer);
      addContainer(path, nextBlock);
      addRows(path + ".", section.rows, nextBlock);
    }
  }

  ModuleSpec &addContainer(const std::string &path, int64_t unit) {
    ModuleSpec &module = spec.modules.emplace_back();
    module.path = path;
    module.unit = unit;
    return module;
  }

  void addRows(const std::string &prefix, std::span<const ModuleRow> rows, int64_t unit) {
    for (const ModuleRow &row : rows) {
      if (row.present && !row.present(spec))
        continue;
      ModuleSpec &module = addContainer(prefix + row.path, unit);
      module.kind = row.kind;
      module.role = row.role;
      std::vector<int64_t> shape;
      for (Width width : {row.out, row.in})
        if (width != Width::None)
          shape.push_back(extentOf(width, spec));
      if (shape.empty())
        continue;
      module.weight = parameterOf(module.path + ".weight", shape);
      if (hasBias(row, spec))
        module.bias = parameterOf(module.path + ".bias", {shape[0]});
    }
  }

  void tieHead() {
    std::optional<ParameterSpec> shared;
    for (ModuleSpec &module : spec.modules)
      if (module.role == Role::Embedding)
        shared = module.weight;
      else if (module.role == Role::Head)
        module.weight = shared;
  }

  ModelSpec &spec;
  int64_t nextBlock = 1;
};

} // namespace

void makeModules(ModelSpec &spec) { ModuleMaker(spec).run(); }

} // namespace zp::fe
