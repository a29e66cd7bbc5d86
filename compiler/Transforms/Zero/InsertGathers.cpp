#include "compiler/Support/Settings.h"
#include "compiler/Support/Storage.h"
#include "compiler/Transforms/Zero/Passes.h"
#include "compiler/Transforms/Zero/Sections.h"
#include "compiler/Transforms/Zero/Stretches.h"

#include <map>

namespace zp::zero {
#define GEN_PASS_DEF_INSERTGATHERSPASS
#include "compiler/Transforms/Zero/Passes.h.inc"
} // namespace zp::zero

using namespace mlir;
using namespace zp::zero;
namespace nn = zp::nn;

namespace {

bool isBrought(SectionOp section) { return section.getValuesSharded() || section.getValuesTier() != Tier::Device; }

int64_t broughtBytes(const Stretch &stretch) {
  int64_t bytes = 0;
  for (Operation *section : stretch.brought)
    bytes += zp::storedBytes(cast<RankedTensorType>(cast<SectionOp>(section).getType()));
  return bytes;
}

/// The units whose sections stay between the forward and the backward pass: those that are separated by no more units than are
/// brought ahead of use anyway. Where a neighbour would have been fetched ahead, one that is there already takes the place.
llvm::DenseSet<Attribute> residentUnits(ArrayRef<Stretch> stretches, const zp::JobSettings &settings) {
  llvm::DenseSet<Attribute> resident;
  int64_t held = 0; // bytes of the units so far, while the one at the turn is in use
  for (size_t i = stretches.size(); i-- > 0;) {
    const Stretch &forward = stretches[i];
    if (forward.backward || !forward.unit)
      continue;
    llvm::SmallDenseSet<Attribute> between;
    size_t j = i + 1;
    for (; j < stretches.size() && stretches[j].unit != forward.unit; ++j)
      between.insert(stretches[j].unit);
    int64_t bytes = broughtBytes(forward);
    if (j == stretches.size() || static_cast<int64_t>(between.size()) > zp::unitsAhead(settings))
      continue;
    // The unit at the turn waits for nobody, hence is never held beside another.
    if (!between.empty())
      held += bytes;
    if (settings.prefetch_bytes && held > settings.prefetch_bytes)
      break;
    resident.insert(forward.unit);
  }
  return resident;
}

/// Uses that share one gather: of one section, by one unit, in one direction.
struct Group {
  Operation *section;
  int64_t unit;
  bool backward;
  bool operator<(const Group &o) const { return std::tie(section, unit, backward) < std::tie(o.section, o.unit, o.backward); }
};

class GatherInserter {
public:
  GatherInserter(nn::ProgramOp program, const SectionIndex &index) : program(program), index(index), builder(program.getContext()) {}

  LogicalResult run(const zp::JobSettings &settings) {
    SmallVector<nn::ReadOp> reads(program.getBody().front().getOps<nn::ReadOp>());
    resident = residentUnits(stretchesOf(program.getBody().front(), [&](Value value) { return bringer(value); }), settings);
    for (Operation &op : llvm::make_early_inc_range(program.getBody().front()))
      for (OpOperand &operand : op.getOpOperands())
        if (auto read = operand.get().getDefiningOp<nn::ReadOp>()) {
          SectionOp section = index.of(read.getParameterAttr());
          if (!section)
            return read.emitOpError("reads a parameter that has no slot; run zero-partition-state first");
          operand.set(slot(section, read, &op));
        }
    for (nn::ReadOp read : reads)
      read.erase();
    return success();
  }

private:
  /// The section that a read value comes from, if it has to be brought.
  Operation *bringer(Value value) const {
    auto read = value.getDefiningOp<nn::ReadOp>();
    SectionOp section = read ? index.of(read.getParameterAttr()) : SectionOp();
    return section && isBrought(section) ? section : nullptr;
  }

  /// The parameter's view for `user`, whose group is gathered right before the group's first user: `user`, if it is new.
  Value slot(SectionOp section, nn::ReadOp read, Operation *user) {
    auto unit = user->getAttrOfType<IntegerAttr>(nn::NNDialect::kUnitAttr);
    bool brought = isBrought(section), again = user->hasAttr(nn::NNDialect::kBackwardAttr) && !resident.contains(unit);
    Group group{section, brought && unit ? unit.getInt() : -1, brought && again};
    auto [whole, isNew] = wholes.insert({group, Value()});
    builder.setInsertionPoint(user);
    if (isNew)
      whole->second = gather(section, user);
    auto key = std::make_pair(whole->second, read.getParameterAttr().getAttr());
    Value &view = views[key];
    if (!view) {
      builder.setInsertionPointAfterValue(whole->second);
      view = SlotOp::create(builder, read.getLoc(), read.getType(), whole->second, symbolOf(section), read.getParameterAttr());
      inherit(view.getDefiningOp(), user);
    }
    return view;
  }

  Value gather(SectionOp section, Operation *user) {
    Location loc = section.getLoc();
    auto stored = flat(section.getStoredValues(), elementOf(section)), whole = flat(section.getElements(), elementOf(section));
    Value values = inherited(ValuesOp::create(builder, loc, stored, symbolOf(section)), user);
    bool fetched = section.getValuesTier() != Tier::Device, sharded = section.getValuesSharded();
    if (fetched)
      values = inherited(FetchOp::create(builder, loc, FutureType::get(builder.getContext(), stored), values), user);
    if (sharded)
      values = inherited(AllGatherOp::create(builder, loc, FutureType::get(builder.getContext(), whole), values, section.getRanksAttr()), user);
    return fetched || sharded ? inherited(WaitOp::create(builder, loc, whole, values), user) : values;
  }

  /// The op's result; the op is marked as the user's.
  template <typename OpT> static Value inherited(OpT op, Operation *user) {
    inherit(op, user);
    return op.getResult();
  }

  static void inherit(Operation *op, Operation *user) {
    for (StringRef name : {nn::NNDialect::kUnitAttr, nn::NNDialect::kBackwardAttr})
      if (Attribute attr = user->getAttr(name))
        op->setAttr(name, attr);
  }

  nn::ProgramOp program;
  const SectionIndex &index;
  OpBuilder builder;
  llvm::DenseSet<Attribute> resident;
  std::map<Group, Value> wholes;
  llvm::DenseMap<std::pair<Value, StringAttr>, Value> views;
};

struct InsertGathers : zp::zero::impl::InsertGathersPassBase<InsertGathers> {
  void runOnOperation() override {
    FailureOr<zp::JobSettings> settings = zp::readSettings(getOperation());
    if (failed(settings))
      return signalPassFailure();
    SectionIndex index(getOperation());
    for (auto program : getOperation().getOps<nn::ProgramOp>())
      if (failed(GatherInserter(program, index).run(*settings)))
        return signalPassFailure();
  }
};

} // namespace
