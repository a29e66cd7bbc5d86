#include "tests/interpreter/Machine.h"

#include "compiler/Support/Storage.h"

using namespace mlir;

namespace zp::interpreter {

std::vector<int64_t> shapeOf(Type type) {
  if (auto future = dyn_cast<zero::FutureType>(type))
    type = future.getValue();
  return cast<ShapedType>(type).getShape().vec();
}

static bool worksOnSections(ModuleOp module) {
  return module
      .walk([](Operation *op) {
        bool zeroOp = isa<zero::ZeroDialect>(op->getDialect()) && !isa<zero::SectionOp, zero::LoadOp>(op);
        return zeroOp ? WalkResult::interrupt() : WalkResult::advance();
      })
      .wasInterrupted();
}

static Layout readLayout(ModuleOp module) {
  Layout layout;
  for (auto op : module.getOps<nn::ParameterOp>())
    layout.parameters[op.getSymName().str()] = {shapeOf(op.getType()), op.getTrainable(), op.getDecayed(), op.getInitial() == nn::Initial::Zero};
  for (auto op : module.getOps<nn::StateOp>())
    layout.states[op.getSymName().str()] = shapeOf(op.getType());
  if (!worksOnSections(module))
    return layout;
  module.walk([&](zero::AccumulateGradientOp) { layout.gradientsInSections = true; });
  for (auto op : module.getOps<zero::SectionOp>()) {
    SectionInfo info{op.getElements(),
                     static_cast<int64_t>(op.getRanks()),
                     static_cast<int64_t>(op.getDecayEnd()),
                     op.getKind() == zero::SectionKind::Trainable,
                     op.getValuesSharded(),
                     op.getGradientSharded(),
                     op.getOptimizerSharded(),
                     {}};
    for (zero::SlotAttr slot : op.getSlots().getAsRange<zero::SlotAttr>())
      info.slots.push_back({slot.getParameter().getValue().str(), slot.getOffset()});
    layout.sections[op.getSymName().str()] = std::move(info);
  }
  return layout;
}

int64_t ranksOf(ModuleOp module) {
  auto sections = module.getOps<zero::SectionOp>();
  return worksOnSections(module) && !sections.empty() ? static_cast<int64_t>((*sections.begin()).getRanks()) : 1;
}

// What the verifiers, which see one dialect at a time, can't know: slots are of parameters, don't overlap, and every trainable
// parameter is at home in one section or in none.
static LogicalResult checkLayout(ModuleOp module, const Layout &layout, int64_t ranks) {
  std::set<std::string> placed;
  for (auto op : module.getOps<zero::SectionOp>()) {
    if (layout.sections.empty())
      break;
    if (static_cast<int64_t>(op.getRanks()) != ranks)
      return op.emitOpError("is cut for ") << op.getRanks() << " ranks, " << ranks << " are simulated";
    int64_t end = 0;
    for (const SlotInfo &slot : layout.sections.at(op.getSymName().str()).slots) {
      auto parameter = layout.parameters.find(slot.parameter);
      if (parameter == layout.parameters.end())
        return op.emitOpError("has a slot of @") << slot.parameter << ", which is no nn.parameter";
      if (slot.offset < end)
        return op.emitOpError("has a slot of @") << slot.parameter << " that overlaps the one before";
      end = slot.offset + static_cast<int64_t>(Tensor::count(parameter->second.shape));
      if (end > op.getElements())
        return op.emitOpError("is too short for its slot of @") << slot.parameter;
      if (!placed.insert(slot.parameter).second)
        return op.emitOpError("has a slot of @") << slot.parameter << ", which lives in another section already";
    }
  }
  return success();
}

void findQuantised(ModuleOp module, InitialValues &initial) {
  for (auto op : module.getOps<nn::ParameterOp>())
    if (auto format = quantRecordsOf(cast<RankedTensorType>(op.getType()).getElementType()))
      initial.quantised[op.getSymName().str()] = *format;
}

std::unique_ptr<Machine> Machine::create(ModuleOp module, int64_t ranks, const InitialValues &initial) {
  std::unique_ptr<Machine> machine(new Machine(module, initial));
  if (failed(checkLayout(module, machine->layout, ranks)))
    return nullptr;
  for (const auto &[name, values] : initial.given)
    if (!machine->layout.parameters.count(name) || Tensor::count(machine->layout.parameters[name].shape) != values.size())
      return module.emitError("no parameter @") << name << " of " << values.size() << " elements", nullptr;
  machine->states =
      initialStates(machine->layout, machine->distributed() ? ranks : 1, initial, static_cast<bool>(machine->program(nn::ProgramKind::Init)));
  return machine;
}

Machine::Machine(ModuleOp module, const InitialValues &initial) : layout(readLayout(module)), root(module), initial(initial) {}

nn::ProgramOp Machine::program(nn::ProgramKind kind) {
  for (auto op : root.getOps<nn::ProgramOp>())
    if (op.getKind() == kind)
      return op;
  return {};
}

bool Machine::differentiates() {
  nn::ProgramOp train = program(nn::ProgramKind::TrainStep);
  return train && llvm::any_of(train.getBody().front(), [](Operation &op) { return isa<nn::AccumulateGradientOp, zero::AccumulateGradientOp>(op); });
}

// A future is awaited exactly once, in the program that started it.
static LogicalResult checkFutures(nn::ProgramOp program) {
  for (Operation &op : program.getBody().front())
    for (Value result : op.getResults())
      if (isa<zero::FutureType>(result.getType()) && (!result.hasOneUse() || !isa<zero::WaitOp, zero::AllGatherOp>(*result.user_begin())))
        return op.emitOpError("starts a future that has ")
               << llvm::range_size(result.getUses()) << " uses, expected exactly one, of zero.wait or zero.all_gather";
  return success();
}

// Every result must have the size that its type says: the op's meaning and its types agree.
static LogicalResult checkSizes(Operation &op, const Frame &frame) {
  for (Value result : op.getResults())
    if (frame.in(result).shape != shapeOf(result.getType()))
      return op.emitOpError("gives a tensor of another shape than its type says");
  return success();
}

LogicalResult Machine::run(nn::ProgramOp program, ArrayRef<NamedTensors> inputs, std::vector<Outcome> *outcomes) {
  if (failed(checkFutures(program)))
    return failure();
  std::vector<Frame> frames;
  frames.reserve(states.size());
  for (size_t rank = 0; rank < states.size(); ++rank)
    frames.push_back(Frame{static_cast<int64_t>(rank), layout, initial, states[rank], inputs[rank], {}, {}, {}, llvm::DenseMap<Value, Tensor>()});

  for (Operation &op : program.getBody().front()) {
    bool collective = false;
    if (failed(runCollective(&op, frames, collective)))
      return failure();
    for (Frame &frame : frames) {
      bool handled = collective;
      if (!handled && failed(runNNOp(&op, frame, handled)))
        return failure();
      if (!handled && failed(runNF4Op(&op, frame, handled)))
        return failure();
      if (!handled && failed(runZeroOp(&op, frame, handled)))
        return failure();
      if (!handled)
        return op.emitOpError("has no meaning in the interpreter");
      if (failed(checkSizes(op, frame)))
        return failure();
    }
  }
  if (outcomes) {
    outcomes->clear();
    for (Frame &frame : frames)
      outcomes->push_back({std::move(frame.outputs), std::move(frame.storedStates), std::move(frame.addedStates)});
  }
  return success();
}

} // namespace zp::interpreter
