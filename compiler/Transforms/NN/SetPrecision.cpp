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

struct SetPrecision : zp::nn::impl::SetPrecisionPassBase<SetPrecision> {
  void runOnOperation() override {
    FailureOr<zp::JobSettings> settings = zp::readSettings(getOperation());
    if (failed(settings))
      return signalPassFailure();
    Type compute = zp::computeType(*settings, &getContext());
    if (compute.isF32())
      return;
    auto narrowed = [&](RankedTensorType type) { return type.getElementType().isF32() ? type.clone(compute) : type; };
    for (auto parameter : getOperation().getOps<ParameterOp>())
      if (!parameter.getTrainable())
        parameter.setTypeAttr(TypeAttr::get(narrowed(cast<RankedTensorType>(parameter.getType()))));
    for (auto program : getOperation().getOps<ProgramOp>())
      program.walk([&](Operation *op) {
        for (OpResult result : op->getResults())
          if (auto type = dyn_cast<RankedTensorType>(result.getType()); type && !keepsItsType(result))
            result.setType(narrowed(type));
      });
  }
};

} // namespace
