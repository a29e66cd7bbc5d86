#include "frontends/builder/FusedDecoderBuilder.h"

using namespace mlir;

namespace zp::fe {

Value FusedDecoderBuilder::selfAttention(Value x, const UnitModules &block) {
  Value fused = linear(x, block[Role::QueryKeyValue]);
  auto keys = matrix(tokens, spec.kvHeads * spec.headDim);
  auto split = make<nn::SplitQkvOp>(matrix(tokens, spec.heads * spec.headDim), keys, keys, fused, builder.getI64IntegerAttr(spec.heads),
                                    builder.getI64IntegerAttr(spec.kvHeads));
  Value query = split.getQuery(), key = split.getKey();
  if (spec.alibi.slopes.empty()) {
    query = rotate(query);
    key = rotate(key);
  }
  return linear(attention(query, key, split.getValue(), ownTokens(), ownTokens(), {.bias = alibi}), block[Role::Output]);
}

Value FusedDecoderBuilder::parallelBlock(Value x, const UnitModules &block) {
  Value forAttention = layerNorm(x, block[Role::InputNorm]);
  const ModuleSpec *own = block.find(Role::MlpNorm);
  Value forMlp = own ? layerNorm(x, *own) : forAttention;
  Value attended = selfAttention(forAttention, block);
  return residual(x, dropout(residual(mlp(forMlp, block), attended), spec.hiddenDropout));
}

Value FusedDecoderBuilder::sequentialBlock(Value x, const UnitModules &block) {
  Value normed = layerNorm(x, block[Role::InputNorm]);
  Value attended = dropout(selfAttention(normed, block), spec.attentionDropout);
  x = residual(spec.residualAfterNorm ? normed : x, attended);
  normed = layerNorm(x, block[Role::PostNorm]);
  return residual(spec.residualAfterNorm ? normed : x, dropout(mlp(normed, block), spec.hiddenDropout));
}

Value FusedDecoderBuilder::build() {
  const UnitModules &front = enter(0);
  declareInputs();
  Value x = embed(ids, front[Role::Embedding]);
  if (const ModuleSpec *norm = front.find(Role::EmbeddingNorm))
    x = layerNorm(x, *norm);
  if (spec.alibi.slopes.empty())
    makeRopeTables();
  else
    alibi = alibiTable();
  for (int64_t layer = 0; layer < spec.layers; ++layer) {
    const UnitModules &block = enter(layer + 1);
    x = spec.parallelBlocks ? parallelBlock(x, block) : sequentialBlock(x, block);
  }
  const UnitModules &end = enter(spec.lastUnit());
  return loss(layerNorm(x, end[Role::FinalNorm]), end[Role::Head]);
}

} // namespace zp::fe
