#include "compiler/Support/Targets.h"
#include "compiler/Transforms/Plan/Lives.h"
#include "compiler/Transforms/Plan/Passes.h"

namespace zp::plan {
#define GEN_PASS_DEF_SCHEDULESTREAMSPASS
#include "compiler/Transforms/Plan/Passes.h.inc"
} // namespace zp::plan

using namespace mlir;
using namespace zp::plan;

namespace {

constexpr int64_t kCompute = 0, kCommunication = 1, kFetches = 2, kOffloads = 3;

/// Gives the instructions of an entry their streams, and events to what they wait for.
class Scheduler {
public:
  Scheduler(EntryOp entry, bool copyEngines) : entry(entry), copyEngines(copyEngines) {}

  /// All collectives of an entry share a stream, or ranks could issue them in different orders: once one is asynchronous, the others follow
  /// it, awaited where they stand.
  void run() {
    Block &body = entry.getBody().front();
    if (llvm::none_of(body, [](Operation &op) { return op.hasAttr(kFutureAttr); }))
      return;
    for (Operation &op : body)
      if (auto after = op.getAttrOfType<IntegerAttr>(kAfterAttr))
        followed.insert(after.getInt());
    for (Operation &op : llvm::make_early_inc_range(body))
      if (auto wait = dyn_cast<WaitEventOp>(op))
        wait.setEvent(renumbered.lookup(wait.getEvent()));
      else if (int64_t stream = streamOf(op); stream != kCompute)
        move(op, stream);
  }

private:
  /// Computing goes on beside collectives, and beside transfers that are awaited later.
  int64_t streamOf(Operation &op) const {
    auto instruction = dyn_cast<InstructionOpInterface>(op);
    if (instruction && instruction.isCollective())
      return kCommunication;
    if (!op.hasAttr(kFutureAttr))
      return kCompute;
    auto copy = dyn_cast<CopyOp>(op);
    return !copy || !copyEngines ? kCommunication : tierOf(copy.getTarget()) == Tier::Device ? kFetches : kOffloads;
  }

  Tier tierOf(Value memory) const {
    FlatSymbolRefAttr name = viewOf(memory).getBufferAttr();
    return SymbolTable::lookupNearestSymbolFrom<BufferOp>(viewOf(memory), name).getTier();
  }

  /// It starts when stream 0 has come to its place, and when what it is to start after has ended.
  void move(Operation &op, int64_t stream) {
    cast<InstructionOpInterface>(op).setStreamId(stream);
    OpBuilder b(&op);
    RecordEventOp::create(b, op.getLoc(), next, kCompute);
    WaitEventOp::create(b, op.getLoc(), next++, stream);
    if (auto after = dyn_cast_or_null<IntegerAttr>(op.removeAttr(kAfterAttr)))
      if (auto event = renumbered.find(after.getInt()); event != renumbered.end())
        WaitEventOp::create(b, op.getLoc(), event->second, stream);
    auto future = dyn_cast_or_null<IntegerAttr>(op.removeAttr(kFutureAttr));
    if (future && followed.contains(future.getInt()) && stream == kCommunication)
      return; // a collective follows it there
    b.setInsertionPointAfter(&op);
    RecordEventOp::create(b, op.getLoc(), next, stream);
    if (future)
      renumbered[future.getInt()] = next;
    else
      WaitEventOp::create(b, op.getLoc(), next, kCompute);
    ++next;
  }

  EntryOp entry;
  const bool copyEngines;
  llvm::DenseSet<int64_t> followed;            // futures that a collective awaits
  llvm::DenseMap<int64_t, int64_t> renumbered; // future to event
  int64_t next = 0;
};

struct ScheduleStreams : zp::plan::impl::ScheduleStreamsPassBase<ScheduleStreams> {
  void runOnOperation() override {
    for (auto entry : getOperation().getOps<EntryOp>())
      Scheduler(entry, zp::targetOf(getOperation()).copyEngines).run();
  }
};

} // namespace
