#include "frontends/builder/ForwardBuilder.h"

#include <cmath>

#include "frontends/builder/NNBuilder.h"

using namespace mlir;

namespace zp::fe {

static constexpr int64_t kScalarBytes = 64; // StepScalars
// nf4-quantize-frozen-weights leaves such a linear alone.
static constexpr llvm::StringLiteral kSkipQuantizationAttr = "nf4.skip";

ForwardBuilder::ForwardBuilder(OpBuilder &builder, const ModelSpec &spec, int64_t rows,
                               int64_t length)
    : builder(builder), spec(spec), length(length), tokens(rows * length) {
  sortModules();
}

void ForwardBuilder::sortModules() {
  blocks.resize(size_t(spec.layers));
  for (const ModuleSpec &module : spec.modules) {
    Block *block =
        module.unit >= 1 && module.unit <= spec.layers ? &blocks[size_t(module.unit - 1)] : nullptr;
    switch (module.role) {
    case Role::None:
      break;
    case Role::Embedding:
      embedding = &module;
      break;
    case Role::FinalNorm:
      finalNorm = &module;
      break;
    case Role::Head:
      head = &module;
      break;
    case Role::InputNorm:
      block->inputNorm = &module;
      break;
    case Role::Query:
      block->query = &module;
      break;
    case Role::Key:
      block->key = &module;
      break;
    case Role::Value:
      block->value = &module;
      break;
    case Role::Output:
      block->output = &module;
      break;
    case Role::QueryNorm:
      block->queryNorm = &module;
      break;
    case Role::KeyNorm:
      block->keyNorm = &module;
      break;
    case Role::PostNorm:
      block->postNorm = &module;
      break;
    case Role::Gate:
      block->gate = &module;
      break;
    case Role::Up:
      block->up = &module;
      break;
    case Role::Down:
      block->down = &module;
      break;
    }
  }
}

RankedTensorType ForwardBuilder::matrix(int64_t rows, int64_t columns) const {
  return RankedTensorType::get({rows, columns}, builder.getF32Type());
}
RankedTensorType ForwardBuilder::vector(int64_t extent) const {
  return RankedTensorType::get({extent}, builder.getF32Type());
}

template <typename Op> Op ForwardBuilder::mark(Op op) {
  op->setAttr(nn::NNDialect::kUnitAttr, builder.getI64IntegerAttr(unit));
  return op;
}

Value ForwardBuilder::input(llvm::StringRef name, int64_t extent, Type element) {
  return mark(nn::InputOp::create(builder, builder.getUnknownLoc(),
                                  RankedTensorType::get({extent}, element), name))
      .getValue();
}

Value ForwardBuilder::read(const ParameterSpec &parameter) {
  auto type = RankedTensorType::get(parameter.shape, builder.getF32Type());
  return mark(nn::ReadOp::create(builder, builder.getUnknownLoc(), type, parameter.name))
      .getValue();
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
  auto op = mark(nn::LinearOp::create(builder, builder.getUnknownLoc(),
                                      matrix(tokens, module.weight->shape[0]), x, weight, bias));
  op.setModuleAttr(builder.getStringAttr(module.path));
  if (auto adapter = adapterOf(module))
    op.setAdapterAttr(adapter);
  if (spec.fourBit && !module.fourBit)
    op->setAttr(kSkipQuantizationAttr, builder.getUnitAttr());
  return op.getResult();
}

Value ForwardBuilder::norm(Value x, const ModuleSpec &module) {
  auto type = cast<RankedTensorType>(x.getType());
  Value weight = read(*module.weight);
  return mark(nn::RmsNormOp::create(builder, builder.getUnknownLoc(), type,
                                    vector(type.getDimSize(0)), x, weight,
                                    builder.getF64FloatAttr(spec.rmsEpsilon)))
      .getResult();
}

/// One weight over each head by itself.
Value ForwardBuilder::headNorm(Value x, const ModuleSpec *module) {
  if (!module)
    return x;
  auto type = cast<RankedTensorType>(x.getType());
  auto perHead = matrix(type.getNumElements() / spec.headDim, spec.headDim);
  Value split =
      mark(nn::ReshapeOp::create(builder, builder.getUnknownLoc(), perHead, x)).getResult();
  Value normed = norm(split, *module);
  return mark(nn::ReshapeOp::create(builder, builder.getUnknownLoc(), type, normed)).getResult();
}

Value ForwardBuilder::attention(Value x, const Block &block, int64_t window) {
  Location loc = builder.getUnknownLoc();
  Value query = headNorm(linear(x, *block.query), block.queryNorm);
  Value key = headNorm(linear(x, *block.key), block.keyNorm);
  Value value = linear(x, *block.value);
  auto rotate = [&](Value v) {
    return mark(nn::RopeOp::create(builder, loc, v.getType(), v, cosine, sine,
                                   builder.getI64IntegerAttr(spec.headDim)))
        .getResult();
  };
  query = rotate(query);
  key = rotate(key);
  // A window of the row's length or more hides nothing.
  if (window >= length)
    window = 0;
  auto attention = mark(nn::AttentionOp::create(
      builder, loc, query.getType(), matrix(spec.heads, tokens), query, key, value, segments,
      builder.getI64IntegerAttr(spec.heads), builder.getI64IntegerAttr(spec.kvHeads),
      builder.getI64IntegerAttr(length), builder.getI64IntegerAttr(window),
      builder.getF64FloatAttr(1.0 / std::sqrt(double(spec.headDim)))));
  return linear(attention.getResult(), *block.output);
}

Value ForwardBuilder::mlp(Value x, const Block &block) {
  Value gate = linear(x, *block.gate);
  Value up = linear(x, *block.up);
  Value hidden =
      mark(nn::SiluMulOp::create(builder, builder.getUnknownLoc(), gate.getType(), gate, up))
          .getResult();
  return linear(hidden, *block.down);
}

Value ForwardBuilder::build() {
  Location loc = builder.getUnknownLoc();
  Value ids = input("input_ids", tokens, builder.getI32Type());
  Value labels = input("labels", tokens, builder.getI32Type());
  Value positions = input("position_ids", tokens, builder.getI32Type());
  segments = input("segment_ids", tokens, builder.getI32Type());
  input("scalars", kScalarBytes, builder.getI8Type()); // for dropout, which the compiler adds

  Value table = read(*embedding->weight);
  Value x = mark(nn::EmbeddingOp::create(builder, loc, matrix(tokens, spec.hidden), ids, table))
                .getResult();
  auto half = matrix(tokens, spec.headDim / 2);
  auto rope =
      mark(nn::RopeTableOp::create(builder, loc, half, half, positions,
                                   builder.getDenseF32ArrayAttr(spec.rope.inverseFrequencies),
                                   builder.getF64FloatAttr(spec.rope.scaling)));
  cosine = rope.getCosine();
  sine = rope.getSine();
  auto residual = [&](Value base, Value change) {
    return mark(nn::AddOp::create(builder, loc, base.getType(), base, change)).getResult();
  };
  for (int64_t layer = 0; layer < spec.layers; ++layer) {
    const Block &block = blocks[size_t(layer)];
    unit = layer + 1;
    x = residual(x, attention(norm(x, *block.inputNorm), block, spec.windows[size_t(layer)]));
    x = residual(x, mlp(norm(x, *block.postNorm), block));
  }
  unit = spec.layers + 1;
  x = norm(x, *finalNorm);
  Value weight = read(*head->weight);
  auto sums = RankedTensorType::get({kLossSums}, builder.getF64Type());
  return mark(nn::LinearCrossEntropyOp::create(
                  builder, loc, sums, x, weight, labels,
                  builder.getI64IntegerAttr(crossEntropyChunk(spec.vocabulary, tokens)),
                  builder.getI64IntegerAttr(length)))
      .getLoss();
}

} // namespace zp::fe
