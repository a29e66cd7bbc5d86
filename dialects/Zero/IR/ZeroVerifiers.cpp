// The numbered constraints of the op descriptions.
#include "dialects/Zero/IR/ZeroDialect.h"

using namespace mlir;

namespace zp::zero {

/// The tensor, or the one that is promised.
static RankedTensorType tensorOf(Value value) {
  auto future = dyn_cast<FutureType>(value.getType());
  return future ? future.getValue() : cast<RankedTensorType>(value.getType());
}
static int64_t length(Value value) { return tensorOf(value).getNumElements(); }
static Type element(Value value) { return tensorOf(value).getElementType(); }

LogicalResult SectionOp::verify() {
  if (static_cast<int64_t>(getRanks()) < 1 || getElements() % static_cast<int64_t>(getRanks()))
    return emitOpError("C1: ranks must divide the section's length");
  int64_t last = -1;
  for (SlotAttr slot : getSlots().getAsRange<SlotAttr>()) {
    if (slot.getOffset() <= last || slot.getOffset() >= getElements())
      return emitOpError("C2: slots must ascend and lie within the section, ") << slot.getParameter() << " doesn't";
    last = slot.getOffset();
  }
  if (getKind() == SectionKind::Trainable && (getGradientSharded() || getValuesSharded()) && !getOptimizerSharded())
    return emitOpError("C3: a sharded gradient and sharded values need a sharded optimizer");
  return success();
}

static Type elementOf(SectionOp section) { return cast<RankedTensorType>(section.getType()).getElementType(); }

/// C1, and C2 when `value` is given: its length is `stored(section)`.
static LogicalResult verifySection(Operation *op, SymbolTableCollection &symbols, FlatSymbolRefAttr name, bool trainable, Value value,
                                   int64_t (SectionOp::*stored)(), SectionOp *found = nullptr) {
  auto section = symbols.lookupNearestSymbolFrom<SectionOp>(op, name);
  if (!section || (trainable && section.getKind() != SectionKind::Trainable))
    return op->emitOpError("C1: ") << name << " is not a " << (trainable ? "trainable " : "") << "zero.section";
  if (found)
    *found = section;
  if (value && length(value) != (section.*stored)()) {
    InFlightDiagnostic diagnostic = op->emitOpError("C2: has ") << length(value) << " elements, expected " << (section.*stored)();
    diagnostic.attachNote(section.getLoc()) << "section declared here";
    return diagnostic;
  }
  return success();
}

/// C1 and C2 of values as they are stored.
static LogicalResult verifyValues(Operation *op, SymbolTableCollection &symbols, FlatSymbolRefAttr name, Value values) {
  SectionOp section;
  if (failed(verifySection(op, symbols, name, false, values, &SectionOp::getStoredValues, &section)))
    return failure();
  if (element(values) != elementOf(section))
    return op->emitOpError("C2: has elements of type ") << element(values) << ", expected the section's, " << elementOf(section);
  return success();
}
LogicalResult ValuesOp::verifySymbolUses(SymbolTableCollection &symbols) { return verifyValues(*this, symbols, getSectionAttr(), getResult()); }
LogicalResult StoreValuesOp::verifySymbolUses(SymbolTableCollection &symbols) { return verifyValues(*this, symbols, getSectionAttr(), getValues()); }

/// C1 and C2 of a gradient, of which a rank stores `stored(section)` elements.
static LogicalResult verifyGradient(Operation *op, SymbolTableCollection &symbols, FlatSymbolRefAttr name, Value gradient,
                                    int64_t (SectionOp::*stored)(), SectionOp *found = nullptr) {
  if (failed(verifySection(op, symbols, name, true, gradient, stored, found)))
    return failure();
  if (!element(gradient).isF32())
    return op->emitOpError("C2: has a gradient of ") << element(gradient) << ", expected f32";
  return success();
}
LogicalResult AccumulateGradientOp::verifySymbolUses(SymbolTableCollection &symbols) {
  return verifyGradient(*this, symbols, getSectionAttr(), getGradient(), &SectionOp::getStoredGradient);
}
LogicalResult GradientOp::verifySymbolUses(SymbolTableCollection &symbols) {
  return verifyGradient(*this, symbols, getSectionAttr(), getResult(), &SectionOp::getStoredGradient);
}
LogicalResult ClearGradientOp::verifySymbolUses(SymbolTableCollection &symbols) {
  return verifySection(*this, symbols, getSectionAttr(), true, Value(), nullptr);
}
LogicalResult LoadOp::verifySymbolUses(SymbolTableCollection &symbols) {
  return verifySection(*this, symbols, getSectionAttr(), false, Value(), nullptr);
}
LogicalResult AdamwOp::verifySymbolUses(SymbolTableCollection &symbols) {
  SectionOp section;
  if (failed(verifyGradient(*this, symbols, getSectionAttr(), getGradient(), &SectionOp::getStoredOptimizer, &section)))
    return failure();
  if (length(getResult()) != section.getStoredOptimizer() || element(getResult()) != elementOf(section))
    return emitOpError("C2: the result must have the optimizer's length and the section's element type");
  return success();
}
LogicalResult SlotOp::verifySymbolUses(SymbolTableCollection &symbols) {
  SectionOp section;
  if (failed(verifySection(*this, symbols, getSectionAttr(), false, getWhole(), &SectionOp::getElements, &section)))
    return failure();
  if (element(getWhole()) != elementOf(section) || element(getResult()) != elementOf(section))
    return emitOpError("C2: whole and result must have the section's element type, ") << elementOf(section);
  std::optional<int64_t> offset = section.offsetOf(getParameterAttr());
  if (!offset || length(getResult()) > section.roomAt(*offset))
    return emitOpError("C3: ") << getParameterAttr() << " has no slot of this size in " << getSectionAttr();
  return success();
}
LogicalResult PackOp::verifySymbolUses(SymbolTableCollection &symbols) {
  SectionOp section;
  if (failed(verifySection(*this, symbols, getSectionAttr(), true, Value(), nullptr, &section)))
    return failure();
  if (getTensors().size() != getParameters().size())
    return emitOpError("C2: needs one parameter for each operand");
  for (auto [tensor, parameter] : llvm::zip(getTensors(), getParameters().getAsRange<FlatSymbolRefAttr>())) {
    std::optional<int64_t> offset = section.offsetOf(parameter);
    if (!offset || length(tensor) > section.roomAt(*offset))
      return emitOpError("C2: ") << parameter << " has no slot of this size in " << getSectionAttr();
  }
  if (length(getResult()) != section.getElements() || !element(getResult()).isF32() ||
      !llvm::all_of(getTensors(), [](Value tensor) { return element(tensor).isF32(); }))
    return emitOpError("C3: the result must have the section's length, and all must be f32");
  return success();
}

/// The future's tensor must be numerator/denominator times as long as the source.
template <typename OpT> static LogicalResult verifyCollective(OpT op, int64_t numerator, int64_t denominator, bool sums) {
  RankedTensorType promised = op.getResult().getType().getValue();
  if (static_cast<int64_t>(op.getRanks()) < 1 || promised.getNumElements() * denominator != length(op.getSource()) * numerator)
    return op.emitOpError("C1: promises ") << promised.getNumElements() << " elements of " << length(op.getSource()) << " over " << op.getRanks()
                                           << " ranks";
  Type type = element(op.getSource());
  if (promised.getElementType() != type || (sums && !type.isF32() && !type.isF64()))
    return op.emitOpError("C2: element types differ") << (sums ? " or are not f32 or f64" : "");
  return success();
}
LogicalResult AllGatherOp::verify() { return verifyCollective(*this, getRanks(), 1, false); }
LogicalResult ReduceScatterOp::verify() { return verifyCollective(*this, 1, getRanks(), true); }
LogicalResult AllReduceOp::verify() { return verifyCollective(*this, 1, 1, true); }
template <typename OpT> static LogicalResult verifyTransfer(OpT op) {
  if (op.getResult().getType().getValue() != op.getSource().getType())
    return op.emitOpError("C1: the future's tensor has another type than the source");
  return success();
}
LogicalResult FetchOp::verify() { return verifyTransfer(*this); }
LogicalResult OffloadOp::verify() {
  if (getTier() == Tier::Device)
    return emitOpError("C2: the tier is the device");
  return verifyTransfer(*this);
}
LogicalResult WaitOp::verify() {
  if (getFuture().getType().getValue() != getResult().getType())
    return emitOpError("C1: the result is not what the future promises");
  return success();
}

} // namespace zp::zero
