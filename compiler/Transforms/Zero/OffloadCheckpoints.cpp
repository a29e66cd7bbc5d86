#include "compiler/Support/Settings.h"
#include "compiler/Transforms/NN/Programs.h"
#include "compiler/Transforms/Zero/Passes.h"
#include "compiler/Transforms/Zero/Sections.h"

#include <map>

namespace zp::zero {
#define GEN_PASS_DEF_OFFLOADCHECKPOINTSPASS
#include "compiler/Transforms/Zero/Passes.h.inc"
} // namespace zp::zero

using namespace mlir;
using namespace zp::zero;
namespace nn = zp::nn;
using nn::isBackward;
using nn::unitOf;

namespace {

/// Not a view of weights, nor what brings them: those may stand before the unit that they are for.
bool computes(Operation *op) { return !isa<ZeroDialect>(op->getDialect()) && !isa<nn::InputOp>(op); }

/// Moves what one program keeps for its backward pass to a tier and back.
class CheckpointMover {
public:
  CheckpointMover(nn::ProgramOp program, Tier tier) : body(program.getBody().front()), tier(tier) {
    for (Operation &op : body) {
      order[&op] = order.size();
      std::optional<int64_t> unit = unitOf(&op);
      if (!unit || !computes(&op))
        continue;
      if (!isBackward(&op))
        forward.try_emplace(*unit, &op);
      else if (backward.empty() || backward.back().first != *unit)
        backward.push_back({*unit, &op});
    }
  }

  void run() {
    SmallVector<Value> kept;
    for (Operation &op : body)
      for (Value result : op.getResults())
        if (isCheckpoint(result))
          kept.push_back(result);
    for (Value value : kept)
      move(value);
  }

private:
  /// Computed forward, needed backward, in memory of its own.
  bool isCheckpoint(Value value) const {
    Operation *op = value.getDefiningOp();
    std::optional<int64_t> unit = unitOf(op);
    if (!unit || isBackward(op) || !isa<RankedTensorType>(value.getType()) || !computes(op) || isa<nn::LoadStateOp, nn::ReshapeOp>(op))
      return false;
    // A view would keep the memory that it looks at.
    return llvm::any_of(value.getUsers(), isBackward) && llvm::none_of(value.getUsers(), llvm::IsaPred<nn::ReshapeOp>);
  }

  void move(Value value) {
    Operation *lastForward = value.getDefiningOp(), *firstBackward = nullptr;
    for (Operation *user : value.getUsers()) {
      if (isBackward(user)) {
        if (!firstBackward || order[user] < order[firstBackward])
          firstBackward = user;
      } else if (order[user] > order[lastForward]) {
        lastForward = user;
      }
    }
    // Not in the last two units: their backward pass is next.
    int64_t unit = unitOf(lastForward).value_or(0);
    if (!forward.count(unit + 2))
      return;
    Location loc = value.getLoc();
    auto type = cast<RankedTensorType>(value.getType());
    auto future = FutureType::get(value.getContext(), type);
    // Out while the next unit is computed.
    OpBuilder b(value.getContext());
    b.setInsertionPointAfter(lastForward);
    auto out = OffloadOp::create(b, loc, future, value, tier);
    b.setInsertionPoint(forward.at(unit + 2));
    auto stored = WaitOp::create(b, loc, type, out.getResult());
    // Back while the unit before is computed backward.
    b.setInsertionPoint(startOfFetch(firstBackward));
    auto back = FetchOp::create(b, loc, future, stored.getResult());
    b.setInsertionPoint(firstBackward);
    auto again = WaitOp::create(b, loc, type, back.getResult());
    for (Operation *op : {out.getOperation(), stored.getOperation(), back.getOperation(), again.getOperation()})
      op->setAttr(nn::NNDialect::kUnitAttr, b.getI64IntegerAttr(unit));
    for (Operation *op : {back.getOperation(), again.getOperation()})
      op->setAttr(nn::NNDialect::kBackwardAttr, b.getUnitAttr());
    value.replaceUsesWithIf(again.getResult(), [](OpOperand &use) { return isBackward(use.getOwner()) && !isa<FetchOp>(use.getOwner()); });
  }

  /// The first backward op of the unit that comes before `user`'s in the backward pass.
  Operation *startOfFetch(Operation *user) const {
    Operation *place = user, *previous = user;
    for (auto [unit, first] : backward) {
      if (order.lookup(first) > order.lookup(user))
        break;
      place = previous;
      previous = first;
    }
    return order.lookup(place) < order.lookup(user) ? place : user;
  }

  Block &body;
  Tier tier;
  llvm::DenseMap<Operation *, unsigned> order;
  std::map<int64_t, Operation *> forward;                // the first op of a unit
  SmallVector<std::pair<int64_t, Operation *>> backward; // the same, in the order of the backward pass
};

struct OffloadCheckpoints : zp::zero::impl::OffloadCheckpointsPassBase<OffloadCheckpoints> {
  void runOnOperation() override {
    FailureOr<zp::JobSettings> settings = zp::readSettings(getOperation());
    if (failed(settings))
      return signalPassFailure();
    Tier tier = tierOf(settings->offload_activation_device);
    if (tier == Tier::Device)
      return;
    for (auto program : getOperation().getOps<nn::ProgramOp>())
      if (program.getKind() == nn::ProgramKind::TrainStep)
        CheckpointMover(program, tier).run();
  }
};

} // namespace
