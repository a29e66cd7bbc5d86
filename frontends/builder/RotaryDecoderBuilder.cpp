#include "frontends/builder/RotaryDecoderBuilder.h"

using namespace mlir;

namespace zp::fe {

/// One weight over each head by itself.
Value RotaryDecoderBuilder::headNorm(Value x, const ModuleSpec *module) {
  if (!module)
    return x;
  auto type = cast<RankedTensorType>(x.getType());
  auto perHead = matrix(type.getNumElements() / spec.headDim, spec.headDim);
  Value split = make<nn::ReshapeOp>(perHead, x).getResult();
  Value normed = rmsNorm(split, *module);
  return make<nn::ReshapeOp>(type, normed).getResult();
}

Value RotaryDecoderBuilder::selfAttention(Value x, const UnitModules &block, int64_t window) {
  Value query = headNorm(linear(x, block[Role::Query]), block.find(Role::QueryNorm));
  Value key = headNorm(linear(x, block[Role::Key]), block.find(Role::KeyNorm));
  Value value = linear(x, block[Role::Value]);
  query = rotate(query);
  key = rotate(key);
  return linear(attention(query, key, value, ownTokens(), ownTokens(), {.window = window}), block[Role::Output]);
}

Value RotaryDecoderBuilder::build() {
  const UnitModules &front = enter(0);
  declareInputs();
  Value x = embed(ids, front[Role::Embedding]);
  makeRopeTables();
  for (int64_t layer = 0; layer < spec.layers; ++layer) {
    const UnitModules &block = enter(layer + 1);
    x = residual(x, selfAttention(rmsNorm(x, block[Role::InputNorm]), block, spec.windows[size_t(layer)]));
    x = residual(x, mlp(rmsNorm(x, block[Role::PostNorm]), block));
  }
  const UnitModules &end = enter(spec.lastUnit());
  return loss(rmsNorm(x, end[Role::FinalNorm]), end[Role::Head]);
}

} // namespace zp::fe
