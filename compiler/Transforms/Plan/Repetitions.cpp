#include "compiler/Transforms/Plan/Repetitions.h"

#include "compiler/Transforms/Plan/Lives.h"

#include <map>

using namespace mlir;

namespace zp::plan {

bool isKernel(Operation *op) {
  auto instruction = dyn_cast<InstructionOpInterface>(op);
  return instruction && !instruction.isCollective() && !isa<CopyOp, RecordEventOp, WaitEventOp, LoadSectionOp, LoadQuantizedOp, NestScalesOp>(op);
}

bool readsOld(Operation *op, const Access &access) {
  auto accumulate = op->getAttrOfType<BoolAttr>("accumulate");
  return access.reads && !(access.writes && accumulate && !accumulate.getValue());
}

namespace {

/// A value: two windows of memory that have the same number hold the same bits.
using Number = uintptr_t;

/// The values of memory, window by window. What is written anywhere in a buffer makes all of its other windows unknown.
class Values {
public:
  Number read(Value memory) {
    Number &number = windows(memory)[key(memory)];
    if (number == 0)
      number = fresh();
    return number;
  }
  void write(Value memory, Number number) {
    windows(memory).clear();
    windows(memory)[key(memory)] = number;
  }
  Number fresh(Number count = 1) { return (next += count) - count; }

private:
  using Window = std::pair<int64_t, const void *>;
  static Window key(Value memory) { return {viewOf(memory).getOffset(), memory.getType().getAsOpaquePointer()}; }
  std::map<Window, Number> &windows(Value memory) { return byBuffer[bufferOf(memory)]; }

  llvm::DenseMap<StringAttr, std::map<Window, Number>> byBuffer;
  Number next = 1;
};

/// Of a kernel: what it does to which values, into windows of which types.
std::vector<uintptr_t> workOf(Operation *op, ArrayRef<Access> accesses, Values &values) {
  std::vector<uintptr_t> work = {reinterpret_cast<uintptr_t>(op->getName().getAsOpaquePointer()),
                                 reinterpret_cast<uintptr_t>(op->getAttrDictionary().getAsOpaquePointer())};
  for (const Access &access : accesses) {
    work.push_back(access.memory ? reinterpret_cast<uintptr_t>(access.memory.getType().getAsOpaquePointer()) : 0);
    work.push_back(access.memory && readsOld(op, access) ? values.read(access.memory) : 0);
  }
  return work;
}

} // namespace

std::vector<Repetition> repetitionsOf(ArrayRef<Operation *> ops) {
  struct Done {
    unsigned at;
    Number results; ///< of operand 0, 1, …
  };
  std::vector<Repetition> repetitions;
  std::map<std::vector<uintptr_t>, Done> done;
  Values values;
  for (unsigned at = 0; at < ops.size(); ++at) {
    auto instruction = dyn_cast<InstructionOpInterface>(ops[at]);
    if (!instruction)
      continue;
    const SmallVector<Access> accesses = instruction.getAccesses();
    if (auto copy = dyn_cast<CopyOp>(ops[at])) {
      values.write(copy.getTarget(), values.read(copy.getSource()));
      continue;
    }
    Number results = 0;
    if (isKernel(ops[at])) {
      auto [place, isNew] = done.insert({workOf(ops[at], accesses, values), {at, 0}});
      if (isNew)
        place->second.results = values.fresh(accesses.size());
      else
        repetitions.push_back({at, place->second.at});
      results = place->second.results;
    }
    for (auto [operand, access] : llvm::enumerate(accesses))
      if (access.memory && access.writes)
        values.write(access.memory, results ? results + operand : values.fresh());
  }
  return repetitions;
}

} // namespace zp::plan
