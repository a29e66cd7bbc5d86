#include "compiler/Transforms/Plan/Layout.h"
#include "compiler/Transforms/Plan/Passes.h"
#include "compiler/Transforms/Plan/Repetitions.h"

#include <map>

namespace zp::plan {
#define GEN_PASS_DEF_REUSERESULTSPASS
#include "compiler/Transforms/Plan/Passes.h.inc"
} // namespace zp::plan

using namespace mlir;
using namespace zp::plan;

namespace {

/// Products and attention first: free memory goes further with them than with norms and gates.
bool isCostly(Operation *op) { return isa<MatmulOp, NF4MatmulOp, AttentionOp, RopeOp>(op); }

/// An operand of the instruction at `at`, which holds its memory until `until`.
struct Touch {
  unsigned at, operand, until;
  bool reads, writes;
};

/// A buffer of the entry on the device, and all that touches it, in order.
struct Memory {
  BufferOp buffer;
  int64_t size = 0;
  std::vector<Touch> touches;

  unsigned until() const {
    unsigned last = 0;
    for (const Touch &touch : touches)
      last = std::max(last, touch.until);
    return last;
  }
  bool isReadBehind(unsigned at) const {
    return llvm::any_of(touches, [&](const Touch &touch) { return touch.at > at && touch.reads; });
  }
  bool isWrittenBehind(unsigned at) const {
    return llvm::any_of(touches, [&](const Touch &touch) { return touch.at > at && touch.writes; });
  }
};

class Reuse {
public:
  Reuse(EntryOp entry, int64_t most) : live(liveBytes(entry, livesOf(entry, Tier::Device))), most(most) {
    for (Operation &op : entry.getBody().front())
      ops.push_back(&op);
    for (Operation *op : ops)
      if (auto buffer = dyn_cast<BufferOp>(op); buffer && buffer.getTier() == Tier::Device)
        memories[buffer.getSymNameAttr()] = {buffer, aligned(buffer.getBytes(), Tier::Device), {}};
    for (unsigned at = 0; at < ops.size(); ++at)
      for (auto [operand, access] : llvm::enumerate(accessesAt(at)))
        if (auto found = access.memory ? memories.find(bufferOf(access.memory)) : memories.end(); found != memories.end()) {
          found->second.touches.push_back({at, static_cast<unsigned>(operand), heldUntil(ops, at), readsOld(ops[at], access), access.writes});
          places[{at, operand}] = &found->second;
        }
  }

  /// Whether anything was left out.
  bool run() {
    const std::vector<Repetition> repetitions = repetitionsOf(ops);
    for (bool costly : {true, false})
      for (Repetition repetition : repetitions)
        if (isCostly(ops[repetition.at]) == costly)
          leaveOut(repetition);
    if (left.empty())
      return false;
    leaveOutUnread();
    rewrite();
    return true;
  }

private:
  SmallVector<Access> accessesAt(unsigned at) const {
    auto instruction = dyn_cast<InstructionOpInterface>(ops[at]);
    return instruction ? instruction.getAccesses() : SmallVector<Access>();
  }
  Memory *placeOf(unsigned at, unsigned operand) const { return places.lookup({at, operand}); }

  /// Leaves the instruction out, if what the one before it wrote is still there and may stay as long as somebody wants it. If not, later ones
  /// are held against this one.
  void leaveOut(Repetition repetition) {
    const unsigned at = repetition.at, before = holders.try_emplace(repetition.first, repetition.first).first->second;
    SmallVector<std::pair<Memory *, Memory *>> moves;
    const SmallVector<Access> mine = accessesAt(at), theirs = accessesAt(before);
    for (auto [operand, access] : llvm::enumerate(mine)) {
      if (!access.memory || !access.writes)
        continue;
      Memory *from = placeOf(at, operand), *to = placeOf(before, operand);
      if (from && !from->isReadBehind(at) && !from->isWrittenBehind(at))
        continue; // scratch
      if (!from || !to || viewOf(access.memory).getOffset() != viewOf(theirs[operand].memory).getOffset() || !hasKept(*to, before, at) ||
          !mayBecome(*to, *from, at)) {
        holders[repetition.first] = at;
        return;
      }
      moves.push_back({from, to});
    }
    if (!hasRoom(moves, at)) {
      holders[repetition.first] = at;
      return;
    }
    for (auto [from, to] : moves)
      move(*from, *to, at);
    drop(at);
  }

  static bool hasKept(const Memory &memory, unsigned since, unsigned at) {
    return llvm::none_of(memory.touches, [&](const Touch &touch) { return touch.writes && touch.at > since && touch.at < at; });
  }
  /// Whether what touches `from` behind `at` may touch `to` instead.
  static bool mayBecome(const Memory &to, const Memory &from, unsigned at) {
    return to.size == from.size && &to != &from && !to.isWrittenBehind(at) && (to.until() < at || !from.isWrittenBehind(at));
  }
  bool hasRoom(ArrayRef<std::pair<Memory *, Memory *>> moves, unsigned at) const {
    SmallVector<std::pair<unsigned, int64_t>> longer; // from where on, and how many bytes
    for (auto [from, to] : moves)
      longer.push_back({to->until() + 1, to->size});
    for (auto [begin, size] : longer)
      for (unsigned i = begin; i < at; ++i) {
        int64_t bytes = live[i];
        for (auto [other, more] : longer)
          bytes += other <= i ? more : 0;
        if (bytes > most)
          return false;
      }
    return true;
  }
  /// From `at` on, one lives in the other's stead.
  void move(Memory &from, Memory &to, unsigned at) {
    for (unsigned i = to.until() + 1; i < at; ++i)
      live[i] += to.size;
    auto behind = llvm::find_if(from.touches, [&](const Touch &touch) { return touch.at > at; });
    for (auto touch = behind; touch != from.touches.end(); ++touch)
      places[{touch->at, touch->operand}] = &to;
    to.touches.insert(to.touches.end(), behind, from.touches.end());
    from.touches.erase(behind, from.touches.end());
    llvm::stable_sort(to.touches, [](const Touch &a, const Touch &b) { return a.at < b.at; });
  }

  void drop(unsigned at) {
    left.insert(at);
    for (unsigned operand = 0; operand < accessesAt(at).size(); ++operand)
      if (Memory *memory = placeOf(at, operand)) {
        llvm::erase_if(memory->touches, [&](const Touch &touch) { return touch.at == at; });
        places.erase({at, operand});
      }
  }

  /// What only those have read that were left out.
  void leaveOutUnread() {
    for (unsigned at = static_cast<unsigned>(ops.size()); at-- > 0;) {
      if (!isKernel(ops[at]) || left.contains(at))
        continue;
      bool wanted = false;
      for (auto [operand, access] : llvm::enumerate(accessesAt(at)))
        if (access.memory && access.writes) {
          const Memory *memory = placeOf(at, operand);
          wanted |= !memory || memory->isReadBehind(at);
        }
      if (!wanted)
        drop(at);
    }
  }

  void rewrite() {
    for (auto [place, memory] : places) {
      Operation *op = ops[place.first];
      const Value old = accessesAt(place.first)[place.second].memory;
      if (bufferOf(old) == memory->buffer.getSymNameAttr())
        continue;
      OpBuilder b(op);
      Value window = ViewOp::create(b, op->getLoc(), cast<MemRefType>(old.getType()), FlatSymbolRefAttr::get(memory->buffer.getSymNameAttr()),
                                    viewOf(old).getOffsetAttr());
      for (OpOperand &operand : op->getOpOperands())
        if (operand.get() == old)
          operand.set(window);
    }
    for (unsigned at : left)
      ops[at]->erase();
  }

  std::vector<Operation *> ops;
  llvm::DenseMap<StringAttr, Memory> memories;
  llvm::DenseMap<std::pair<unsigned, unsigned>, Memory *> places; // of operands, by instruction
  llvm::DenseMap<unsigned, unsigned> holders;                     // by the first of repetitions: whose results later ones are held against
  llvm::DenseSet<unsigned> left;                                  // out
  std::vector<int64_t> live;
  int64_t most;
};

struct ReuseResults : zp::plan::impl::ReuseResultsPassBase<ReuseResults> {
  void runOnOperation() override {
    const Fullest fullest = fullestOf(getOperation(), Tier::Device);
    for (auto entry : llvm::make_early_inc_range(getOperation().getOps<EntryOp>()))
      if (entry.getKind() == EntryKind::TrainStep && repeats(entry))
        for (int64_t unused : {int64_t{0}, fullest.live / kUnusedParts[0], fullest.live / kUnusedParts[1]})
          if (changeIfPlaced(entry, fullest.ample(), [&](EntryOp trial) { return Reuse(trial, fullest.live - unused).run(); }))
            break;
  }

  static bool repeats(EntryOp entry) {
    return !repetitionsOf(llvm::map_to_vector(entry.getBody().front(), [](Operation &op) { return &op; })).empty();
  }
};

} // namespace
