// Attention, over rows and over a cache, and what tells it where tokens stand.
#include "compiler/Conversion/ToPlan/NNToPlan.h"

#include "runtime/schema/workspaces.h"

using namespace mlir;
using namespace zp::nn;

namespace zp {

static void lower(RopeTableOp op, Lowering &l) {
  Value cosine = l.memory.view(l.memory.define(op.getCosine())), sine = l.memory.view(l.memory.define(op.getSine()));
  l.emit<plan::RopeTableOp>(op, l.memory.view(op.getPositions()), cosine, sine, op.getInverseFrequencies(), op.getScaling());
}

static void lower(RopeOp op, Lowering &l) {
  Place target = l.memory.defineInPlaceOf(op.getResult(), op.getX(), op);
  l.emit<plan::RopeOp>(op, l.memory.view(op.getX()), l.memory.view(op.getCosine()), l.memory.view(op.getSine()), l.memory.view(target),
                       static_cast<int64_t>(op.getHeadDim()), op.getInverse());
}

static void lower(AttentionOp op, Lowering &l) {
  Value target = l.memory.view(l.memory.define(op.getResult())), lse = l.memory.view(l.memory.define(op.getLogSumExp()));
  l.emit<plan::AttentionOp>(op, l.memory.view(op.getQuery()), l.memory.view(op.getKey()), l.memory.view(op.getValue()),
                            l.memory.view(op.getSegments()), l.memory.view(op.getKeySegments()), l.viewIf(op.getBias()), l.viewIf(op.getScalars()),
                            Value(), target, lse, static_cast<int64_t>(op.getHeads()), static_cast<int64_t>(op.getKvHeads()),
                            static_cast<int64_t>(op.getLength()), static_cast<int64_t>(op.getWindow()), op.getScale(),
                            static_cast<int64_t>(op.getKeyLength()), op.getCausal(), op.getBiasKind() == BiasKind::ByDistance, op.getDropout(),
                            static_cast<int64_t>(op.getSite()));
}

static void lower(AttentionGradientOp op, Lowering &l) {
  int64_t heads = op.getHeads(), tokens = rows(op.getQuery());
  // What fused kernels are never asked for (runtime/kernels/cuda/fused_attention.cpp) needs no room for them.
  const bool fusable = !op.getScalars() && op.getKeySegments() == op.getSegments() && op.getBiasKind() != BiasKind::ByDistance;
  Value workspace = l.workspace(attentionGradientPlacedBytes(heads, op.getKvHeads(), tokens, op.getLength(), columns(op.getQuery()) / heads,
                                                             dtypeOf(op.getQuery()), fusable ? l.target.attentionBytes : 0));
  Value dq = l.memory.view(l.memory.define(op.getQueryGradient())), dk = l.memory.view(l.memory.define(op.getKeyGradient())),
        dv = l.memory.view(l.memory.define(op.getValueGradient()));
  Value dbias = op.getBiasGradient() ? l.memory.view(l.memory.define(op.getBiasGradient())) : Value();
  l.emit<plan::AttentionGradientOp>(
      op, l.memory.view(op.getGradient()), l.memory.view(op.getQuery()), l.memory.view(op.getKey()), l.memory.view(op.getValue()),
      l.memory.view(op.getOut()), l.memory.view(op.getLogSumExp()), l.memory.view(op.getSegments()), l.memory.view(op.getKeySegments()),
      l.viewIf(op.getBias()), l.viewIf(op.getScalars()), workspace, dq, dk, dv, dbias, heads, static_cast<int64_t>(op.getKvHeads()),
      static_cast<int64_t>(op.getLength()), static_cast<int64_t>(op.getWindow()), op.getScale(), static_cast<int64_t>(op.getKeyLength()),
      op.getCausal(), op.getBiasKind() == BiasKind::ByDistance, op.getDropout(), static_cast<int64_t>(op.getSite()));
}

static void lower(CachedAttentionOp op, Lowering &l) {
  Value target = l.memory.view(l.memory.define(op.getResult()));
  l.emit<plan::CachedAttentionOp>(op, l.memory.view(op.getQuery()), l.memory.view(op.getKey()), l.memory.view(op.getValue()),
                                  l.memory.view(op.getPositions()), l.viewIf(op.getBias()), target, static_cast<int64_t>(op.getHeads()),
                                  static_cast<int64_t>(op.getKvHeads()), static_cast<int64_t>(op.getLength()), static_cast<int64_t>(op.getWindow()),
                                  op.getScale(), op.getBiasKind() == BiasKind::ByDistance);
}

static void lower(RelativeBiasOp op, Lowering &l) {
  Value target = l.memory.view(l.memory.define(op.getResult()));
  l.emit<plan::RelativeBiasOp>(op, l.memory.view(op.getTable()), target, static_cast<int64_t>(op.getLength()),
                               static_cast<int64_t>(op.getKeyLength()), static_cast<int64_t>(op.getMaxDistance()), op.getBidirectional());
}

static void lower(RelativeBiasGradientOp op, Lowering &l) {
  Value target = l.memory.view(l.memory.define(op.getResult()));
  l.emit<plan::RelativeBiasGradientOp>(op, l.memory.view(op.getGradient()), target, static_cast<int64_t>(op.getLength()),
                                       static_cast<int64_t>(op.getKeyLength()), static_cast<int64_t>(op.getMaxDistance()), op.getBidirectional());
}

static void lower(AlibiTableOp op, Lowering &l) {
  Value target = l.memory.view(l.memory.define(op.getResult()));
  l.emit<plan::AlibiTableOp>(op, l.viewIf(op.getPositions()), target, op.getSlopes(), op.getScale(), op.getRoundBf16());
}

bool lowerAttention(Operation *op, Lowering &l) {
  return lowerOneOf<RopeTableOp, RopeOp, AttentionOp, AttentionGradientOp, CachedAttentionOp, RelativeBiasOp, RelativeBiasGradientOp, AlibiTableOp>(
      op, l);
}

} // namespace zp
