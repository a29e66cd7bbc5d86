#include "compiler/Transforms/Plan/Passes.h"

namespace zp::plan {
#define GEN_PASS_DEF_SCHEDULESTREAMSPASS
#include "compiler/Transforms/Plan/Passes.h.inc"
} // namespace zp::plan

using namespace mlir;
using namespace zp::plan;

namespace {

constexpr int64_t kCompute = 0, kCommunication = 1;

/// Goes to the communication stream: collectives, transfers that are awaited later, and those that a collective follows there.
bool isMoved(Operation &op) {
  auto instruction = dyn_cast<InstructionOpInterface>(op);
  return instruction && (instruction.isCollective() || op.hasAttr(kFutureAttr) || op.hasAttr(kChainedAttr));
}

/// Moves an instruction to the communication stream; returns the event that its end records, if it `ends` something.
int64_t moveToCommunication(Operation &op, bool ends, int64_t &next) {
  OpBuilder b(&op);
  RecordEventOp::create(b, op.getLoc(), next, kCompute);
  WaitEventOp::create(b, op.getLoc(), next++, kCommunication);
  cast<InstructionOpInterface>(op).setStreamId(kCommunication);
  if (!ends)
    return -1;
  b.setInsertionPointAfter(&op);
  RecordEventOp::create(b, op.getLoc(), next, kCommunication);
  return next++;
}

/// All collectives of an entry share a stream, or ranks could issue them in different orders: once one is asynchronous,
/// the others follow it, awaited where they stand.
void scheduleEntry(EntryOp entry) {
  Block &body = entry.getBody().front();
  if (llvm::none_of(body, [](Operation &op) { return op.hasAttr(kFutureAttr); }))
    return;
  llvm::DenseMap<int64_t, int64_t> renumbered; // future to event
  int64_t next = 0;
  for (Operation &op : llvm::make_early_inc_range(body)) {
    if (auto wait = dyn_cast<WaitEventOp>(op)) {
      wait.setEvent(renumbered.lookup(wait.getEvent()));
    } else if (isMoved(op)) {
      bool ends = !op.removeAttr(kChainedAttr);
      int64_t event = moveToCommunication(op, ends, next);
      if (!ends)
        continue;
      if (auto future = dyn_cast_or_null<IntegerAttr>(op.removeAttr(kFutureAttr))) {
        renumbered[future.getInt()] = event;
      } else {
        OpBuilder b(&op);
        b.setInsertionPointAfter(op.getNextNode());
        WaitEventOp::create(b, op.getLoc(), event, kCompute);
      }
    }
  }
}

struct ScheduleStreams : zp::plan::impl::ScheduleStreamsPassBase<ScheduleStreams> {
  void runOnOperation() override {
    for (auto entry : getOperation().getOps<EntryOp>())
      scheduleEntry(entry);
  }
};

} // namespace
