#include "compiler/Conversion/ToPlan/Memory.h"

#include "compiler/Support/Storage.h"
#include "dialects/NN/IR/NNDialect.h"

using namespace mlir;

namespace zp {

Place ModuleMemory::persistent(StringRef name, RankedTensorType type, plan::BufferKind kind, plan::Tier tier) {
  plan::BufferOp &buffer = buffers[name];
  if (!buffer)
    buffer = plan::BufferOp::create(builder, module.getLoc(), name, storedBytes(type), tier, kind, IntegerAttr());
  else if (static_cast<int64_t>(buffer.getBytes()) < storedBytes(type))
    buffer.setBytes(storedBytes(type)); // inputs of several lengths share the longest
  return {buffer.getSymNameAttr(), 0, type};
}

ProgramMemory::ProgramMemory(Block &source, OpBuilder &builder) : builder(builder) {
  for (Operation &op : source)
    order[&op] = order.size();
}

void ProgramMemory::bind(Value value, Place place) {
  places[value] = place;
  if (auto resident = residents.find(place.buffer); resident != residents.end())
    resident->second.push_back(value);
}

Place ProgramMemory::placeOf(Value value) const {
  Place place = places.lookup(value);
  assert(place && "ops are lowered in order, so operands have a place");
  return place;
}

Value ProgramMemory::view(const Place &place) {
  Value &view = views[{place.buffer, place.offset, place.type}];
  if (!view)
    view = plan::ViewOp::create(builder, builder.getUnknownLoc(), memrefOf(place.type), FlatSymbolRefAttr::get(place.buffer),
                                builder.getI64IntegerAttr(place.offset));
  return view;
}

Place ProgramMemory::allocate(RankedTensorType type, plan::BufferKind kind, plan::Tier tier) {
  auto name = "t" + std::to_string(made++);
  auto buffer = plan::BufferOp::create(builder, builder.getUnknownLoc(), name, storedBytes(type), tier, kind, IntegerAttr());
  residents[buffer.getSymNameAttr()];
  transients[buffer.getSymNameAttr()] = buffer;
  return {buffer.getSymNameAttr(), 0, type};
}

plan::BufferKind ProgramMemory::kindOf(Value result) const {
  auto backward = [](Operation *op) { return op->hasAttr(nn::NNDialect::kBackwardAttr); };
  if (!backward(result.getDefiningOp()) && llvm::any_of(result.getUsers(), backward))
    return plan::BufferKind::Checkpoints;
  return plan::BufferKind::Working;
}

Place ProgramMemory::define(Value result) { return define(result, kindOf(result)); }

Place ProgramMemory::define(Value result, plan::BufferKind kind) {
  Place place = destinations.lookup(result);
  if (!place)
    place = allocate(cast<RankedTensorType>(result.getType()), kind);
  place.type = cast<RankedTensorType>(result.getType());
  bind(result, place);
  return place;
}

bool ProgramMemory::diesAt(Value operand, Operation *at) const {
  Place place = placeOf(operand);
  auto resident = residents.find(place.buffer);
  if (resident == residents.end() || place.offset != 0)
    return false;
  unsigned now = order.lookup(at);
  for (Value value : resident->second) {
    if (storedBytes(places.lookup(value).type) != storedBytes(place.type))
      return false; // a window of something larger
    for (OpOperand &use : value.getUses())
      if (order.lookup(use.getOwner()) > now ||
          (use.getOwner() == at &&
           (value != operand || use.getOperandNumber() != static_cast<unsigned>(llvm::find(at->getOperands(), operand) - at->operand_begin()))))
        return false;
  }
  return true;
}

Place ProgramMemory::defineInPlaceOf(Value result, ArrayRef<Value> operands, Operation *at) {
  if (!destinationOf(result))
    for (Value operand : operands)
      if (operand && operand.getType() == result.getType() && diesAt(operand, at)) {
        Place place = placeOf(operand);
        bind(result, place);
        // Memory is named for what it holds longest: a kept value gives its kind to the buffer that it takes over.
        if (plan::BufferOp buffer = transients.lookup(place.buffer); buffer && kindOf(result) == plan::BufferKind::Checkpoints)
          buffer.setKind(plan::BufferKind::Checkpoints);
        return place;
      }
  return define(result);
}

} // namespace zp
