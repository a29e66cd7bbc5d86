// The zero ops: state in sections, and collectives over the simulated ranks.
#include "tests/interpreter/Machine.h"
#include "tests/interpreter/OpMath.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace zp::interpreter {

static LogicalResult runAdamw(zero::AdamwOp op, Frame &f) {
  const SectionInfo &info = f.layout.sections.at(op.getSection().str());
  SectionState &state = f.state.sections.at(op.getSection().str());
  StepScalars scalars = scalarsOf(f.in(op.getScalars()));
  AdamwSettings settings{op.getBeta1().convertToDouble(), op.getBeta2().convertToDouble(), op.getEpsilon().convertToDouble(),
                         op.getWeightDecay().convertToDouble()};
  const Tensor &gradient = f.in(op.getGradient());
  double coefficient = f.in(op.getCoefficient())[0];
  int64_t first = info.optimizerSharded ? f.rank * gradient.size() : 0;
  for (int64_t i = 0; coefficient != 0 && i < gradient.size(); ++i)
    adamw(coefficient * gradient[i], scalars, settings, first + i < info.decayEnd, state.master[i], state.moment1[i], state.moment2[i]);
  f.out(op.getResult(), state.master);
  return success();
}

LogicalResult runZeroOp(Operation *op, Frame &f, bool &handled) {
  handled = true;
  auto section = [&](StringRef name) -> SectionState & { return f.state.sections.at(name.str()); };
  return TypeSwitch<Operation *, LogicalResult>(op)
      .Case([&](zero::ValuesOp o) { return f.out(o, section(o.getSection()).values), success(); })
      .Case([&](zero::StoreValuesOp o) { return section(o.getSection()).values = f.in(o.getValues()), success(); })
      .Case([&](zero::SlotOp o) {
        int64_t offset = 0;
        for (const SlotInfo &slot : f.layout.sections.at(o.getSection().str()).slots)
          if (slot.parameter == o.getParameter())
            offset = slot.offset;
        Tensor result(shapeOf(o.getType()));
        for (int64_t i = 0; i < result.size(); ++i)
          result[i] = f.in(o.getWhole())[offset + i];
        return f.out(o, result), success();
      })
      .Case([&](zero::PackOp o) {
        const SectionInfo &info = f.layout.sections.at(o.getSection().str());
        Tensor result({info.elements});
        for (auto [tensor, parameter] : llvm::zip(o.getTensors(), o.getParameters().getAsRange<FlatSymbolRefAttr>()))
          for (const SlotInfo &slot : info.slots)
            if (slot.parameter == parameter.getValue())
              for (int64_t i = 0; i < f.in(tensor).size(); ++i)
                result[slot.offset + i] = f.in(tensor)[i];
        return f.out(o, result), success();
      })
      .Case([&](zero::AccumulateGradientOp o) {
        Tensor &gradient = section(o.getSection()).gradient;
        return gradient = add(gradient, f.in(o.getGradient())), success();
      })
      .Case([&](zero::GradientOp o) { return f.out(o, section(o.getSection()).gradient), success(); })
      .Case([&](zero::ClearGradientOp o) {
        Tensor &gradient = section(o.getSection()).gradient;
        return gradient = Tensor(gradient.shape), success();
      })
      .Case([&](zero::AdamwOp o) { return runAdamw(o, f); })
      .Case([&](zero::LoadOp o) {
        loadSection(f.layout, o.getSection().str(), f.rank, f.initial, section(o.getSection()));
        return success();
      })
      .Case([&](zero::FetchOp o) { return f.out(o, Tensor(f.in(o.getSource()))), success(); })
      .Case([&](zero::OffloadOp o) { return f.out(o, Tensor(f.in(o.getSource()))), success(); })
      .Case([&](zero::WaitOp o) { return f.out(o, Tensor(f.in(o.getFuture()))), success(); })
      .Default([&](Operation *) { return handled = false, success(); });
}

static LogicalResult checkRanks(Operation *op, uint64_t ranks, size_t simulated) {
  if (ranks != simulated)
    return op->emitOpError("is for ") << ranks << " ranks, " << simulated << " are simulated";
  return success();
}

LogicalResult runCollective(Operation *op, MutableArrayRef<Frame> frames, bool &handled) {
  handled = true;
  auto sum = [&](Value source) { // in rank order
    Tensor total = frames.front().in(source);
    for (const Frame &frame : frames.drop_front())
      total = add(total, frame.in(source));
    return total;
  };
  return TypeSwitch<Operation *, LogicalResult>(op)
      .Case([&](zero::AllGatherOp o) {
        Tensor whole(shapeOf(o.getType()));
        whole.data.clear();
        for (const Frame &frame : frames)
          whole.data.insert(whole.data.end(), frame.in(o.getSource()).data.begin(), frame.in(o.getSource()).data.end());
        for (Frame &frame : frames)
          frame.out(o, whole);
        return checkRanks(op, o.getRanks(), frames.size());
      })
      .Case([&](zero::ReduceScatterOp o) {
        Tensor total = sum(o.getSource());
        int64_t length = Tensor::count(shapeOf(o.getType()));
        if (failed(checkRanks(op, o.getRanks(), frames.size())))
          return failure();
        for (Frame &frame : frames) {
          Tensor slice({length});
          for (int64_t i = 0; i < length; ++i)
            slice[i] = total[frame.rank * length + i];
          frame.out(o, slice);
        }
        return success();
      })
      .Case([&](zero::AllReduceOp o) {
        Tensor total = sum(o.getSource());
        for (Frame &frame : frames)
          frame.out(o, total);
        return checkRanks(op, o.getRanks(), frames.size());
      })
      .Default([&](Operation *) { return handled = false, success(); });
}

} // namespace zp::interpreter
