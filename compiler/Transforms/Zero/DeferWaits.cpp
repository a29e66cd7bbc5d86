#include "compiler/Support/Settings.h"
#include "compiler/Transforms/Zero/Passes.h"

namespace zp::zero {
#define GEN_PASS_DEF_DEFERWAITSPASS
#include "compiler/Transforms/Zero/Passes.h.inc"
} // namespace zp::zero

using namespace mlir;
using namespace zp::zero;
namespace nn = zp::nn;

namespace {

/// A collective whose result goes into state that its program doesn't read again.
struct Stored {
  Operation *start, *wait, *store;
};

std::optional<Stored> storedBy(Operation &start) {
  if (!isa<ReduceScatterOp, AllReduceOp, AllGatherOp>(start) || !start.getResult(0).hasOneUse())
    return std::nullopt;
  Operation *wait = *start.getResult(0).user_begin();
  if (!isa<WaitOp>(wait) || !wait->getResult(0).hasOneUse())
    return std::nullopt;
  Operation *store = *wait->getResult(0).user_begin();
  if (!isa<AccumulateGradientOp, StoreValuesOp>(store))
    return std::nullopt;
  return Stored{&start, wait, store};
}

/// Each is awaited when the next is about to start: one more section's buffers are live, one unit's work is done meanwhile.
void defer(Block &body) {
  SmallVector<Stored> all;
  for (Operation &op : body)
    if (std::optional<Stored> stored = storedBy(op))
      all.push_back(*stored);
  for (size_t i = 0; i < all.size(); ++i)
    for (Operation *op : {all[i].wait, all[i].store})
      if (i + 1 < all.size())
        op->moveBefore(all[i + 1].start);
      else
        op->moveBefore(&body, body.end());
}

struct DeferWaits : zp::zero::impl::DeferWaitsPassBase<DeferWaits> {
  void runOnOperation() override {
    FailureOr<zp::JobSettings> settings = zp::readSettings(getOperation());
    if (failed(settings))
      return signalPassFailure();
    if (settings->prefetch_distance == 0)
      return;
    for (auto program : getOperation().getOps<nn::ProgramOp>())
      defer(program.getBody().front());
  }
};

} // namespace
