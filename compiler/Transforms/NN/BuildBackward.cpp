#include "compiler/Transforms/NN/Passes.h"
#include "compiler/Transforms/NN/Programs.h"

namespace zp::nn {
#define GEN_PASS_DEF_BUILDBACKWARDPASS
#include "compiler/Transforms/NN/Passes.h.inc"
} // namespace zp::nn

using namespace mlir;
using namespace zp::nn;

namespace {

/// Differentiates one program in place.
class Differentiator {
public:
  Differentiator(ModuleOp module, ProgramOp program) : program(program), builder(program.getContext()) {
    for (auto parameter : module.getOps<ParameterOp>())
      if (parameter.getTrainable())
        trainable.insert(parameter.getSymNameAttr());
    builder.setInsertionPointToEnd(&program.getBody().front());
  }

  LogicalResult run() {
    SmallVector<Operation *> forward;
    for (Operation &op : program.getBody().front()) {
      forward.push_back(&op);
      markActive(&op);
    }
    for (Operation *op : forward)
      if (auto add = dyn_cast<AddStateOp>(op); add && add.getState() == "loss_sum")
        roots.insert(add.getValue());
    for (Operation *op : llvm::reverse(forward))
      if (failed(differentiate(op)))
        return failure();
    return success();
  }

private:
  bool isTrainableRead(Operation *op) const {
    auto read = dyn_cast<ReadOp>(op);
    return read && trainable.contains(read.getParameterAttr().getAttr());
  }
  void markActive(Operation *op) {
    if (isTrainableRead(op) || llvm::any_of(op->getOperands(), [&](Value v) { return active.contains(v); }))
      active.insert(op->result_begin(), op->result_end());
  }

  LogicalResult differentiate(Operation *op) {
    if (op->getNumResults() == 0 || !active.contains(op->getResult(0)))
      return success();
    SmallVector<Value> resultGrads = llvm::map_to_vector(op->getResults(), [&](Value v) { return grads.lookup(v); });
    bool root = roots.contains(op->getResult(0));
    if (!root && llvm::none_of(resultGrads, [](Value v) { return static_cast<bool>(v); }))
      return success();
    Operation *before = builder.getBlock()->empty() ? nullptr : &builder.getBlock()->back();
    if (auto read = dyn_cast<ReadOp>(op)) {
      AccumulateGradientOp::create(builder, op->getLoc(), read.getParameterAttr(), resultGrads[0]);
    } else {
      auto differentiable = dyn_cast<DifferentiableOpInterface>(op);
      if (!differentiable)
        return op->emitOpError("is not differentiable, but a trainable parameter reaches the loss through it");
      SmallVector<bool> needed = llvm::map_to_vector(op->getOperands(), [&](Value v) { return active.contains(v); });
      SmallVector<Value> operandGrads(op->getNumOperands());
      differentiable.buildVjp(builder, resultGrads, needed, operandGrads);
      for (auto [operand, gradient] : llvm::zip(op->getOperands(), operandGrads))
        if (gradient)
          accumulate(operand, gradient, op->getLoc());
    }
    for (Operation *made = before ? before->getNextNode() : &builder.getBlock()->front(); made; made = made->getNextNode()) {
      setUnit(made, unitOf(op));
      setBackward(made);
    }
    return success();
  }

  void accumulate(Value value, Value gradient, Location loc) {
    Value &slot = grads[value];
    slot = slot ? AddOp::create(builder, loc, gradient.getType(), slot, gradient).getResult() : gradient;
  }

  ProgramOp program;
  OpBuilder builder;
  llvm::DenseSet<StringAttr> trainable;
  llvm::DenseSet<Value> active, roots;
  llvm::DenseMap<Value, Value> grads;
};

struct BuildBackward : zp::nn::impl::BuildBackwardPassBase<BuildBackward> {
  void runOnOperation() override {
    for (auto program : getOperation().getOps<ProgramOp>())
      if (program.getKind() == ProgramKind::TrainStep && failed(Differentiator(getOperation(), program).run()))
        return signalPassFailure();
  }
};

} // namespace
