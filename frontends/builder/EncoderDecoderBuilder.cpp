#include "frontends/builder/EncoderDecoderBuilder.h"

using namespace mlir;

namespace zp::fe {

void EncoderDecoderBuilder::declareSourceInputs() {
  const int64_t sourceTokens = rows * sourceLength;
  sourceIds = input("source_ids", sourceTokens, builder.getI32Type());
  if (spec.maxPositions)
    sourcePositions = input("source_position_ids", sourceTokens, builder.getI32Type());
  sourceSegments = input("source_segment_ids", sourceTokens, builder.getI32Type());
}

Value EncoderDecoderBuilder::embedding(Value ids, Value positions, const UnitModules &front, Role places, Role normRole) {
  Value x = scale(embed(ids, front[Role::Embedding]), spec.embeddingScale);
  if (const ModuleSpec *table = front.find(places))
    x = residual(x, embed(positions, *table, spec.positionOffset));
  if (const ModuleSpec *module = front.find(normRole))
    x = norm(x, *module);
  return dropout(x, spec.hiddenDropout);
}

Value EncoderDecoderBuilder::relativeBias(const ModuleSpec *table, int64_t stackLength, bool bidirectional) {
  if (!table)
    return {};
  Value buckets = read(*table->weight);
  return make<nn::RelativeBiasOp>(matrix(spec.heads, 2 * stackLength - 1), buckets, builder.getI64IntegerAttr(stackLength),
                                  builder.getI64IntegerAttr(stackLength), builder.getI64IntegerAttr(spec.relativeBias.maxDistance),
                                  bidirectional ? builder.getUnitAttr() : UnitAttr())
      .getResult();
}

Value EncoderDecoderBuilder::attend(Value x, Value memory, const Projections &projections, Side queries, Side keys, Sight sight) {
  Value query = linear(x, projections.query);
  Value key = linear(memory, projections.key);
  Value value = linear(memory, projections.value);
  return linear(attention(query, key, value, queries, keys, sight), projections.output);
}

template <typename Half> Value EncoderDecoderBuilder::around(Value x, const ModuleSpec &normModule, Half &&half) {
  Value change = dropout(half(spec.normAfter ? x : norm(x, normModule)), spec.hiddenDropout);
  Value sum = residual(x, change);
  if (spec.halfClamps == HalfClamps::Halves)
    sum = clampHalf(sum);
  return spec.normAfter ? norm(sum, normModule) : sum;
}

Value EncoderDecoderBuilder::encoderBlock(Value x, const UnitModules &block, Value bias) {
  const Side source{sourceLength, sourceSegments};
  const Sight whole{.causal = false, .bias = bias, .biasKind = nn::BiasKind::ByDistance};
  const Projections own{block[Role::Query], block[Role::Key], block[Role::Value], block[Role::Output]};
  x = around(x, block[Role::InputNorm], [&](Value h) { return attend(h, h, own, source, source, whole); });
  x = around(x, block[Role::PostNorm], [&](Value h) { return mlp(h, block); });
  return spec.halfClamps == HalfClamps::EncoderBlocks ? clampHalf(x) : x;
}

Value EncoderDecoderBuilder::decoderBlock(Value x, Value memory, const UnitModules &block, Value bias) {
  const Side source{sourceLength, sourceSegments}, target = ownTokens();
  const Sight past{.bias = bias, .biasKind = nn::BiasKind::ByDistance};
  const Projections own{block[Role::Query], block[Role::Key], block[Role::Value], block[Role::Output]};
  const Projections cross{block[Role::CrossQuery], block[Role::CrossKey], block[Role::CrossValue], block[Role::CrossOutput]};
  x = around(x, block[Role::InputNorm], [&](Value h) { return attend(h, h, own, target, target, past); });
  x = around(x, block[Role::CrossNorm], [&](Value h) { return attend(h, memory, cross, target, source, {.causal = false}); });
  return around(x, block[Role::PostNorm], [&](Value h) { return mlp(h, block); });
}

Value EncoderDecoderBuilder::build() {
  const UnitModules &front = enter(0);
  declareInputs();
  declareSourceInputs();
  // Both sides' embeddings together: the table that they share is brought once.
  Value memory = embedding(sourceIds, sourcePositions, front, Role::SourcePositions, Role::SourceEmbeddingNorm);
  Value x = embedding(ids, positions, front, Role::Positions, Role::EmbeddingNorm);
  Value sourceBias = relativeBias(front.find(Role::SourceRelativeBias), sourceLength, /*bidirectional=*/true);
  Value bias = relativeBias(front.find(Role::RelativeBias), length, /*bidirectional=*/false);
  for (int64_t layer = 1; layer <= spec.encoderLayers; ++layer) {
    const UnitModules &block = enter(layer);
    memory = encoderBlock(memory, block, sourceBias);
    if (const ModuleSpec *module = block.find(Role::SourceFinalNorm))
      memory = dropout(norm(memory, *module), spec.hiddenDropout);
  }
  for (int64_t layer = 1; layer <= spec.layers; ++layer)
    x = decoderBlock(x, memory, enter(spec.encoderLayers + layer), bias);
  const UnitModules &end = enter(spec.lastUnit());
  if (const ModuleSpec *module = end.find(Role::FinalNorm))
    x = dropout(norm(x, *module), spec.hiddenDropout);
  return loss(scale(x, spec.hiddenScale), end[Role::Head]);
}

} // namespace zp::fe
