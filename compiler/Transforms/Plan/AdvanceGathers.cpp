#include "compiler/Support/Settings.h"
#include "compiler/Support/Targets.h"
#include "compiler/Transforms/Plan/Layout.h"
#include "compiler/Transforms/Plan/Passes.h"

#include <array>
#include <numeric>

namespace zp::plan {
#define GEN_PASS_DEF_ADVANCEGATHERSPASS
#include "compiler/Transforms/Plan/Passes.h.inc"
} // namespace zp::plan

using namespace mlir;
using namespace zp::plan;

namespace {

// Units that are brought ahead of use beside the one that is in any case.
constexpr size_t kFurther = 2;
constexpr std::array kTiers = {Tier::Device, Tier::Pinned, Tier::Host, Tier::Disk};
/// Bytes of each tier.
using Bytes = std::array<int64_t, kTiers.size()>;

/// What lives at each position of an entry's body.
using Profile = std::array<std::vector<int64_t>, kTiers.size()>;

Profile profileOf(EntryOp entry) {
  Profile profile;
  for (size_t t = 0; t < kTiers.size(); ++t)
    profile[t] = liveBytes(entry, livesOf(entry, kTiers[t]));
  return profile;
}

/// Starts a transfer or a collective that is awaited later.
bool isStart(Operation *op) { return op->hasAttr(kFutureAttr); }

/// Moves the starts of an entry up.
class Advancer {
public:
  Advancer(EntryOp entry, Profile profile, const Bytes &most, bool copyEngines)
      : body(entry.getBody().front()), live(std::move(profile)), most(most), copyEngines(copyEngines) {
    for (Operation &op : body)
      ops.push_back(&op);
    for (auto buffer : body.getOps<BufferOp>())
      own[buffer.getSymNameAttr()] = buffer;
    for (unsigned at = 0; at < ops.size(); ++at)
      if (auto instruction = dyn_cast<InstructionOpInterface>(ops[at]))
        for (Access access : instruction.getAccesses())
          if (access.memory && access.writes)
            firstWrite.insert({bufferOf(access.memory), at});
    places.resize(ops.size());
    std::iota(places.begin(), places.end(), 0u);
  }

  /// Whether any moved.
  bool run() {
    std::vector<unsigned> groups;     // of starts with no work between them: where the last of each was
    unsigned latest = 0, fetched = 0; // behind which no start goes, and nothing that is fetched
    bool grouped = false;
    for (unsigned at = 0; at < ops.size(); ++at) {
      if (!isa<InstructionOpInterface>(ops[at]))
        continue;
      grouped &= isStart(ops[at]);
      if (!isStart(ops[at]))
        continue;
      const unsigned end = endOf(at);
      if (bringsWeights(at, end)) {
        if (!grouped)
          groups.push_back(end);
        const auto before = llvm::ArrayRef(groups).drop_back();
        advance(at, end, before.take_back(kFurther), latest);
        latest = places[end];
        // What is fetched takes the room of a slice: it is on its way while the slice before is gathered.
        if (copyEngines && end != at) {
          advance(at, at, before.take_while([&](unsigned group) { return group < latest; }).take_back(1), fetched);
          fetched = places[at];
        }
        groups.back() = end;
        grouped = true;
      }
      at = end;
    }
    bool any = false;
    for (unsigned at = 0; at < ops.size(); ++at)
      any |= places[at] != at;
    if (any)
      reorder();
    return any;
  }

  void undo() {
    for (Operation *op : ops)
      op->moveBefore(&body, body.end());
  }

private:
  /// The last op of what is started with the one at `at`: what comes next may be gathered from there.
  unsigned endOf(unsigned at) const {
    auto future = ops[at]->getAttr(kFutureAttr);
    for (unsigned next = at + 1; next < ops.size(); ++next)
      if (isa<InstructionOpInterface>(ops[next]))
        return ops[next]->getAttr(kAfterAttr) == future ? next : at;
    return at;
  }

  /// From memory that this entry never writes to buffers that are first touched here.
  bool bringsWeights(unsigned at, unsigned end) const {
    if (!isa<CopyOp, AllGatherOp>(ops[end]))
      return false;
    for (unsigned i = at; i <= end; ++i)
      if (auto instruction = dyn_cast<InstructionOpInterface>(ops[i]))
        for (Access access : instruction.getAccesses()) {
          auto written = firstWrite.find(bufferOf(access.memory));
          if (own.contains(bufferOf(access.memory)) ? written == firstWrite.end() || written->second < at : written != firstWrite.end())
            return false;
        }
    return true;
  }

  /// Moves ops `at` to `end` up behind the first of `candidates` from where on there is room for their buffers, but not before `latest`.
  void advance(unsigned at, unsigned end, ArrayRef<unsigned> candidates, unsigned latest) {
    const Bytes more = ownBytes(at, end);
    const unsigned from = places[at] == at ? at : places[at] + 1; // where they start so far
    for (unsigned place : candidates) {
      place = std::max(place, latest);
      if (place >= from || !mayStartBehind(place, from, more))
        continue;
      std::fill(places.begin() + at, places.begin() + end + 1, place);
      for (size_t t = 0; t < kTiers.size(); ++t)
        for (unsigned i = place + 1; i < from; ++i)
          live[t][i] += more[t];
      return;
    }
  }

  /// Whether all that lives until `at` leaves room. Nothing goes ahead of a collective that is awaited where it stands.
  bool mayStartBehind(unsigned place, unsigned at, const Bytes &more) const {
    for (unsigned i = place + 1; i < at; ++i) {
      auto instruction = dyn_cast<InstructionOpInterface>(ops[i]);
      if (instruction && instruction.isCollective() && !isStart(ops[i]))
        return false;
      for (size_t t = 0; t < kTiers.size(); ++t)
        if (live[t][i] + more[t] > most[t])
          return false;
    }
    return true;
  }

  /// What the entry's own buffers take that ops `at` to `end` touch.
  Bytes ownBytes(unsigned at, unsigned end) const {
    Bytes bytes{};
    llvm::SmallDenseSet<StringAttr> counted;
    for (unsigned i = at; i <= end; ++i)
      if (auto instruction = dyn_cast<InstructionOpInterface>(ops[i]))
        for (Access access : instruction.getAccesses())
          if (BufferOp buffer = own.lookup(bufferOf(access.memory)); buffer && counted.insert(buffer.getSymNameAttr()).second)
            bytes[llvm::find(kTiers, buffer.getTier()) - kTiers.begin()] += aligned(buffer.getBytes(), buffer.getTier());
    return bytes;
  }

  void reorder() {
    std::vector<SmallVector<unsigned>> behind(ops.size());
    for (unsigned at = 0; at < ops.size(); ++at)
      if (places[at] != at)
        behind[places[at]].push_back(at);
    for (unsigned at = 0; at < ops.size(); ++at) {
      if (places[at] == at)
        append(ops[at]);
      for (unsigned i : behind[at])
        append(ops[i]);
    }
  }

  /// Buffers go before their windows, windows before what first names them.
  void append(Operation *op) {
    if (!appended.insert(op).second)
      return;
    for (Value operand : op->getOperands())
      append(operand.getDefiningOp());
    if (auto view = dyn_cast<ViewOp>(op))
      if (BufferOp buffer = own.lookup(view.getBufferAttr().getAttr()))
        append(buffer);
    op->moveBefore(&body, body.end());
  }

  Block &body;
  std::vector<Operation *> ops;
  Profile live;
  const Bytes &most;
  llvm::DenseMap<StringAttr, BufferOp> own;
  llvm::DenseMap<StringAttr, unsigned> firstWrite;
  const bool copyEngines;
  std::vector<unsigned> places; // of each op: its own position, or that of the op behind which it goes
  llvm::DenseSet<Operation *> appended;
};

struct AdvanceGathers : zp::plan::impl::AdvanceGathersPassBase<AdvanceGathers> {
  void runOnOperation() override {
    FailureOr<zp::JobSettings> settings = zp::readSettings(getOperation());
    if (failed(settings))
      return signalPassFailure();
    if (settings->prefetch_distance >= 0 || settings->prefetch_bytes > 0)
      return;
    Bytes most{};
    int64_t arena = 0;
    for (auto entry : getOperation().getOps<EntryOp>()) {
      const Profile profile = profileOf(entry);
      for (size_t t = 0; t < kTiers.size(); ++t)
        for (int64_t bytes : profile[t]) // an entry may be empty
          most[t] = std::max(most[t], bytes);
      arena = std::max(arena, EntryLayout(entry, Tier::Device).place(0, arena));
    }
    const int64_t ample = arena + toleratedGaps(arena);
    for (auto entry : getOperation().getOps<EntryOp>())
      for (int64_t gaps : kUnusedParts) {
        Bytes usable = most;
        for (int64_t &bytes : usable)
          bytes -= bytes / gaps;
        Advancer advancer(entry, profileOf(entry), usable, zp::targetOf(getOperation()).copyEngines);
        if (!advancer.run() || EntryLayout(entry, Tier::Device).place(0, ample) <= ample)
          break;
        advancer.undo();
      }
  }
};

} // namespace
