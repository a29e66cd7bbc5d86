#include "compiler/Transforms/Plan/Passes.h"

namespace zp::plan {
#define GEN_PASS_DEF_SCHEDULESTREAMSPASS
#include "compiler/Transforms/Plan/Passes.h.inc"
} // namespace zp::plan

using namespace mlir;
using namespace zp::plan;

namespace {

constexpr int64_t kCompute = 0, kCommunication = 1;

void scheduleEntry(EntryOp entry) {
  llvm::DenseMap<int64_t, int64_t> renumbered; // future to event
  int64_t next = 0;
  for (Operation &op : llvm::make_early_inc_range(entry.getBody().front())) {
    if (auto wait = dyn_cast<WaitEventOp>(op); wait && wait.getStream() == kCompute) {
      if (auto event = renumbered.find(wait.getEvent()); event != renumbered.end())
        wait.setEvent(event->second);
      continue;
    }
    auto future = op.getAttrOfType<IntegerAttr>(kFutureAttr);
    if (!future)
      continue;
    OpBuilder b(&op);
    RecordEventOp::create(b, op.getLoc(), next, kCompute);
    WaitEventOp::create(b, op.getLoc(), next++, kCommunication);
    cast<InstructionOpInterface>(op).setStreamId(kCommunication);
    b.setInsertionPointAfter(&op);
    RecordEventOp::create(b, op.getLoc(), next, kCommunication);
    renumbered[future.getInt()] = next++;
    op.removeAttr(kFutureAttr);
  }
}

struct ScheduleStreams : zp::plan::impl::ScheduleStreamsPassBase<ScheduleStreams> {
  void runOnOperation() override {
    for (auto entry : getOperation().getOps<EntryOp>())
      scheduleEntry(entry);
  }
};

} // namespace
