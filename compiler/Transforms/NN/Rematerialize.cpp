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

/// Products and attention cost thousands of FLOPs for a byte that is kept, everything else a few. (What another dialect makes
/// of a parameter is a view that fusion removes.)
bool isCostly(Operation *op) { return !isa<NNDialect>(op->getDialect()) || isa<LinearOp, AttentionOp, EmbeddingOp, LinearCrossEntropyOp>(op); }

/// Recomputation of one block's values. `made` are the ops that computed them; values from elsewhere, parameters and inputs
/// are there anyway.
class Recomputation {
public:
  using Ops = llvm::DenseSet<Operation *>;
  Recomputation(Ops made, ArrayRef<Operation *> backward) : made(std::move(made)), backward(backward), builder(backward.front()) {}

  /// Repeats what the backward ops need in front of the first of them; returns the repeated ops.
  SmallVector<Operation *> repeatAll() {
    for (Operation *op : backward)
      for (OpOperand &operand : op->getOpOperands())
        if (isMade(operand.get()))
          operand.set(repeated(operand.get()));
    return clones;
  }

  /// Repeats what is cheap and computed from what is there anyway, each right before its first use.
  void repeatCheap() {
    for (Operation *op : backward)
      for (Value operand : op->getOperands())
        if (isMade(operand))
          demanded.insert(operand.getDefiningOp());
    for (Operation *op : backward) {
      builder.setInsertionPoint(op);
      for (OpOperand &operand : op->getOpOperands())
        if (isMade(operand.get()) && isCheap(operand.get().getDefiningOp()))
          operand.set(repeated(operand.get()));
    }
  }

private:
  bool isMade(Value value) const { return made.contains(value.getDefiningOp()); }

  /// Costs little, and so does what it is computed from, unless the backward pass needs that itself.
  bool isCheap(Operation *op) {
    auto [known, isNew] = cheap.insert({op, false});
    if (!isNew)
      return known->second;
    bool result = !isCostly(op) && llvm::all_of(op->getOperands(), [&](Value v) {
      return !isMade(v) || demanded.contains(v.getDefiningOp()) || isCheap(v.getDefiningOp());
    });
    return cheap[op] = result;
  }

  /// The value, computed again; of cheap repetition, what is kept stays as it is.
  Value repeated(Value value) {
    Operation *op = value.getDefiningOp();
    if (!isMade(value) || (!demanded.empty() && !isCheap(op)))
      return value;
    auto found = again.find(op);
    if (found == again.end()) {
      SmallVector<Value> operands = llvm::map_to_vector(op->getOperands(), [&](Value v) { return repeated(v); });
      Operation *clone = builder.clone(*op);
      clone->setOperands(operands);
      setBackward(clone);
      clones.push_back(clone);
      found = again.insert({op, clone}).first;
    }
    return found->second->getResult(cast<OpResult>(value).getResultNumber());
  }

  Ops made, demanded;
  ArrayRef<Operation *> backward;
  OpBuilder builder;
  SmallVector<Operation *> clones;
  llvm::DenseMap<Operation *, Operation *> again;
  llvm::DenseMap<Operation *, bool> cheap;
};

/// How much a block recomputes, from nothing up.
enum class Level { None, Selective, Block };

void recompute(const Recomputation::Ops &forward, ArrayRef<Operation *> backward, Level level) {
  Recomputation::Ops made = forward;
  SmallVector<Operation *> repeated;
  if (level == Level::Block) {
    repeated = Recomputation(forward, backward).repeatAll();
    made = Recomputation::Ops(repeated.begin(), repeated.end());
  }
  if (level >= Level::Selective)
    Recomputation(made, backward).repeatCheap();
  // What is repeated later, where it is used, needn't be there from the block's start.
  for (Operation *op : llvm::reverse(repeated))
    if (op->use_empty())
      op->erase();
}

struct Rematerialize : zp::nn::impl::RematerializePassBase<Rematerialize> {
  void runOnOperation() override {
    FailureOr<zp::JobSettings> settings = zp::readSettings(getOperation());
    if (failed(settings))
      return signalPassFailure();
    Level level = settings->rematerialize == "block" ? Level::Block : settings->rematerialize == "selective" ? Level::Selective : Level::None;
    if (level == Level::None)
      return;
    int64_t blocks = settings->rematerialize_blocks;
    for (auto program : getOperation().getOps<ProgramOp>()) {
      int64_t head = 0;
      std::map<int64_t, SmallVector<Operation *>> backward;
      std::map<int64_t, Recomputation::Ops> forward;
      for (Operation &op : program.getBody().front()) {
        std::optional<int64_t> unit = unitOf(&op);
        head = std::max(head, unit.value_or(0));
        if (unit && isBackward(&op))
          backward[*unit].push_back(&op);
        else if (unit && !isa<ReadOp, InputOp>(op))
          forward[*unit].insert(&op);
      }
      for (auto &[unit, ops] : backward)
        if (unit > 0 && unit < head)
          recompute(forward[unit], ops, blocks < 0 || unit <= blocks ? level : static_cast<Level>(static_cast<int>(level) - 1));
    }
  }
};

} // namespace
