#include "compiler/Support/Settings.h"
#include "compiler/Transforms/NN/Passes.h"
#include "compiler/Transforms/NN/Programs.h"

namespace zp::nn {
#define GEN_PASS_DEF_SETPRECISIONPASS
#include "compiler/Transforms/NN/Passes.h.inc"
} // namespace zp::nn

using namespace mlir;
using namespace zp::nn;

namespace {

/// Results that stay in f32 whatever is computed: row statistics, and what is added to scores.
bool keepsItsType(OpResult result) {
  if (isa<RelativeBiasOp, AlibiTableOp>(result.getOwner()))
    return true;
  return isa<RmsNormOp, LayerNormOp, AttentionOp>(result.getOwner()) && result.getResultNumber() >= 1;
}

RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }

/// The types of one program's values, op by op. `wide` are those that stay in f32 because a parameter does: what it is multiplied
/// with, and what its products are added to.
class Narrower {
public:
  Narrower(Type compute, const llvm::DenseSet<StringAttr> &inF32) : compute(compute), f32(Float32Type::get(compute.getContext())), inF32(inF32) {}

  void run(ProgramOp program) {
    for (Operation &op : llvm::make_early_inc_range(program.getBody().front()))
      visit(&op);
  }

private:
  void visit(Operation *op) {
    if (auto clamp = dyn_cast<ClampHalfOp>(op); clamp && (!compute.isF16() || wide.contains(clamp.getX()))) {
      clamp.getResult().replaceAllUsesWith(clamp.getX());
      return clamp.erase();
    }
    const bool isWide = computesWide(op);
    for (OpOperand &operand : op->getOpOperands())
      if (isWide ? hasElement(operand.get(), compute) : wide.contains(operand.get()))
        operand.set(converted(operand.get(), isWide ? f32 : compute, op));
    if (isWide && isa<RmsNormOp, LayerNormOp>(op))
      return narrowNorm(op->getResult(0), op);
    for (OpResult result : op->getResults())
      if (isWide)
        wide.insert(result);
      else if (hasElement(result, f32) && !keepsItsType(result))
        result.setType(typeOf(result).clone(compute));
  }

  static bool hasElement(Value value, Type element) {
    auto type = dyn_cast<RankedTensorType>(value.getType());
    return type && type.getElementType() == element;
  }

  /// A product is computed as its weight is stored, a norm as its input comes, and of other ops those whose operands are alike
  /// take the wider type. What remains (attention, the loss …) is narrow.
  bool computesWide(Operation *op) const {
    if (auto read = dyn_cast<ReadOp>(op))
      return inF32.contains(read.getParameterAttr().getAttr());
    if (auto linear = dyn_cast<LinearOp>(op))
      return wide.contains(linear.getWeight());
    if (isa<RmsNormOp, LayerNormOp>(op))
      return wide.contains(op->getOperand(0));
    return isa<AddOp, ScaleOp, DropoutOp, ReshapeOp, ActivationOp, GatedActivationOp, SiluMulOp>(op) &&
           llvm::any_of(op->getOperands(), [&](Value operand) { return wide.contains(operand); });
  }

  /// The value in another type, made once, where it is wanted first.
  Value converted(Value value, Type element, Operation *user) {
    Value &made = conversions[value];
    if (!made) {
      OpBuilder builder(user);
      auto cast = CastOp::create(builder, user->getLoc(), typeOf(value).clone(element), value);
      setUnit(cast, unitOf(user));
      made = cast.getResult();
    }
    return made;
  }

  /// What a norm of f32 gives has the reach of its weight: narrow again.
  void narrowNorm(Value result, Operation *norm) {
    OpBuilder builder(norm);
    builder.setInsertionPointAfter(norm);
    auto cast = CastOp::create(builder, norm->getLoc(), typeOf(result).clone(compute), result);
    setUnit(cast, unitOf(norm));
    result.replaceAllUsesExcept(cast.getResult(), cast);
  }

  Type compute, f32;
  const llvm::DenseSet<StringAttr> &inF32;
  llvm::DenseSet<Value> wide;
  llvm::DenseMap<Value, Value> conversions; // of a value: it has one type, so there is one other
};

struct SetPrecision : zp::nn::impl::SetPrecisionPassBase<SetPrecision> {
  void runOnOperation() override {
    FailureOr<zp::JobSettings> settings = zp::readSettings(getOperation());
    if (failed(settings))
      return signalPassFailure();
    Type compute = zp::computeType(*settings, &getContext());
    if (compute.isF32())
      return keepF32();
    llvm::DenseSet<StringAttr> inF32;
    for (auto parameter : getOperation().getOps<ParameterOp>()) {
      auto type = cast<RankedTensorType>(parameter.getType());
      if (parameter.getInF32())
        inF32.insert(parameter.getSymNameAttr());
      else if (!parameter.getTrainable() && type.getElementType().isF32())
        parameter.setTypeAttr(TypeAttr::get(type.clone(compute)));
    }
    for (auto program : getOperation().getOps<ProgramOp>())
      Narrower(compute, inF32).run(program);
  }

  /// Everything is in f32, where clamps of f16 mean nothing.
  void keepF32() {
    getOperation().walk([](ClampHalfOp clamp) {
      clamp.getResult().replaceAllUsesWith(clamp.getX());
      clamp.erase();
    });
  }
};

} // namespace
