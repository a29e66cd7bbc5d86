#include "compiler/Support/Settings.h"
#include "compiler/Transforms/NN/Passes.h"
#include "compiler/Transforms/NN/Programs.h"

#include <map>

namespace zp::nn {
#define GEN_PASS_DEF_REMATERIALIZEPASS
#include "compiler/Transforms/NN/Passes.h.inc"
} // namespace zp::nn

using namespace mlir;
using namespace zp::nn;

namespace {

/// Repeats one block's forward ops in front of its backward ops, as far as those need them.
class BlockRecomputation {
public:
  BlockRecomputation(int64_t unit, ArrayRef<Operation *> backward) : unit(unit), backward(backward), builder(backward.front()) {}

  void run() {
    for (Operation *op : backward)
      for (OpOperand &operand : op->getOpOperands())
        operand.set(recomputed(operand.get()));
  }

private:
  /// Values from outside the block, parameters and inputs are kept; everything else of the forward block is repeated.
  bool isKept(Operation *op) const { return !op || isBackward(op) || isa<ReadOp, InputOp>(op) || unitOf(op) != unit; }

  Value recomputed(Value value) {
    Operation *op = value.getDefiningOp();
    if (isKept(op))
      return value;
    auto result = cast<OpResult>(value);
    auto found = clones.find(op);
    if (found == clones.end()) {
      SmallVector<Value> operands = llvm::map_to_vector(op->getOperands(), [&](Value v) { return recomputed(v); });
      Operation *clone = builder.clone(*op);
      clone->setOperands(operands);
      setBackward(clone);
      found = clones.insert({op, clone}).first;
    }
    return found->second->getResult(result.getResultNumber());
  }

  int64_t unit;
  ArrayRef<Operation *> backward;
  OpBuilder builder;
  llvm::DenseMap<Operation *, Operation *> clones;
};

struct Rematerialize : zp::nn::impl::RematerializePassBase<Rematerialize> {
  void runOnOperation() override {
    FailureOr<zp::JobSettings> settings = zp::readSettings(getOperation());
    if (failed(settings))
      return signalPassFailure();
    if (settings->rematerialize != "block")
      return;
    for (auto program : getOperation().getOps<ProgramOp>()) {
      int64_t head = 0;
      std::map<int64_t, SmallVector<Operation *>> backward;
      for (Operation &op : program.getBody().front()) {
        std::optional<int64_t> unit = unitOf(&op);
        head = std::max(head, unit.value_or(0));
        if (unit && isBackward(&op))
          backward[*unit].push_back(&op);
      }
      for (auto &[unit, ops] : backward)
        if (unit > 0 && unit < head)
          BlockRecomputation(unit, ops).run();
    }
  }
};

} // namespace
