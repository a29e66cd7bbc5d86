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

static Attribute attributeOf(Builder &builder, int64_t value) { return builder.getI64IntegerAttr(value); }
static Attribute attributeOf(Builder &builder, double value) { return builder.getF64FloatAttr(value); }
static Attribute attributeOf(Builder &builder, bool value) { return builder.getBoolAttr(value); }
static Attribute attributeOf(Builder &builder, const std::string &value) { return builder.getStringAttr(value); }

static void recordJob(Builder &builder, ModuleOp module, const ModelSpec &spec, const JobSettings &settings, const ModuleRecord &record) {
  SmallVector<NamedAttribute> entries;
  settings.forEach(
      [&](const char *name, const auto &value, const char *) { entries.push_back(builder.getNamedAttr(name, attributeOf(builder, value))); });
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
      nn::ParameterOp::create(builder, builder.getUnknownLoc(), builder.getStringAttr(parameter.name), TypeAttr::get(type),
                              builder.getI64IntegerAttr(module.unit), nn::InitialAttr::get(builder.getContext(), nn::Initial::Checkpoint),
                              builder.getStringAttr(parameter.checkpoint),
                              parameter.trained ? builder.getStringAttr(parameter.savedAs) : StringAttr(),
                              parameter.trained ? builder.getUnitAttr() : UnitAttr(), parameter.decayed ? builder.getUnitAttr() : UnitAttr(),
                              builder.getF64FloatAttr(0.0), builder.getI64IntegerAttr(0), parameter.inF32 ? builder.getUnitAttr() : UnitAttr());
    }
}

constexpr llvm::StringLiteral kLossState = "loss_sum";

/// Longest first: the passes that make one program of a train step take that one.
static SmallVector<int64_t> bucketLengths(const JobSettings &settings) {
  constexpr int64_t kStep = 8;
  SmallVector<int64_t> lengths{settings.max_length};
  for (int64_t i = 1; i < settings.length_buckets; ++i) {
    int64_t half = (lengths.back() / 2 + kStep - 1) / kStep * kStep;
    if (half < kStep || half >= lengths.back())
      break;
    lengths.push_back(half);
  }
  return lengths;
}

static void buildTrainStep(OpBuilder builder, const ModelSpec &spec, int64_t rows, int64_t length, int64_t sourceLength, bool longest) {
  Location loc = builder.getUnknownLoc();
  std::string name = longest ? "train_step" : "train_step_" + std::to_string(length);
  auto program =
      nn::ProgramOp::create(builder, loc, builder.getStringAttr(name), nn::ProgramKindAttr::get(builder.getContext(), nn::ProgramKind::TrainStep),
                            builder.getI64IntegerAttr(rows), builder.getI64IntegerAttr(length), builder.getI64IntegerAttr(sourceLength));
  builder.createBlock(&program.getBody());
  Value loss = buildForward(builder, spec, rows, length, sourceLength);
  auto add = nn::AddStateOp::create(builder, loc, kLossState, loss);
  add->setAttr(nn::NNDialect::kUnitAttr, builder.getI64IntegerAttr(spec.lastUnit()));
}

OwningOpRef<ModuleOp> buildModule(MLIRContext &context, const ModelSpec &spec, const JobSettings &settings, const ModuleRecord &record) {
  context.loadDialect<nn::NNDialect>();
  OpBuilder builder(&context);
  Location loc = builder.getUnknownLoc();
  OwningOpRef<ModuleOp> module = ModuleOp::create(loc);
  recordJob(builder, *module, spec, settings, record);

  builder.setInsertionPointToEnd(module->getBody());
  declareParameters(builder, spec);
  nn::StateOp::create(builder, loc, builder.getStringAttr(kLossState), TypeAttr::get(RankedTensorType::get({kLossSums}, builder.getF64Type())));

  const int64_t sourceLength = spec.structure == Structure::EncoderDecoder ? settings.max_source_length : 0;
  for (int64_t length : bucketLengths(settings))
    buildTrainStep(builder, spec, settings.per_device_train_batch_size, length, sourceLength, length == settings.max_length);
  if (failed(verify(*module)))
    return {};
  return module;
}

} // namespace zp::fe
