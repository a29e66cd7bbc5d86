#include "compiler/Support/Settings.h"
#include "compiler/Support/Storage.h"
#include "compiler/Transforms/Zero/Passes.h"
#include "compiler/Transforms/Zero/Sections.h"

#include <map>

namespace zp::zero {
#define GEN_PASS_DEF_PARTITIONSTATEPASS
#include "compiler/Transforms/Zero/Passes.h.inc"
} // namespace zp::zero

using namespace mlir;
using namespace zp::zero;
namespace nn = zp::nn;

namespace {

constexpr int64_t kGranuleBytes = 256; // alignment of a slot, and what a slice is a multiple of

int64_t roundUp(int64_t value, int64_t multiple) { return (value + multiple - 1) / multiple * multiple; }

struct PartitionState : zp::zero::impl::PartitionStatePassBase<PartitionState> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    FailureOr<zp::JobSettings> read = zp::readSettings(module);
    if (failed(read))
      return signalPassFailure();
    settings = *read;
    Type compute = zp::computeType(settings, &getContext());
    // By unit and kind; what is in f32 beside a narrower compute type lives apart.
    std::map<std::tuple<int64_t, SectionKind, bool>, SmallVector<nn::ParameterOp>> groups;
    nn::ParameterOp last;
    for (auto parameter : module.getOps<nn::ParameterOp>()) {
      groups[{parameter.getUnit(), kindOf(parameter), parameter.getInF32() && !compute.isF32()}].push_back(parameter);
      last = parameter;
    }
    if (!last)
      return;
    OpBuilder b(&getContext());
    b.setInsertionPointAfter(last);
    SmallVector<Group> all;
    for (auto &[key, parameters] : groups) {
      auto [unit, kind, apart] = key;
      all.push_back(groupOf(unit, kind, std::move(parameters), apart ? Float32Type::get(&getContext()) : compute));
      all.back().apart = apart;
    }
    shareBuckets(all);
    SmallVector<SectionOp> sections;
    for (Group &group : all)
      sections.push_back(makeSection(b, group));
    makeInit(module, sections);
  }

  /// Parameters that will be one section.
  struct Group {
    int64_t unit, lastUnit;
    SectionKind kind;
    Type element;
    SmallVector<nn::ParameterOp> parameters;
    int64_t elements;   ///< with padding between parameters
    bool whole;         ///< every rank keeps all values
    bool apart = false; ///< in f32, unlike others of its unit and kind
  };

  int64_t granuleOf(Type element) const { return zp::granuleOf(element, kGranuleBytes); }

  Group groupOf(int64_t unit, SectionKind kind, SmallVector<nn::ParameterOp> parameters, Type element) const {
    Group group{unit, unit, kind, element, std::move(parameters), 0, false};
    if (kind == SectionKind::Codes)
      group.element = cast<ShapedType>(group.parameters.front().getType()).getElementType();
    for (nn::ParameterOp parameter : group.parameters)
      group.elements += roundUp(cast<ShapedType>(parameter.getType()).getNumElements(), granuleOf(group.element));
    int64_t padded = roundUp(group.elements, granuleOf(group.element) * settings.num_processes);
    group.whole = settings.zero_stage < 3 || padded <= settings.stage3_param_persistence_threshold;
    return group;
  }

  /// Units whose trainables stay whole, in device memory, join the one before, as far as a bucket holds them: one collective
  /// then serves them all.
  void shareBuckets(SmallVector<Group> &groups) const {
    SmallVector<Group> shared;
    Group *opened[2] = {};
    shared.reserve(groups.size());
    for (Group &group : groups) {
      Group *&open = opened[group.apart];
      bool joins = group.kind == SectionKind::Trainable && group.whole && settings.num_processes > 1 && settings.offload_param_device == "none";
      if (joins && open && open->elements + group.elements <= settings.reduce_bucket_size) {
        open->parameters.append(group.parameters);
        open->elements += group.elements;
        open->lastUnit = group.unit;
        continue;
      }
      shared.push_back(std::move(group));
      if (shared.back().kind == SectionKind::Trainable)
        open = joins ? &shared.back() : nullptr;
    }
    groups = std::move(shared);
  }

  static SectionKind kindOf(nn::ParameterOp parameter) {
    if (parameter.getTrainable())
      return SectionKind::Trainable;
    return zp::quantRecordsOf(cast<ShapedType>(parameter.getType()).getElementType()) ? SectionKind::Codes : SectionKind::Frozen;
  }

  SectionOp makeSection(OpBuilder &b, Group &group) const {
    bool trainable = group.kind == SectionKind::Trainable;
    // Decayed parameters first: one boundary then says who is decayed.
    llvm::stable_sort(group.parameters, [](nn::ParameterOp x, nn::ParameterOp y) { return x.getDecayed() && !y.getDecayed(); });
    int64_t granule = granuleOf(group.element), offset = 0, decayEnd = 0;
    SmallVector<Attribute> slots;
    for (nn::ParameterOp parameter : group.parameters) {
      slots.push_back(SlotAttr::get(b.getContext(), FlatSymbolRefAttr::get(parameter.getSymNameAttr()), offset));
      offset = roundUp(offset + cast<ShapedType>(parameter.getType()).getNumElements(), granule);
      if (parameter.getDecayed())
        decayEnd = offset;
    }
    int64_t ranks = settings.num_processes, stage = settings.zero_stage, elements = roundUp(group.elements, granule * ranks);
    // A gradient that is reduced once stays whole on every rank while micro-batches add to it.
    bool once = settings.reduce_gradients == "step" && settings.gradient_accumulation_steps > 1;
    auto flag = [&](bool set) { return set && ranks > 1 ? b.getUnitAttr() : UnitAttr(); };
    auto tier = [&](StringRef device) { return TierAttr::get(b.getContext(), tierOf(device)); };
    std::string units =
        group.unit == group.lastUnit ? std::to_string(group.unit) : std::to_string(group.unit) + "_to_" + std::to_string(group.lastUnit);
    std::string name = ("unit" + Twine(units) + "." + stringifySectionKind(group.kind) + (group.apart ? "_f32" : "")).str();
    return SectionOp::create(b, group.parameters.front().getLoc(), b.getStringAttr(name), b.getI64IntegerAttr(group.unit),
                             SectionKindAttr::get(b.getContext(), group.kind), TypeAttr::get(flat(elements, group.element)), b.getArrayAttr(slots),
                             b.getI64IntegerAttr(ranks), b.getI64IntegerAttr(trainable ? decayEnd : 0), flag(!group.whole),
                             flag(trainable && stage >= 2 && !once), flag(trainable && stage >= 1), tier(settings.offload_param_device),
                             tier(trainable ? settings.offload_optimizer_device : "none"));
  }

  void makeInit(ModuleOp module, ArrayRef<SectionOp> sections) {
    OpBuilder b(module.getBody(), module.getBody()->end());
    auto init = nn::ProgramOp::create(b, module.getLoc(), "init", nn::ProgramKind::Init, 0, 0);
    b.setInsertionPointToStart(&init.getBody().emplaceBlock());
    for (SectionOp section : sections)
      LoadOp::create(b, section.getLoc(), symbolOf(section));
    for (auto state : module.getOps<nn::StateOp>())
      nn::ClearStateOp::create(b, state.getLoc(), FlatSymbolRefAttr::get(state.getSymNameAttr()));
  }

  zp::JobSettings settings;
};

} // namespace
