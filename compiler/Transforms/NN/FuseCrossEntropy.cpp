#include "compiler/Transforms/NN/Passes.h"
#include "compiler/Transforms/NN/Programs.h"

namespace zp::nn {
#define GEN_PASS_DEF_FUSECROSSENTROPYPASS
#include "compiler/Transforms/NN/Passes.h.inc"
} // namespace zp::nn

using namespace mlir;
using namespace zp::nn;

namespace {

struct FuseCrossEntropy : zp::nn::impl::FuseCrossEntropyPassBase<FuseCrossEntropy> {
  void runOnOperation() override {
    for (auto program : getOperation().getOps<ProgramOp>()) {
      Block &body = program.getBody().front();
      for (auto gradient : llvm::to_vector(body.getOps<LinearCrossEntropyGradientOp>()))
        for (auto loss : llvm::to_vector(body.getOps<LinearCrossEntropyOp>())) {
          if (loss.getHidden() != gradient.getHidden() || loss.getWeight() != gradient.getWeight() || loss.getLabels() != gradient.getLabels() ||
              loss.getChunk() != gradient.getChunk() || loss.getLength() != gradient.getLength())
            continue;
          gradient->moveBefore(loss);
          loss.getLoss().replaceAllUsesWith(gradient.getLoss());
          loss.erase();
        }
    }
  }
};

} // namespace
