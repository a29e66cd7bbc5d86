// Linear maps and embeddings, and their gradients.
#include "compiler/Conversion/ToPlan/NNToPlan.h"

using namespace mlir;
using namespace zp::nn;

namespace zp {

namespace {
struct Product {
  Value a, b;
  bool transposeA, transposeB;
  APFloat alpha;
  Value bias = {}, addend = {};
  Value branchA = {}, branchB = {};
  APFloat branchAlpha = APFloat(1.0);
};
} // namespace

/// target = alpha·op(a)·op(b) (+ branch) (+ bias) (+ addend).
static void multiply(Operation *op, const Product &p, Lowering &l) {
  Place target = l.defineSum(op, p.addend, op->getResult(0));
  l.emit<plan::MatmulOp>(op, l.memory.view(p.a), l.memory.view(p.b), l.viewIf(p.bias), l.viewIf(p.branchA), l.viewIf(p.branchB), l.productWorkspace(),
                         l.memory.view(target), p.transposeA, p.transposeB, p.alpha, static_cast<bool>(p.addend), p.branchAlpha);
}

static void lower(LinearOp op, Lowering &l) {
  multiply(op,
           {op.getX(), op.getWeight(), false, true, op.getAlpha(), op.getBias(), op.getAddend(), op.getBranchX(), op.getBranchWeight(),
            op.getBranchAlpha()},
           l);
}

static void lower(LinearInputGradientOp op, Lowering &l) {
  multiply(op,
           {op.getGradient(), op.getWeight(), false, false, op.getAlpha(), Value(), op.getAddend(), op.getBranchGradient(), op.getBranchWeight(),
            op.getBranchAlpha()},
           l);
}

static void lower(LinearWeightGradientOp op, Lowering &l) { multiply(op, {op.getGradient(), op.getX(), true, false, op.getAlpha()}, l); }

static void lower(ColumnSumOp op, Lowering &l) {
  Place target = l.defineZeroed(op, op.getResult());
  l.emit<plan::ColumnSumOp>(op, l.memory.view(op.getSource()), l.memory.view(target));
}

static void lower(EmbeddingOp op, Lowering &l) {
  Place target = l.memory.define(op.getResult());
  l.emit<plan::EmbeddingOp>(op, l.memory.view(op.getTable()), l.memory.view(op.getIds()), l.memory.view(target),
                            static_cast<int64_t>(op.getOffset()));
}

static void lower(EmbeddingGradientOp op, Lowering &l) {
  Place target = l.defineZeroed(op, op.getResult());
  l.emit<plan::EmbeddingGradientOp>(op, l.memory.view(op.getIds()), l.memory.view(op.getGradient()), l.memory.view(target),
                                    static_cast<int64_t>(op.getOffset()), static_cast<int64_t>(op.getPadding()));
}

bool lowerLinears(Operation *op, Lowering &l) {
  return lowerOneOf<LinearOp, LinearInputGradientOp, LinearWeightGradientOp, ColumnSumOp, EmbeddingOp, EmbeddingGradientOp>(op, l);
}

} // namespace zp
