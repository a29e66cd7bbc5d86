#include "frontends/builder/NNBuilder.h"

#include <algorithm>

#include "mlir/IR/Builders.h"
#include "mlir/IR/Verifier.h"
#include "llvm/ADT/StringSet.h"

#include "dialects/NN/IR/NNDialect.h"
#include "frontends/builder/ForwardBuilder.h"

using namespace mlir;

namespace zp::fe {

int64_t crossEntropyChunk(int64_t vocabulary, int64_t tokens) {
  constexpr int64_t kBytes = 32 << 20, kFewest = 64, kStep = 16;
  int64_t fitting = kBytes / (vocabulary * int64_t(sizeof(float)));
  return std::min(tokens, std::max(kFewest, fitting / kStep * kStep));
}

static Attribute attributeOf(Builder &builder, int64_t value) {
  return builder.getI64IntegerAttr(value);
}
static Attribute attributeOf(Builder &builder, double value) {
  return builder.getF64FloatAttr(value);
}
static Attribute attributeOf(Builder &builder, bool value) { return builder.getBoolAttr(value); }
static Attribute attributeOf(Builder &builder, const std::string &value) {
  return builder.getStringAttr(value);
}

static void recordJob(Builder &builder, ModuleOp module, const ModelSpec &spec,
                      const JobSettings &settings, const ModuleRecord &record) {
  SmallVector<NamedAttribute> entries;
  settings.forEach([&](const char *name, const auto &value, const char *) {
    entries.push_back(builder.getNamedAttr(name, attributeOf(builder, value)));
  });
  module->setAttr(nn::NNDialect::kSettingsAttr, builder.getDictionaryAttr(entries));
  module->setAttr("zp.model_config", builder.getStringAttr(spec.configText));
  if (!record.adapterConfig.empty())
    module->setAttr("zp.adapter_config", builder.getStringAttr(record.adapterConfig));
  module->setAttr("zp.vocab_size", builder.getI64IntegerAttr(spec.vocabulary));
  module->setAttr("zp.model_path", builder.getStringAttr(record.modelPath));
}

/// Once each; a tied head's tensor lives with the embedding.
static void declareParameters(OpBuilder &builder, const ModelSpec &spec) {
  llvm::StringSet<> declared;
  for (const ModuleSpec &module : spec.modules)
    for (const std::optional<ParameterSpec> *slot : {&module.weight, &module.bias}) {
      if (!*slot || !declared.insert((*slot)->name).second)
        continue;
      const ParameterSpec &parameter = **slot;
      auto type = RankedTensorType::get(parameter.shape, builder.getF32Type());
      nn::ParameterOp::create(
          builder, builder.getUnknownLoc(), builder.getStringAttr(parameter.name),
          TypeAttr::get(type), builder.getI64IntegerAttr(module.unit),
          nn::InitialAttr::get(builder.getContext(), nn::Initial::Checkpoint),
          builder.getStringAttr(parameter.checkpoint),
          parameter.trained ? builder.getStringAttr(parameter.savedAs) : StringAttr(),
          parameter.trained ? builder.getUnitAttr() : UnitAttr(),
          parameter.decayed ? builder.getUnitAttr() : UnitAttr(), builder.getF64FloatAttr(0.0),
          builder.getI64IntegerAttr(0));
    }
}

OwningOpRef<ModuleOp> buildModule(MLIRContext &context, const ModelSpec &spec,
                                  const JobSettings &settings, const ModuleRecord &record) {
  context.loadDialect<nn::NNDialect>();
  OpBuilder builder(&context);
  Location loc = builder.getUnknownLoc();
  OwningOpRef<ModuleOp> module = ModuleOp::create(loc);
  recordJob(builder, *module, spec, settings, record);

  builder.setInsertionPointToEnd(module->getBody());
  declareParameters(builder, spec);
  constexpr llvm::StringLiteral kLossState = "loss_sum";
  nn::StateOp::create(builder, loc, builder.getStringAttr(kLossState),
                      TypeAttr::get(RankedTensorType::get({1}, builder.getF64Type())));

  int64_t rows = settings.per_device_train_batch_size, length = settings.max_length;
  auto program =
      nn::ProgramOp::create(builder, loc, builder.getStringAttr("train_step"),
                            nn::ProgramKindAttr::get(&context, nn::ProgramKind::TrainStep),
                            builder.getI64IntegerAttr(rows), builder.getI64IntegerAttr(length));
  builder.createBlock(&program.getBody());
  Value loss = ForwardBuilder(builder, spec, rows, length).build();
  auto add = nn::AddStateOp::create(builder, loc, kLossState, loss);
  add->setAttr(nn::NNDialect::kUnitAttr, builder.getI64IntegerAttr(spec.layers + 1));
  if (failed(verify(*module)))
    return {};
  return module;
}

} // namespace zp::fe
