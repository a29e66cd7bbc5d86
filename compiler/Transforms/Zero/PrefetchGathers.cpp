#include "compiler/Support/Settings.h"
#include "compiler/Support/Storage.h"
#include "compiler/Transforms/Zero/Passes.h"
#include "compiler/Transforms/Zero/Stretches.h"

namespace zp::zero {
#define GEN_PASS_DEF_PREFETCHGATHERSPASS
#include "compiler/Transforms/Zero/Passes.h.inc"
} // namespace zp::zero

using namespace mlir;
using namespace zp::zero;
namespace nn = zp::nn;

namespace {

/// What brings one section: its values, their fetch, their gather, in order; empty for a wait of another kind.
SmallVector<Operation *> chainOf(WaitOp wait) {
  SmallVector<Operation *> chain;
  Operation *op = wait.getFuture().getDefiningOp();
  for (; isa<AllGatherOp, FetchOp>(op); op = op->getOperand(0).getDefiningOp())
    chain.push_back(op);
  if (!isa<ValuesOp>(op))
    return {};
  chain.push_back(op);
  return {chain.rbegin(), chain.rend()};
}

/// The wait behind a parameter's view, if its section is brought.
Operation *waitBehind(Value value) {
  auto slot = value.getDefiningOp<SlotOp>();
  auto wait = slot ? slot.getWhole().getDefiningOp<WaitOp>() : WaitOp();
  return wait && !chainOf(wait).empty() ? wait : nullptr;
}

/// Moves the starts of one program up.
class Prefetcher {
public:
  Prefetcher(Block &body, const zp::JobSettings &settings) : stretches(stretchesOf(body, waitBehind)), settings(settings) {
    llvm::DenseSet<Operation *> seen;
    for (const Stretch &stretch : stretches) {
      SmallVector<Operation *> own; // what an earlier stretch brought and kept isn't brought again
      for (Operation *wait : stretch.brought)
        if (seen.insert(wait).second)
          own.push_back(wait);
      // Starts go behind the unit's last wait, so that what is needed first comes first.
      places.push_back(own.empty() ? stretch.first->getPrevNode() : own.back());
      waits.push_back(std::move(own));
    }
  }

  void run() {
    for (size_t i = 0; i < stretches.size(); ++i)
      if (size_t early = startOf(i); early < i)
        for (Operation *wait : waits[i])
          for (Operation *op : chainOf(cast<WaitOp>(wait))) {
            op->moveAfter(places[early]);
            places[early] = op;
          }
  }

private:
  /// The stretch in which what stretch `i` needs is started: as early as distance and bytes allow.
  size_t startOf(size_t i) const {
    size_t start = i;
    int64_t ahead = 0;
    while (start > 0 && static_cast<int64_t>(i - start) < zp::unitsAhead(settings)) {
      ahead += bytesOf(stretches[start]);
      if (settings.prefetch_bytes && ahead > settings.prefetch_bytes)
        break;
      --start;
    }
    return start;
  }

  static int64_t bytesOf(const Stretch &stretch) {
    int64_t bytes = 0;
    for (Operation *wait : stretch.brought)
      bytes += zp::storedBytes(cast<RankedTensorType>(wait->getResult(0).getType()));
    return bytes;
  }

  SmallVector<Stretch> stretches;
  const zp::JobSettings &settings;
  SmallVector<SmallVector<Operation *>> waits; // that each stretch is the first to need
  SmallVector<Operation *> places;             // what starts in a stretch goes behind this
};

struct PrefetchGathers : zp::zero::impl::PrefetchGathersPassBase<PrefetchGathers> {
  void runOnOperation() override {
    FailureOr<zp::JobSettings> settings = zp::readSettings(getOperation());
    if (failed(settings))
      return signalPassFailure();
    for (auto program : getOperation().getOps<nn::ProgramOp>())
      if (llvm::is_contained(
              {nn::ProgramKind::TrainStep, nn::ProgramKind::Evaluate, nn::ProgramKind::Prefill, nn::ProgramKind::Decode, nn::ProgramKind::Encode},
              program.getKind()))
        Prefetcher(program.getBody().front(), *settings).run();
  }
};

} // namespace
