// Programs and what outlives them: inputs and outputs, states, caches of generation.
#include "compiler/Conversion/ToPlan/NNToPlan.h"

using namespace mlir;
using namespace zp::nn;

namespace zp {

/// The memory of a state as it is declared: what something is appended to is a cache.
static Place declaredState(Lowering &l, FlatSymbolRefAttr state, plan::BufferKind kind) {
  auto declared = SymbolTable::lookupNearestSymbolFrom<StateOp>(l.module, state);
  return l.state.persistent(("state." + state.getValue()).str(), cast<RankedTensorType>(declared.getType()), kind);
}
/// Copies a value to where it is asked for, if it was not computed there.
static void settle(Operation *op, Value value, const Place &place, Lowering &l) {
  if (!(l.memory.placeOf(value) == place))
    l.copy(op, l.memory.placeOf(value), place);
}

static void lower(InputOp op, Lowering &l) {
  Place place = l.state.persistent(("input." + op.getName()).str(), cast<RankedTensorType>(op.getType()), plan::BufferKind::Working);
  l.memory.bind(op.getValue(), place);
  plan::InputOp::create(l.builder, op.getLoc(), op.getNameAttr(), l.memory.view(place));
}

static void lower(OutputOp op, Lowering &l) {
  Place place = l.state.persistent((l.program + "." + op.getName()).str(), tensorTypeOf(op.getValue()), plan::BufferKind::Working);
  settle(op, op.getValue(), place, l);
  plan::OutputOp::create(l.builder, op.getLoc(), op.getNameAttr(), l.memory.view(place));
}

static void lower(LoadStateOp op, Lowering &l) { l.memory.bind(op.getValue(), l.stateOf(op.getStateAttr(), op.getValue())); }

static void lower(StoreStateOp op, Lowering &l) { settle(op, op.getValue(), l.stateOf(op.getStateAttr(), op.getValue()), l); }

static void lower(AddStateOp op, Lowering &l) {
  Place place = l.stateOf(op.getStateAttr(), op.getValue());
  if (!(l.memory.placeOf(op.getValue()) == place))
    l.emit<plan::AccumulateOp>(op, l.memory.view(op.getValue()), l.memory.view(place), APFloat(1.0));
}

static void lower(ClearStateOp op, Lowering &l) { l.fill(op, declaredState(l, op.getStateAttr(), plan::BufferKind::Working), 0); }

static void lower(AppendCacheOp op, Lowering &l) {
  Place cache = declaredState(l, op.getStateAttr(), plan::BufferKind::Cache);
  l.emit<plan::AppendCacheOp>(op, l.memory.view(op.getValue()), l.memory.view(op.getPositions()), l.memory.view(cache),
                              static_cast<int64_t>(op.getLength()));
}

static void lower(ReorderCacheOp op, Lowering &l) {
  Place cache = declaredState(l, op.getStateAttr(), plan::BufferKind::Cache);
  l.emit<plan::ReorderCacheOp>(op, l.memory.view(op.getRows()), l.memory.view(cache));
}

bool lowerStates(Operation *op, Lowering &l) {
  return lowerOneOf<InputOp, OutputOp, LoadStateOp, StoreStateOp, AddStateOp, ClearStateOp, AppendCacheOp, ReorderCacheOp>(op, l);
}

} // namespace zp
