// Patterns of the zero dialect: sections become persistent buffers, collectives instructions.
#include "compiler/Conversion/ToPlan/ToPlan.h"
#include "compiler/Support/Storage.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace zp::zero;

namespace zp {

static RankedTensorType flat(int64_t elements, Type element) { return RankedTensorType::get({elements}, element); }

static plan::Tier planTier(Tier tier) { return tier == Tier::Device ? plan::Tier::Device : tier == Tier::Host ? plan::Tier::Host : plan::Tier::Disk; }

SectionMemory memoryOf(SectionOp section, ModuleMemory &memory) {
  std::string name = section.getSymName().str();
  Type element = cast<RankedTensorType>(section.getType()).getElementType(), f32 = Float32Type::get(section.getContext());
  bool trainable = section.getKind() == SectionKind::Trainable;
  SectionMemory places;
  plan::Tier values = planTier(section.getValuesTier()), state = planTier(section.getOptimizerTier());
  places.values = memory.persistent(name + ".values", flat(section.getStoredValues(), element),
                                    trainable ? plan::BufferKind::Adapters : plan::BufferKind::Weights, values);
  if (!trainable)
    return places;
  RankedTensorType optimizer = flat(section.getStoredOptimizer(), f32);
  // In f32 the master is the value itself, as long as a rank keeps as much of the one as of the other, in one memory.
  bool same = places.values.type == optimizer && values == state;
  places.master = same ? places.values : memory.persistent(name + ".master", optimizer, plan::BufferKind::Optimizer, state);
  places.moment1 = memory.persistent(name + ".moment1", optimizer, plan::BufferKind::Optimizer, state);
  places.moment2 = memory.persistent(name + ".moment2", optimizer, plan::BufferKind::Optimizer, state);
  places.gradient = memory.persistent(name + ".gradient", flat(section.getStoredGradient(), f32), plan::BufferKind::Gradients, state);
  return places;
}

namespace {

template <typename OpT> bool isAwaitedAtOnce(OpT op) { return op->getNextNode() == *op.getResult().getUsers().begin(); }

/// Gives what an op starts a future, which its wait, or what is gathered from there, finds by the op's result.
template <typename OpT, typename InstructionT> void promise(OpT op, InstructionT instruction, Lowering &l) {
  l.pending[op.getResult()] = l.nextEvent;
  instruction->setAttr(plan::kFutureAttr, l.builder.getI64IntegerAttr(l.nextEvent++));
}

/// Starts a collective or a transfer; if its wait does not come at once, it gets an event of its own.
template <typename OpT, typename InstructionT> void start(OpT op, InstructionT instruction, Lowering &l) {
  if (!isAwaitedAtOnce(op))
    promise(op, instruction, l);
}

Place defineFuture(TypedValue<FutureType> future, plan::BufferKind kind, Lowering &l) {
  auto wait = cast<WaitOp>(*future.getUsers().begin());
  return l.memory.define(wait.getResult(), kind);
}

/// Copies a tensor into device memory. What is gathered from there awaits it itself.
void fetch(FetchOp op, Lowering &l) {
  auto gather = dyn_cast<AllGatherOp>(*op.getResult().getUsers().begin());
  if (!gather) {
    Place target = defineFuture(op.getResult(), plan::BufferKind::Gathered, l);
    return start(op, l.emit<plan::CopyOp>(op, l.memory.view(op.getSource()), l.memory.view(target)), l);
  }
  Place target = l.memory.allocate(op.getResult().getType().getValue(), plan::BufferKind::Communication);
  l.memory.bind(op.getResult(), target);
  auto copy = l.emit<plan::CopyOp>(op, l.memory.view(op.getSource()), l.memory.view(target));
  if (!isAwaitedAtOnce(gather))
    promise(op, copy, l);
}

void gather(AllGatherOp op, Lowering &l) {
  Place target = defineFuture(op.getResult(), plan::BufferKind::Gathered, l);
  auto instruction = l.emit<plan::AllGatherOp>(op, l.memory.view(op.getSource()), l.memory.view(target));
  if (auto fetched = l.pending.find(op.getSource()); fetched != l.pending.end())
    instruction->setAttr(plan::kAfterAttr, l.builder.getI64IntegerAttr(fetched->second));
  start(op, instruction, l);
}

/// Copies a tensor out of device memory.
void offload(OffloadOp op, Lowering &l) {
  auto wait = cast<WaitOp>(*op.getResult().getUsers().begin());
  Place target = l.memory.allocate(cast<RankedTensorType>(op.getSource().getType()), plan::BufferKind::Checkpoints, planTier(op.getTier()));
  l.memory.bind(wait.getResult(), target);
  start(op, l.emit<plan::CopyOp>(op, l.memory.view(op.getSource()), l.memory.view(target)), l);
}

/// The emitter numbers sections in the module's order; so do instructions.
int64_t numberOf(SectionOp section, Lowering &l) {
  int64_t number = 0;
  for (auto other : l.module.getOps<SectionOp>()) {
    if (other == section)
      break;
    ++number;
  }
  return number;
}

/// Records of 4-bit elements. Where scales are nested and a rank quantises its slice alone, nobody knows a tensor's mean scale
/// before all ranks' scales have been exchanged.
void loadQuantized(LoadOp op, SectionOp section, const QuantRecords &records, Lowering &l) {
  Place values = memoryOf(section, l.state).values;
  bool exchange = records.nested && section.getValuesSharded() && !l.settings.bnb_4bit_prequantized;
  int64_t number = numberOf(section, l), blocks = section.getElements() / static_cast<int64_t>(records.blockSize);
  if (!exchange) {
    l.emit<plan::LoadQuantizedOp>(op, l.memory.view(values), Value(), number);
    return;
  }
  Type f32 = l.builder.getF32Type();
  Value mine = l.memory.view(l.memory.allocate(flat(blocks / static_cast<int64_t>(section.getRanks()), f32), plan::BufferKind::Communication));
  Value all = l.memory.view(l.memory.allocate(flat(blocks, f32), plan::BufferKind::Communication));
  l.emit<plan::LoadQuantizedOp>(op, l.memory.view(values), mine, number);
  l.emit<plan::AllGatherOp>(op, mine, all);
  l.emit<plan::NestScalesOp>(op, all, l.memory.view(values), number);
}

void load(LoadOp op, Lowering &l) {
  SectionOp section = l.section(op.getSection());
  if (auto records = quantRecordsOf(cast<RankedTensorType>(section.getType()).getElementType()))
    return loadQuantized(op, section, *records, l);
  SectionMemory s = memoryOf(section, l.state);
  Place first = s.master ? s.master : s.values;
  l.emit<plan::LoadSectionOp>(op, l.memory.view(first), numberOf(section, l));
  if (!s.master)
    return;
  if (!(s.values == s.master)) {
    Place slice = s.master;
    if (s.values.type.getElementType() != s.master.type.getElementType()) {
      auto narrow = s.master.type.clone(s.values.type.getElementType());
      slice = s.values.type == narrow ? s.values : l.memory.allocate(narrow, plan::BufferKind::Communication);
      l.emit<plan::CastOp>(op, l.memory.view(s.master), l.memory.view(slice));
    }
    if (slice.type != s.values.type)
      l.emit<plan::AllGatherOp>(op, l.memory.view(slice), l.memory.view(s.values));
    else if (!(slice == s.values))
      l.copy(op, slice, s.values);
  }
  for (const Place &place : {s.moment1, s.moment2, s.gradient})
    l.fill(op, place, 0);
}

} // namespace

bool lowerZero(Operation *operation, Lowering &l) {
  ProgramMemory &m = l.memory;
  auto sectionMemory = [&](StringRef name) { return memoryOf(l.section(name), l.state); };
  return llvm::TypeSwitch<Operation *, bool>(operation)
      .Case([&](ValuesOp op) { return m.bind(op.getResult(), sectionMemory(op.getSection()).values), true; })
      .Case([&](StoreValuesOp op) {
        Place target = sectionMemory(op.getSection()).values;
        if (!(m.placeOf(op.getValues()) == target))
          l.copy(op, m.placeOf(op.getValues()), target);
        return true;
      })
      .Case([&](SlotOp op) {
        Place place = m.placeOf(op.getWhole());
        place.offset += byteOffset(place.type.getElementType(), *l.section(op.getSection()).offsetOf(op.getParameterAttr()));
        place.type = cast<RankedTensorType>(op.getResult().getType());
        return m.bind(op.getResult(), place), true;
      })
      .Case([&](PackOp op) {
        Place packed = m.placeOf(op.getResult());
        l.zeroBeforeFirstWrite(op, packed.buffer);
        SectionOp section = l.section(op.getSection());
        for (auto [tensor, parameter] : llvm::zip(op.getTensors(), op.getParameters().getAsRange<FlatSymbolRefAttr>())) {
          Place slot{packed.buffer, packed.offset + *section.offsetOf(parameter) * 4, cast<RankedTensorType>(tensor.getType())};
          if (!(m.placeOf(tensor) == slot))
            l.copy(op, m.placeOf(tensor), slot);
        }
        return true;
      })
      .Case([&](FetchOp op) { return fetch(op, l), true; })
      .Case([&](OffloadOp op) { return offload(op, l), true; })
      .Case([&](AllGatherOp op) { return gather(op, l), true; })
      .Case([&](ReduceScatterOp op) {
        Place target = defineFuture(op.getResult(), plan::BufferKind::Communication, l);
        return start(op, l.emit<plan::ReduceScatterOp>(op, m.view(op.getSource()), m.view(target)), l), true;
      })
      .Case([&](AllReduceOp op) { // in place: the sum replaces this rank's term
        auto wait = cast<WaitOp>(*op.getResult().getUsers().begin());
        Place place = m.placeOf(op.getSource());
        m.bind(wait.getResult(), place);
        return start(op, l.emit<plan::AllReduceOp>(op, m.view(place)), l), true;
      })
      .Case([&](WaitOp op) {
        if (auto event = l.pending.find(op.getFuture()); event != l.pending.end())
          l.emit<plan::WaitEventOp>(op, event->second);
        return true;
      })
      .Case([&](GradientOp op) { return m.bind(op.getResult(), sectionMemory(op.getSection()).gradient), true; })
      .Case([&](AccumulateGradientOp op) {
        return l.emit<plan::AccumulateOp>(op, m.view(op.getGradient()), m.view(sectionMemory(op.getSection()).gradient), APFloat(1.0)), true;
      })
      .Case([&](ClearGradientOp op) { return l.fill(op, sectionMemory(op.getSection()).gradient, 0), true; })
      .Case([&](AdamwOp op) {
        SectionOp section = l.section(op.getSection());
        SectionMemory s = memoryOf(section, l.state);
        Value narrow;
        if (cast<RankedTensorType>(op.getResult().getType()).getElementType().isF32())
          m.bind(op.getResult(), s.master);
        else
          narrow = m.view(m.define(op.getResult(), plan::BufferKind::Communication));
        l.emit<plan::AdamwOp>(op, m.view(op.getGradient()), m.view(op.getCoefficient()), m.view(op.getScalars()), m.view(s.master), m.view(s.moment1),
                              m.view(s.moment2), narrow, op.getBeta1(), op.getBeta2(), op.getEpsilon(), op.getWeightDecay(),
                              static_cast<int64_t>(section.getDecayEnd()), section.getOptimizerSharded());
        return true;
      })
      .Case([&](LoadOp op) { return load(op, l), true; })
      .Default([](Operation *) { return false; });
}

void chooseDestinations(Block &body, Lowering &l) {
  ProgramMemory &m = l.memory;
  for (Operation &operation : body) {
    if (auto op = dyn_cast<PackOp>(operation)) {
      Place packed = m.define(op.getResult(), plan::BufferKind::Gradients);
      l.packed[packed.buffer] = packed;
      SectionOp section = l.section(op.getSection());
      for (auto [tensor, parameter] : llvm::zip(op.getTensors(), op.getParameters().getAsRange<FlatSymbolRefAttr>()))
        if (!m.destinationOf(tensor))
          m.setDestination(tensor, {packed.buffer, *section.offsetOf(parameter) * 4, cast<RankedTensorType>(tensor.getType())});
    }
    if (auto op = dyn_cast<StoreValuesOp>(operation))
      if (Place target = memoryOf(l.section(op.getSection()), l.state).values; target.type == op.getValues().getType())
        m.setDestination(op.getValues(), target);
    if (auto op = dyn_cast<nn::StoreStateOp>(operation))
      m.setDestination(op.getValue(), l.stateOf(op.getStateAttr(), op.getValue()));
    if (auto op = dyn_cast<nn::OutputOp>(operation))
      m.setDestination(op.getValue(), l.state.persistent((l.program + "." + op.getName()).str(), cast<RankedTensorType>(op.getValue().getType()),
                                                         plan::BufferKind::Working));
  }
}

} // namespace zp
