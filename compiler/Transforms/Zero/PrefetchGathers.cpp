#include "compiler/Transforms/Zero/Passes.h"

namespace zp::zero {
#define GEN_PASS_DEF_PREFETCHGATHERSPASS
#include "compiler/Transforms/Zero/Passes.h.inc"
} // namespace zp::zero

using namespace mlir;
using namespace zp::zero;
namespace nn = zp::nn;

namespace {

/// Gathers of one unit in one direction, in program order.
struct UnitGathers {
  Attribute unit;
  bool backward;
  SmallVector<AllGatherOp> starts;
  WaitOp lastWait() { return cast<WaitOp>(*starts.back().getResult().getUsers().begin()); }
};

SmallVector<UnitGathers> gathersByUnit(Block &body) {
  SmallVector<UnitGathers> units;
  for (auto start : body.getOps<AllGatherOp>()) {
    Attribute unit = start->getAttr(nn::NNDialect::kUnitAttr);
    bool backward = start->hasAttr(nn::NNDialect::kBackwardAttr);
    if (units.empty() || units.back().unit != unit || units.back().backward != backward)
      units.push_back({unit, backward, {}});
    units.back().starts.push_back(start);
  }
  return units;
}

struct PrefetchGathers : zp::zero::impl::PrefetchGathersPassBase<PrefetchGathers> {
  void runOnOperation() override {
    for (auto program : getOperation().getOps<nn::ProgramOp>()) {
      if (program.getKind() != nn::ProgramKind::TrainStep && program.getKind() != nn::ProgramKind::Evaluate)
        continue;
      SmallVector<UnitGathers> units = gathersByUnit(program.getBody().front());
      for (size_t i = 1; i < units.size(); ++i) {
        Operation *place = units[i - 1].lastWait();
        for (AllGatherOp start : units[i].starts) {
          Operation *values = start.getSource().getDefiningOp();
          values->moveAfter(place);
          start->moveAfter(values);
          place = start;
        }
      }
    }
  }
};

} // namespace
