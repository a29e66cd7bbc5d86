#include "compiler/Transforms/NN/Passes.h"
#include "compiler/Transforms/NN/Programs.h"

namespace zp::nn {
#define GEN_PASS_DEF_VERIFYTRAINABLEPASS
#include "compiler/Transforms/NN/Passes.h.inc"
} // namespace zp::nn

using namespace mlir;
using namespace zp::nn;

namespace {

struct VerifyTrainable : zp::nn::impl::VerifyTrainablePassBase<VerifyTrainable> {
  void runOnOperation() override {
    llvm::StringMap<int> gradients, updates;
    bool trains = false;
    for (auto program : getOperation().getOps<ProgramOp>()) {
      trains |= program.getKind() == ProgramKind::ApplyGradients;
      program.walk([&](Operation *op) {
        if (auto gradient = dyn_cast<AccumulateGradientOp>(op))
          ++gradients[gradient.getParameter()];
        if (auto update = dyn_cast<AdamwOp>(op))
          ++updates[update.getParameter()];
      });
    }
    if (!trains)
      return;
    for (auto parameter : getOperation().getOps<ParameterOp>()) {
      int g = gradients.lookup(parameter.getSymName()), u = updates.lookup(parameter.getSymName());
      if (parameter.getTrainable() ? g >= 1 && u == 1 : g == 0 && u == 0)
        continue;
      parameter.emitError() << (parameter.getTrainable() ? "trainable" : "frozen") << " parameter has " << g << " gradients and " << u
                            << " updates, expected " << (parameter.getTrainable() ? "at least one and exactly one" : "none");
      return signalPassFailure();
    }
  }
};

} // namespace
