#include "compiler/Support/Settings.h"
#include "compiler/Transforms/NN/Passes.h"
#include "compiler/Transforms/NN/Programs.h"

namespace zp::nn {
#define GEN_PASS_DEF_INSERTOPTIMIZERPASS
#include "compiler/Transforms/NN/Passes.h.inc"
} // namespace zp::nn

using namespace mlir;
using namespace zp::nn;

namespace {

void buildUpdate(OpBuilder b, Location loc, ArrayRef<ParameterOp> trainables, RankedTensorType lossType, const zp::JobSettings &settings) {
  Type f64 = b.getF64Type(), one64 = RankedTensorType::get({1}, f64), one32 = RankedTensorType::get({1}, b.getF32Type());
  auto lossSum = FlatSymbolRefAttr::get(b.getContext(), "loss_sum");
  Value scalars = InputOp::create(b, loc, RankedTensorType::get({64}, b.getI8Type()), b.getStringAttr("scalars"));
  SmallVector<Value> gradients;
  for (ParameterOp parameter : trainables)
    gradients.push_back(GradientOp::create(b, loc, parameter.getType(), FlatSymbolRefAttr::get(parameter.getSymNameAttr())));
  Value squares = SumSquaresOp::create(b, loc, one64, gradients);
  Value loss = LoadStateOp::create(b, loc, lossType, lossSum);
  auto finish = FinishStepOp::create(b, loc, one32, RankedTensorType::get({lossType.getDimSize(0) + 3}, f64), squares, loss, scalars,
                                     b.getF64FloatAttr(settings.max_grad_norm));
  for (size_t i = 0; i < gradients.size(); ++i) {
    ParameterOp parameter = trainables[i];
    auto symbol = FlatSymbolRefAttr::get(parameter.getSymNameAttr());
    AdamwOp::create(b, loc, symbol, gradients[i], finish.getCoefficient(), scalars, b.getF64FloatAttr(settings.adam_beta1),
                    b.getF64FloatAttr(settings.adam_beta2), b.getF64FloatAttr(settings.adam_epsilon), b.getF64FloatAttr(settings.weight_decay));
    ClearGradientOp::create(b, loc, symbol);
  }
  ClearStateOp::create(b, loc, lossSum);
  OutputOp::create(b, loc, b.getStringAttr("metrics"), finish.getMetrics());
}

struct InsertOptimizer : zp::nn::impl::InsertOptimizerPassBase<InsertOptimizer> {
  void runOnOperation() override {
    FailureOr<zp::JobSettings> settings = zp::readSettings(getOperation());
    if (failed(settings))
      return signalPassFailure();
    ProgramOp train = findProgram(getOperation(), ProgramKind::TrainStep);
    SmallVector<ParameterOp> trainables;
    for (auto parameter : getOperation().getOps<ParameterOp>())
      if (parameter.getTrainable())
        trainables.push_back(parameter);
    if (!train || trainables.empty())
      return;
    OpBuilder b(train);
    b.setInsertionPointAfter(train);
    auto apply = ProgramOp::create(b, train.getLoc(), "apply_gradients", ProgramKind::ApplyGradients, 0, 0);
    auto state = getOperation().lookupSymbol<StateOp>("loss_sum");
    if (!state) {
      getOperation().emitError("has no nn.state @loss_sum, expected the one that train_step adds to");
      return signalPassFailure();
    }
    buildUpdate(OpBuilder::atBlockBegin(&apply.getBody().emplaceBlock()), train.getLoc(), trainables, cast<RankedTensorType>(state.getType()),
                *settings);
  }
};

} // namespace
