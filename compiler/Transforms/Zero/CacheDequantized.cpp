#include "compiler/Support/Settings.h"
#include "compiler/Support/Storage.h"
#include "compiler/Transforms/NN/Programs.h"
#include "compiler/Transforms/Zero/Passes.h"
#include "compiler/Transforms/Zero/Sections.h"
#include "dialects/NF4/IR/NF4Dialect.h"

#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/MapVector.h"

namespace zp::zero {
#define GEN_PASS_DEF_CACHEDEQUANTIZEDPASS
#include "compiler/Transforms/Zero/Passes.h.inc"
} // namespace zp::zero

using namespace mlir;
using namespace zp::zero;
namespace nn = zp::nn;
namespace nf4 = zp::nf4;

namespace {

/// A 4-bit weight that lies whole on the device from step to step, with all that reads it outside init.
struct Weight {
  SmallVector<SlotOp> slots;
  Type floats; ///< of what its readers compute in; null: they differ, or one reads the codes themselves
};

/// What an op would read instead of the codes; null when it reads the codes as such.
Type floatsReadBy(Operation *user, Value codes) {
  if (auto linear = dyn_cast<nf4::LinearOp>(user); linear && linear.getWeight() == codes)
    return getElementTypeOrSelf(linear.getX().getType());
  if (auto gradient = dyn_cast<nf4::LinearInputGradientOp>(user); gradient && gradient.getWeight() == codes)
    return getElementTypeOrSelf(gradient.getGradient().getType());
  if (auto dequantize = dyn_cast<nf4::DequantizeOp>(user))
    return getElementTypeOrSelf(dequantize.getResult().getType());
  return {};
}

struct CacheDequantized : zp::zero::impl::CacheDequantizedPassBase<CacheDequantized> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    FailureOr<zp::JobSettings> settings = zp::readSettings(module);
    if (failed(settings))
      return signalPassFailure();
    if (settings->dequant_cache_bytes == 0)
      return;
    nn::ProgramOp init = nn::findProgram(module, nn::ProgramKind::Init);
    llvm::MapVector<StringAttr, Weight> weights = findWeights(module, init);
    if (!init && !weights.empty()) {
      module.emitError("has sections and no program that loads them; run zero-partition-state first");
      return signalPassFailure();
    }
    int64_t left = settings->dequant_cache_bytes;
    for (auto &[name, weight] : weights) {
      if (!weight.floats)
        continue;
      auto codes = cast<RankedTensorType>(weight.slots.front().getResult().getType());
      auto type = RankedTensorType::get(codes.getShape(), weight.floats);
      if (zp::storedBytes(type) > left)
        continue; // a smaller one may still fit
      left -= zp::storedBytes(type);
      cache(weight, type, init);
    }
  }

  /// In the order in which programs use them.
  static llvm::MapVector<StringAttr, Weight> findWeights(ModuleOp module, nn::ProgramOp init) {
    llvm::MapVector<StringAttr, Weight> weights;
    for (auto program : module.getOps<nn::ProgramOp>()) {
      if (program == init)
        continue;
      for (auto slot : program.getBody().front().getOps<SlotOp>()) {
        auto type = cast<RankedTensorType>(slot.getResult().getType());
        // What is gathered or fetched first isn't here for long.
        if (!zp::quantRecordsOf(type.getElementType()) || !slot.getWhole().getDefiningOp<ValuesOp>())
          continue;
        auto [place, isNew] = weights.insert({slot.getParameterAttr().getAttr(), {}});
        Weight &weight = place->second;
        weight.slots.push_back(slot);
        for (Operation *user : slot.getResult().getUsers()) {
          Type floats = floatsReadBy(user, slot.getResult());
          weight.floats = isNew ? floats : weight.floats == floats ? floats : Type();
          isNew = false;
        }
      }
    }
    return weights;
  }

  /// The weight's floats are a state that init writes and everybody else reads.
  static void cache(Weight &weight, RankedTensorType type, nn::ProgramOp init) {
    SlotOp first = weight.slots.front();
    OpBuilder b(init);
    auto name = b.getStringAttr(first.getParameter() + ".floats");
    auto state = nn::StateOp::create(b, first.getLoc(), name, TypeAttr::get(type));
    state->setAttr(nn::NNDialect::kDequantizedAttr, b.getUnitAttr());
    b.setInsertionPointToEnd(&init.getBody().front());
    auto values = ValuesOp::create(b, first.getLoc(), first.getWhole().getType(), first.getSectionAttr());
    auto slot = SlotOp::create(b, first.getLoc(), first.getResult().getType(), values.getResult(), first.getSectionAttr(), first.getParameterAttr());
    auto floats = nf4::DequantizeOp::create(b, first.getLoc(), type, slot.getResult());
    nn::StoreStateOp::create(b, first.getLoc(), FlatSymbolRefAttr::get(name), floats.getResult());
    for (SlotOp used : weight.slots) {
      for (Operation *user : llvm::make_early_inc_range(used.getResult().getUsers()))
        replace(user, type, FlatSymbolRefAttr::get(name));
      auto whole = used.getWhole().getDefiningOp<ValuesOp>();
      used.erase();
      if (whole->use_empty())
        whole.erase();
    }
  }

  /// The user reads the state right before, so that no value lies between forward and backward pass.
  static void replace(Operation *user, RankedTensorType type, FlatSymbolRefAttr state) {
    OpBuilder b(user);
    Location loc = user->getLoc();
    auto load = nn::LoadStateOp::create(b, loc, type, state);
    Operation *made = load;
    if (auto linear = dyn_cast<nf4::LinearOp>(user))
      made = nn::LinearOp::create(b, loc, linear.getResult().getType(), linear.getX(), load.getValue(), linear.getBias(), linear.getAddend(),
                                  linear.getBranchX(), linear.getBranchWeight(), linear.getAlphaAttr(), linear.getModuleAttr(), DictionaryAttr(),
                                  linear.getBranchAlphaAttr());
    else if (auto gradient = dyn_cast<nf4::LinearInputGradientOp>(user))
      made = nn::LinearInputGradientOp::create(b, loc, gradient.getResult().getType(), gradient.getGradient(), load.getValue(), gradient.getAddend(),
                                               gradient.getBranchGradient(), gradient.getBranchWeight(), gradient.getAlphaAttr(),
                                               gradient.getBranchAlphaAttr());
    for (NamedAttribute attr : user->getDiscardableAttrs()) {
      made->setDiscardableAttr(attr.getName(), attr.getValue());
      load->setDiscardableAttr(attr.getName(), attr.getValue());
    }
    user->getResult(0).replaceAllUsesWith(made->getResult(0));
    user->erase();
  }
};

} // namespace
