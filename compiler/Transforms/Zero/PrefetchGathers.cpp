#include "compiler/Transforms/Zero/Passes.h"

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

/// Sections that one unit brings in one direction, in program order.
struct UnitChains {
  Attribute unit;
  bool backward;
  SmallVector<SmallVector<Operation *>> chains;
  Operation *lastWait = nullptr;
};

SmallVector<UnitChains> chainsByUnit(Block &body) {
  SmallVector<UnitChains> units;
  for (auto wait : body.getOps<WaitOp>()) {
    SmallVector<Operation *> chain = chainOf(wait);
    if (chain.empty())
      continue;
    Attribute unit = wait->getAttr(nn::NNDialect::kUnitAttr);
    bool backward = wait->hasAttr(nn::NNDialect::kBackwardAttr);
    if (units.empty() || units.back().unit != unit || units.back().backward != backward)
      units.push_back({unit, backward, {}});
    units.back().chains.push_back(std::move(chain));
    units.back().lastWait = wait;
  }
  return units;
}

struct PrefetchGathers : zp::zero::impl::PrefetchGathersPassBase<PrefetchGathers> {
  void runOnOperation() override {
    for (auto program : getOperation().getOps<nn::ProgramOp>()) {
      if (program.getKind() != nn::ProgramKind::TrainStep && program.getKind() != nn::ProgramKind::Evaluate)
        continue;
      SmallVector<UnitChains> units = chainsByUnit(program.getBody().front());
      for (size_t i = 1; i < units.size(); ++i) {
        Operation *place = units[i - 1].lastWait;
        for (ArrayRef<Operation *> chain : units[i].chains)
          for (Operation *op : chain) {
            op->moveAfter(place);
            place = op;
          }
      }
    }
  }
};

} // namespace
