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
    std::map<std::pair<int64_t, SectionKind>, SmallVector<nn::ParameterOp>> groups; // by unit
    nn::ParameterOp last;
    for (auto parameter : module.getOps<nn::ParameterOp>()) {
      groups[{parameter.getUnit(), kindOf(parameter)}].push_back(parameter);
      last = parameter;
    }
    if (!last)
      return;
    Type compute = settings.bf16 ? Type(BFloat16Type::get(&getContext())) : Type(Float32Type::get(&getContext()));
    OpBuilder b(&getContext());
    b.setInsertionPointAfter(last);
    SmallVector<SectionOp> sections;
    for (auto &[key, parameters] : groups)
      sections.push_back(makeSection(b, key.first, key.second, parameters, compute));
    makeInit(module, sections);
  }

  static SectionKind kindOf(nn::ParameterOp parameter) {
    if (parameter.getTrainable())
      return SectionKind::Trainable;
    return zp::quantRecordsOf(cast<ShapedType>(parameter.getType()).getElementType()) ? SectionKind::Codes : SectionKind::Frozen;
  }

  SectionOp makeSection(OpBuilder &b, int64_t unit, SectionKind kind, SmallVector<nn::ParameterOp> parameters, Type compute) {
    bool trainable = kind == SectionKind::Trainable;
    Type element = kind == SectionKind::Codes ? cast<ShapedType>(parameters.front().getType()).getElementType() : compute;
    // Decayed parameters first: one boundary then says who is decayed.
    llvm::stable_sort(parameters, [](nn::ParameterOp x, nn::ParameterOp y) { return x.getDecayed() && !y.getDecayed(); });
    int64_t granule = zp::granuleOf(element, kGranuleBytes), offset = 0, decayEnd = 0;
    SmallVector<Attribute> slots;
    for (nn::ParameterOp parameter : parameters) {
      slots.push_back(SlotAttr::get(b.getContext(), FlatSymbolRefAttr::get(parameter.getSymNameAttr()), offset));
      offset = roundUp(offset + cast<ShapedType>(parameter.getType()).getNumElements(), granule);
      if (parameter.getDecayed())
        decayEnd = offset;
    }
    int64_t ranks = settings.num_processes, stage = settings.zero_stage, elements = roundUp(offset, granule * ranks);
    bool whole = stage < 3 || elements <= settings.stage3_param_persistence_threshold;
    auto flag = [&](bool set) { return set && ranks > 1 ? b.getUnitAttr() : UnitAttr(); };
    auto tier = [&](StringRef device) { return TierAttr::get(b.getContext(), tierOf(device)); };
    std::string name = ("unit" + Twine(unit) + "." + stringifySectionKind(kind)).str();
    return SectionOp::create(b, parameters.front().getLoc(), b.getStringAttr(name), b.getI64IntegerAttr(unit),
                             SectionKindAttr::get(b.getContext(), kind),
                             TypeAttr::get(flat(elements, element)), b.getArrayAttr(slots), b.getI64IntegerAttr(ranks),
                             b.getI64IntegerAttr(trainable ? decayEnd : 0), flag(!whole), flag(trainable && stage >= 2), flag(trainable && stage >= 1),
                             tier(settings.offload_param_device), tier(trainable ? settings.offload_optimizer_device : "none"));
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
