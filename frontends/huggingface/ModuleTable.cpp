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
  case Width::Heads:
    return spec.heads;
  case Width::Buckets:
    return spec.relativeBias.buckets;
  case Width::Positions:
    return spec.maxPositions + spec.positionOffset;
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
  case Role::CrossQuery:
  case Role::CrossKey:
  case Role::CrossValue:
    return spec.queryKeyValueBias;
  case Role::Output:
  case Role::CrossOutput:
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
    share();
  }

private:
  void add(const Section &section) {
    switch (section.place) {
    case Place::Embeddings:
      return addRows("", section.rows, 0);
    case Place::SourceBlocks:
      return addBlocks(section, spec.encoderLayers);
    case Place::SourceEnd:
      return addRows("", section.rows, spec.encoderLayers);
    case Place::Blocks:
      return addBlocks(section, spec.layers);
    case Place::Head:
      return addRows("", section.rows, spec.lastUnit());
    }
  }

  void addBlocks(const Section &section, int64_t layers) {
    addContainer(section.path, nextBlock);
    for (int64_t layer = 0; layer < layers; ++layer, ++nextBlock) {
      std::string path = std::string(section.path) + "." + std::to_string(layer);
      addContainer(path, nextBlock);
      addRows(path + ".", section.rows, nextBlock, /*first=*/layer == 0);
    }
  }

  ModuleSpec &addContainer(const std::string &path, int64_t unit) {
    ModuleSpec &module = spec.modules.emplace_back();
    module.path = path;
    module.unit = unit;
    return module;
  }

  void addRows(const std::string &prefix, std::span<const ModuleRow> rows, int64_t unit, bool first = true) {
    for (const ModuleRow &row : rows) {
      if ((row.present && !row.present(spec)) || (row.shared && !first))
        continue;
      ModuleSpec &module = addContainer(prefix + row.path, row.shared ? 0 : unit);
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

  /// Aliases of the embedding have its tensor, and so has a tied head.
  void share() {
    std::optional<ParameterSpec> embedding;
    for (ModuleSpec &module : spec.modules)
      if (module.role == Role::Embedding)
        embedding = module.weight;
      else if (module.role == Role::EmbeddingAlias || (module.role == Role::Head && spec.tiedHead))
        module.weight = embedding;
  }

  ModelSpec &spec;
  int64_t nextBlock = 1;
};

} // namespace

void makeModules(ModelSpec &spec) { ModuleMaker(spec).run(); }

} // namespace zp::fe
