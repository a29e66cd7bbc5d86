#include "frontends/builder/ForwardBuilder.h"

#include <cmath>

#include "frontends/builder/NNBuilder.h"

using namespace mlir;

namespace zp::fe {

static constexpr int64_t kScalarBytes = 64; // StepScalars
// nf4-quantize-frozen-weights leaves such a linear alone.
static constexpr llvm::StringLiteral kSkipQuantizationAttr = "nf4.skip";

ForwardBuilder::ForwardBuilder(OpBuilder &builder, const ModelSpec &spec, int64_t rows, int64_t length)
    : builder(builder), spec(spec), length(length), tokens(rows * length), units(size_t(spec.lastUnit() + 1)) {
  for (const ModuleSpec &module : spec.modules) {
    units[size_t(module.unit)].put(module);
    if (module.adapter)
      lastSite = std::max(lastSite, module.adapter->site);
  }
}

const UnitModules &ForwardBuilder::enter(int64_t entered) {
  unit = entered;
  return units[size_t(unit)];
}

RankedTensorType ForwardBuilder::matrix(int64_t rows, int64_t columns) const { return RankedTensorType::get({rows, columns}, builder.getF32Type()); }
RankedTensorType ForwardBuilder::vector(int64_t extent) const { return RankedTensorType::get({extent}, builder.getF32Type()); }

Value ForwardBuilder::input(llvm::StringRef name, int64_t extent, Type element) {
  return make<nn::InputOp>(RankedTensorType::get({extent}, element), name).getValue();
}

void ForwardBuilder::declareInputs() {
  ids = input("input_ids", tokens, builder.getI32Type());
  labels = input("labels", tokens, builder.getI32Type());
  positions = input("position_ids", tokens, builder.getI32Type());
  segments = input("segment_ids", tokens, builder.getI32Type());
  scalars = input("scalars", kScalarBytes, builder.getI8Type()); // of adapters' dropout, too, which the compiler adds
}

Value ForwardBuilder::read(const ParameterSpec &parameter) {
  auto type = RankedTensorType::get(parameter.shape, builder.getF32Type());
  return make<nn::ReadOp>(type, parameter.name).getValue();
}

Value ForwardBuilder::embed(Value ids, const ModuleSpec &module, int64_t offset) {
  Value table = read(*module.weight);
  int64_t rows = cast<RankedTensorType>(ids.getType()).getDimSize(0);
  const int64_t padding = module.role == Role::Embedding ? spec.paddingToken : -1;
  return make<nn::EmbeddingOp>(matrix(rows, module.weight->shape[1]), ids, table, builder.getI64IntegerAttr(offset),
                               builder.getI64IntegerAttr(padding))
      .getResult();
}

DictionaryAttr ForwardBuilder::adapterOf(const ModuleSpec &module) const {
  if (!module.adapter)
    return {};
  const AdapterSpec &adapter = *module.adapter;
  return builder.getDictionaryAttr({
      builder.getNamedAttr("rank", builder.getI64IntegerAttr(adapter.rank)),
      builder.getNamedAttr("scaling", builder.getF64FloatAttr(adapter.scaling)),
      builder.getNamedAttr("dropout", builder.getF64FloatAttr(adapter.dropout)),
      builder.getNamedAttr("site", builder.getI64IntegerAttr(adapter.site)),
      builder.getNamedAttr("generator_offset", builder.getI64IntegerAttr(adapter.generatorOffset)),
      builder.getNamedAttr("initial", builder.getStringAttr(adapter.initial)),
  });
}

Value ForwardBuilder::linear(Value x, const ModuleSpec &module) {
  Value weight = read(*module.weight);
  Value bias = module.bias ? read(*module.bias) : Value();
  int64_t rows = cast<RankedTensorType>(x.getType()).getDimSize(0);
  auto op = make<nn::LinearOp>(matrix(rows, module.weight->shape[0]), x, weight, bias);
  op.setModuleAttr(builder.getStringAttr(module.path));
  if (auto adapter = adapterOf(module))
    op.setAdapterAttr(adapter);
  if (spec.fourBit && !module.fourBit)
    op->setAttr(kSkipQuantizationAttr, builder.getUnitAttr());
  return op.getResult();
}

Value ForwardBuilder::rmsNorm(Value x, const ModuleSpec &module) {
  auto type = cast<RankedTensorType>(x.getType());
  Value weight = read(*module.weight);
  return make<nn::RmsNormOp>(type, vector(type.getDimSize(0)), x, weight, builder.getF64FloatAttr(spec.normEpsilon)).getResult();
}

Value ForwardBuilder::layerNorm(Value x, const ModuleSpec &module) {
  auto type = cast<RankedTensorType>(x.getType());
  auto statistic = vector(type.getDimSize(0));
  Value weight = read(*module.weight), bias = read(*module.bias);
  return make<nn::LayerNormOp>(type, statistic, statistic, x, weight, bias, builder.getF64FloatAttr(spec.normEpsilon)).getResult();
}

static nn::Activation kindOf(Activation activation) {
  switch (activation) {
  case Activation::Relu:
    return nn::Activation::Relu;
  case Activation::Gelu:
    return nn::Activation::Gelu;
  case Activation::GeluTanh:
    return nn::Activation::GeluTanh;
  case Activation::Silu:
    break;
  }
  llvm_unreachable("SiLU stands before a gate alone");
}

Value ForwardBuilder::activate(Value x) { return make<nn::ActivationOp>(x.getType(), x, kindOf(spec.activation)).getResult(); }

Value ForwardBuilder::gate(Value gate, Value up) {
  if (spec.activation == Activation::Silu)
    return make<nn::SiluMulOp>(gate.getType(), gate, up).getResult();
  return make<nn::GatedActivationOp>(gate.getType(), gate, up, kindOf(spec.activation)).getResult();
}

Value ForwardBuilder::dropout(Value x, double probability) {
  if (probability == 0)
    return x;
  int64_t rows = tokens / length, rowLength = cast<RankedTensorType>(x.getType()).getDimSize(0) / rows;
  return make<nn::DropoutOp>(x.getType(), x, scalars, builder.getF64FloatAttr(probability), builder.getI64IntegerAttr(takeSites(1)),
                             builder.getI64IntegerAttr(rowLength))
      .getResult();
}

int64_t ForwardBuilder::takeSites(int64_t count) {
  const int64_t first = lastSite + 1;
  lastSite += count;
  return first;
}

Value ForwardBuilder::norm(Value x, const ModuleSpec &module) {
  return module.kind == ModuleKind::LayerNorm ? layerNorm(x, module) : rmsNorm(x, module);
}

Value ForwardBuilder::scale(Value x, double factor) {
  return factor == 1 ? x : make<nn::ScaleOp>(x.getType(), x, builder.getF64FloatAttr(factor)).getResult();
}

Value ForwardBuilder::residual(Value base, Value change) { return make<nn::AddOp>(base.getType(), base, change).getResult(); }

Value ForwardBuilder::clampHalf(Value x) { return spec.fp16 ? make<nn::ClampHalfOp>(x.getType(), x).getResult() : x; }

Value ForwardBuilder::mlp(Value x, const UnitModules &block) {
  Value hidden;
  if (const ModuleSpec *opening = block.find(Role::Gate)) {
    Value opened = linear(x, *opening);
    hidden = gate(opened, linear(x, block[Role::Up]));
  } else {
    hidden = activate(linear(x, block[Role::Up]));
  }
  return linear(dropout(hidden, spec.activationDropout), block[Role::Down]);
}

void ForwardBuilder::makeRopeTables() {
  auto half = matrix(tokens, spec.headDim / 2);
  auto rope = make<nn::RopeTableOp>(half, half, positions, builder.getDenseF32ArrayAttr(spec.rope.inverseFrequencies),
                                    builder.getF64FloatAttr(spec.rope.scaling));
  cosine = rope.getCosine();
  sine = rope.getSine();
}

Value ForwardBuilder::rotate(Value heads) {
  return make<nn::RopeOp>(heads.getType(), heads, cosine, sine, builder.getI64IntegerAttr(spec.headDim)).getResult();
}

Value ForwardBuilder::alibiTable() {
  return make<nn::AlibiTableOp>(matrix(spec.heads, tokens), positions, builder.getDenseF32ArrayAttr(spec.alibi.slopes),
                                builder.getF64FloatAttr(spec.alibi.scale), spec.alibi.roundBf16 ? builder.getUnitAttr() : UnitAttr())
      .getResult();
}

Value ForwardBuilder::attention(Value query, Value key, Value value, Side queries, Side keys, Sight sight) {
  // A window of the row's length or more hides nothing.
  const int64_t window = sight.window < queries.length ? sight.window : 0;
  const int64_t rows = cast<RankedTensorType>(query.getType()).getDimSize(0);
  const double scoreScale = spec.scoreScale ? spec.scoreScale : 1.0 / std::sqrt(double(spec.headDim)), drop = spec.probabilityDropout;
  auto kind = sight.bias ? nn::BiasKindAttr::get(builder.getContext(), sight.biasKind) : nn::BiasKindAttr();
  return make<nn::AttentionOp>(query.getType(), matrix(spec.heads, rows), query, key, value, queries.segments, keys.segments, sight.bias,
                               drop ? scalars : Value(), builder.getI64IntegerAttr(spec.heads), builder.getI64IntegerAttr(spec.kvHeads),
                               builder.getI64IntegerAttr(queries.length), builder.getI64IntegerAttr(keys.length), builder.getBoolAttr(sight.causal),
                               builder.getI64IntegerAttr(window), builder.getF64FloatAttr(scoreScale), kind, builder.getF64FloatAttr(drop),
                               builder.getI64IntegerAttr(drop ? takeSites(spec.heads) : 0))
      .getResult();
}

Value ForwardBuilder::loss(Value x, const ModuleSpec &head) {
  Value weight = read(*head.weight);
  return make<nn::LinearCrossEntropyOp>(RankedTensorType::get({kLossSums}, builder.getF64Type()), x, weight, labels,
                                        builder.getI64IntegerAttr(crossEntropyChunk(spec.vocabulary, tokens)), builder.getI64IntegerAttr(length))
      .getLoss();
}

} // namespace zp::fe
