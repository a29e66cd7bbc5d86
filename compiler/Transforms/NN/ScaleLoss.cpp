#include "compiler/Support/Settings.h"
#include "compiler/Transforms/NN/Passes.h"
#include "compiler/Transforms/NN/Programs.h"

namespace zp::nn {
#define GEN_PASS_DEF_SCALELOSSPASS
#include "compiler/Transforms/NN/Passes.h.inc"
} // namespace zp::nn

using namespace mlir;
using namespace zp::nn;

namespace {

struct ScaleLoss : zp::nn::impl::ScaleLossPassBase<ScaleLoss> {
  void runOnOperation() override {
    FailureOr<zp::JobSettings> settings = zp::readSettings(getOperation());
    if (failed(settings))
      return signalPassFailure();
    if (!settings->fp16)
      return;
    for (auto program : getOperation().getOps<ProgramOp>())
      for (auto gradient : program.getBody().front().getOps<LinearCrossEntropyGradientOp>()) {
        Value scalars = findInput(program, "scalars");
        if (!scalars) {
          program.emitError("has no nn.input \"scalars\", expected the one that fp16's loss scale comes by");
          return signalPassFailure();
        }
        gradient.getScalarsMutable().assign(scalars);
      }
  }
};

} // namespace
