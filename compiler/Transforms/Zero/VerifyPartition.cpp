#include "compiler/Transforms/Zero/Passes.h"

namespace zp::zero {
#define GEN_PASS_DEF_VERIFYPARTITIONPASS
#include "compiler/Transforms/Zero/Passes.h.inc"
} // namespace zp::zero

using namespace mlir;
using namespace zp::zero;
namespace nn = zp::nn;

namespace {

struct VerifyPartition : zp::zero::impl::VerifyPartitionPassBase<VerifyPartition> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    llvm::StringMap<int> slots, updates;
    for (auto section : module.getOps<SectionOp>())
      for (SlotAttr slot : section.getSlots().getAsRange<SlotAttr>())
        ++slots[slot.getParameter().getValue()];
    for (auto parameter : module.getOps<nn::ParameterOp>())
      if (int count = slots.lookup(parameter.getSymName()); count != 1)
        return fail(parameter, "has " + Twine(count) + " slots, expected one");
    bool trains = false;
    WalkResult walk = module.walk([&](Operation *op) {
      if (auto program = dyn_cast<nn::ProgramOp>(op))
        trains |= program.getKind() == nn::ProgramKind::ApplyGradients;
      if (isa<nn::ReadOp, nn::AccumulateGradientOp, nn::GradientOp, nn::ClearGradientOp, nn::AdamwOp>(op))
        return fail(op, "still names an nn.parameter"), WalkResult::interrupt();
      if (isa<AllGatherOp, ReduceScatterOp, AllReduceOp, FetchOp, OffloadOp>(op) && !op->getResult(0).hasOneUse())
        return fail(op, "starts a future that is not awaited exactly once"), WalkResult::interrupt();
      if (auto update = dyn_cast<AdamwOp>(op))
        ++updates[update.getSection()];
      return WalkResult::advance();
    });
    if (walk.wasInterrupted() || !trains)
      return;
    for (auto section : module.getOps<SectionOp>())
      if (section.getKind() == SectionKind::Trainable && updates.lookup(section.getSymName()) != 1)
        return fail(section, "is a trainable section with " + Twine(updates.lookup(section.getSymName())) + " updates, expected one");
  }

  void fail(Operation *op, const Twine &message) {
    op->emitOpError(message);
    signalPassFailure();
  }
};

} // namespace
