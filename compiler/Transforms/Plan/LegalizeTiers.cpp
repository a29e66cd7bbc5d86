#include "compiler/Transforms/Plan/Passes.h"

namespace zp::plan {
#define GEN_PASS_DEF_LEGALIZETIERSPASS
#include "compiler/Transforms/Plan/Passes.h.inc"
} // namespace zp::plan

using namespace mlir;
using namespace zp::plan;

namespace {

/// Where an instruction's operands have to be: kernels work in one memory, a disk is only copied from and to.
class Legalizer {
public:
  explicit Legalizer(ModuleOp module) {
    for (auto buffer : module.getOps<BufferOp>())
      modules[buffer.getSymNameAttr()] = buffer;
  }

  void run(EntryOp entry) {
    own.clear();
    for (auto buffer : entry.getBody().front().getOps<BufferOp>())
      own[buffer.getSymNameAttr()] = buffer;
    for (Operation &op : llvm::make_early_inc_range(entry.getBody().front()))
      if (auto instruction = dyn_cast<InstructionOpInterface>(op); instruction && !isa<CopyOp, RecordEventOp, WaitEventOp>(op))
        legalize(instruction);
  }

private:
  BufferOp bufferOf(Value memory) const {
    StringAttr name = memory.getDefiningOp<ViewOp>().getBufferAttr().getAttr();
    BufferOp buffer = own.lookup(name);
    return buffer ? buffer : modules.lookup(name);
  }
  Tier tierOf(Value memory) const { return bufferOf(memory).getTier(); }
  static int64_t bytesOf(Value memory) {
    auto type = cast<MemRefType>(memory.getType());
    return (type.getNumElements() * type.getElementTypeBitWidth() + 7) / 8;
  }

  /// Device, unless most of what the instruction touches lives outside it: then its work is done there.
  Tier homeOf(InstructionOpInterface instruction) const {
    if (instruction.isCollective())
      return Tier::Device;
    int64_t device = 0, host = 0;
    bool writesHost = false;
    for (Access access : instruction.getAccesses())
      if (access.memory) {
        bool inside = tierOf(access.memory) == Tier::Device;
        (inside ? device : host) += bytesOf(access.memory);
        writesHost |= !inside && access.writes;
      }
    return host > device || (host == device && writesHost) ? Tier::Host : Tier::Device;
  }

  void legalize(InstructionOpInterface instruction) {
    Tier home = homeOf(instruction);
    OpBuilder before(instruction), after(instruction->getContext());
    after.setInsertionPointAfter(endOf(instruction));
    llvm::DenseMap<Value, Value> moved;
    for (Access access : instruction.getAccesses()) {
      if (!access.memory || tierOf(access.memory) == home)
        continue;
      Value &place = moved[access.memory];
      bool isNew = !place;
      if (isNew)
        place = temporary(before, instruction, access.memory, home);
      if (access.reads && isNew)
        CopyOp::create(before, instruction->getLoc(), access.memory, place, int64_t(0));
      if (access.writes)
        CopyOp::create(after, instruction->getLoc(), place, access.memory, int64_t(0));
    }
    for (OpOperand &operand : instruction->getOpOperands())
      if (Value place = moved.lookup(operand.get()))
        operand.set(place);
  }

  /// Where the instruction has done its work: itself, or the wait for what it started.
  static Operation *endOf(Operation *instruction) {
    auto future = instruction->getAttrOfType<IntegerAttr>(kFutureAttr);
    Operation *op = instruction;
    while (future && op && !(isa<WaitEventOp>(op) && static_cast<int64_t>(cast<WaitEventOp>(op).getEvent()) == future.getInt()))
      op = op->getNextNode();
    return op ? op : instruction;
  }

  Value temporary(OpBuilder &b, Operation *instruction, Value memory, Tier tier) {
    std::string name = "tier" + std::to_string(made++);
    auto buffer = BufferOp::create(b, instruction->getLoc(), name, bytesOf(memory), tier, BufferKind::Communication, IntegerAttr());
    own[buffer.getSymNameAttr()] = buffer;
    return ViewOp::create(b, instruction->getLoc(), cast<MemRefType>(memory.getType()), FlatSymbolRefAttr::get(buffer.getSymNameAttr()),
                          b.getI64IntegerAttr(0));
  }

  llvm::DenseMap<StringAttr, BufferOp> modules, own;
  int64_t made = 0;
};

struct LegalizeTiers : zp::plan::impl::LegalizeTiersPassBase<LegalizeTiers> {
  void runOnOperation() override {
    Legalizer legalizer(getOperation());
    for (auto entry : getOperation().getOps<EntryOp>())
      legalizer.run(entry);
  }
};

} // namespace
