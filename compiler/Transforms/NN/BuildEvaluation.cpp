#include "compiler/Transforms/NN/Passes.h"
#include "compiler/Transforms/NN/Programs.h"

#include "mlir/IR/IRMapping.h"

namespace zp::nn {
#define GEN_PASS_DEF_BUILDEVALUATIONPASS
#include "compiler/Transforms/NN/Passes.h.inc"
} // namespace zp::nn

using namespace mlir;
using namespace zp::nn;

namespace {

constexpr llvm::StringLiteral kHidden = "final_hidden";

ProgramOp makeProgram(OpBuilder &b, ProgramOp like, StringRef name, ProgramKind kind) {
  auto program = ProgramOp::create(b, like.getLoc(), name, kind, like.getRows(), like.getLength(), like.getSourceLength());
  program.getBody().emplaceBlock();
  return program;
}

/// Means are of batches of some rows, whose sums the host adds up.
void sumEachRow(LinearCrossEntropyOp loss) {
  auto type = cast<RankedTensorType>(loss.getLoss().getType());
  const int64_t rows = cast<RankedTensorType>(loss.getHidden().getType()).getDimSize(0) / static_cast<int64_t>(loss.getLength());
  loss.getLoss().setType(type.clone({2 * rows}));
}

/// Copies train_step's forward ops without dropout; the loss of each row becomes an output, the last hidden state is kept.
void buildEvaluate(ProgramOp train, ProgramOp evaluate, Value &hidden) {
  OpBuilder b = OpBuilder::atBlockBegin(&evaluate.getBody().front());
  IRMapping map;
  for (Operation &op : train.getBody().front()) {
    if (auto dropout = dyn_cast<DropoutOp>(op)) {
      map.map(dropout.getResult(), map.lookup(dropout.getX()));
      continue;
    }
    if (auto add = dyn_cast<AddStateOp>(op)) {
      OutputOp::create(b, op.getLoc(), b.getStringAttr("loss_sum"), map.lookup(add.getValue()));
      continue;
    }
    if (auto loss = dyn_cast<LinearCrossEntropyOp>(op)) {
      hidden = map.lookup(loss.getHidden());
      setUnit(StoreStateOp::create(b, op.getLoc(), FlatSymbolRefAttr::get(b.getContext(), kHidden), hidden), unitOf(loss));
    }
    Operation *copy = b.clone(op, map);
    if (auto loss = dyn_cast<LinearCrossEntropyOp>(copy))
      sumEachRow(loss);
    if (auto attention = dyn_cast<AttentionOp>(copy))
      attention.keepProbabilities();
  }
}

void buildLogits(LinearCrossEntropyOp loss, ProgramOp logits) {
  OpBuilder b = OpBuilder::atBlockBegin(&logits.getBody().front());
  Location loc = loss.getLoc();
  auto hiddenType = cast<RankedTensorType>(loss.getHidden().getType()), weightType = cast<RankedTensorType>(loss.getWeight().getType());
  int64_t chunk = std::min<int64_t>(loss.getChunk(), hiddenType.getDimSize(0));
  Value scalars = InputOp::create(b, loc, RankedTensorType::get({64}, b.getI8Type()), b.getStringAttr("scalars"));
  Value hidden = LoadStateOp::create(b, loc, hiddenType, FlatSymbolRefAttr::get(b.getContext(), kHidden));
  Value rows = RowsOp::create(b, loc, hiddenType.clone({chunk, hiddenType.getDimSize(1)}), hidden, scalars);
  auto read = loss.getWeight().getDefiningOp<ReadOp>();
  auto weight = cast<ReadOp>(b.clone(*read));
  auto linear = LinearOp::create(b, loc, hiddenType.clone({chunk, weightType.getDimSize(0)}), rows, weight.getValue());
  OutputOp::create(b, loc, b.getStringAttr("logits"), linear.getResult());
  for (Operation &op : logits.getBody().front())
    setUnit(&op, unitOf(loss));
}

struct BuildEvaluation : zp::nn::impl::BuildEvaluationPassBase<BuildEvaluation> {
  void runOnOperation() override {
    ProgramOp train = findProgram(getOperation(), ProgramKind::TrainStep);
    if (!train)
      return;
    auto losses = train.getBody().front().getOps<LinearCrossEntropyOp>();
    if (losses.empty())
      return;
    LinearCrossEntropyOp loss = *losses.begin();
    OpBuilder b(train);
    StateOp::create(b, train.getLoc(), b.getStringAttr(kHidden), TypeAttr::get(loss.getHidden().getType()));
    b.setInsertionPointAfter(train);
    ProgramOp evaluate = makeProgram(b, train, "evaluate", ProgramKind::Evaluate);
    Value hidden;
    buildEvaluate(train, evaluate, hidden);
    if (loss.getWeight().getDefiningOp<ReadOp>())
      buildLogits(loss, makeProgram(b, train, "logits", ProgramKind::Logits));
  }
};

} // namespace
