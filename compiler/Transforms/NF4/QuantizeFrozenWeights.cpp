#include "compiler/Support/Settings.h"
#include "compiler/Support/Storage.h"
#include "compiler/Transforms/NF4/Passes.h"

namespace zp::nf4 {
#define GEN_PASS_DEF_QUANTIZEFROZENWEIGHTSPASS
#include "compiler/Transforms/NF4/Passes.h.inc"
} // namespace zp::nf4

using namespace mlir;
using namespace zp::nf4;
namespace nn = zp::nn;

namespace {

constexpr int64_t kBlockSize = 64; // what the reference's libraries make, without a choice
constexpr StringLiteral kSkipAttr = "nf4.skip";

bool isWeightOfLinear(OpOperand &use) {
  auto linear = dyn_cast<nn::LinearOp>(use.getOwner());
  return linear && use.getOperandNumber() == 1 && !linear->hasAttr(kSkipAttr);
}

struct QuantizeFrozenWeights : zp::nf4::impl::QuantizeFrozenWeightsPassBase<QuantizeFrozenWeights> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    FailureOr<zp::JobSettings> settings = zp::readSettings(module);
    if (failed(settings))
      return signalPassFailure();
    if (!settings->use_4bit_quantization)
      return;
    Type block = BlockType::get(&getContext(), kBlockSize, settings->bnb_4bit_quant_type == "fp4",
                                settings->use_nested_quant ? static_cast<int64_t>(zp::QuantRecords::kBlocks) : 0);
    llvm::DenseMap<StringAttr, SmallVector<nn::ReadOp>> reads;
    module.walk([&](nn::ReadOp read) { reads[read.getParameterAttr().getAttr()].push_back(read); });
    for (auto parameter : module.getOps<nn::ParameterOp>()) {
      ArrayRef<nn::ReadOp> mine = reads[parameter.getSymNameAttr()];
      bool usedByLinearsAlone =
          !mine.empty() && llvm::all_of(mine, [](nn::ReadOp read) { return !read->use_empty() && llvm::all_of(read->getUses(), isWeightOfLinear); });
      if (parameter.getTrainable() || !usedByLinearsAlone)
        continue;
      parameter.setTypeAttr(TypeAttr::get(cast<RankedTensorType>(parameter.getType()).clone(block)));
      for (nn::ReadOp read : mine)
        quantize(read, block);
    }
  }

  /// Each use dequantises for itself: where the floats are wanted is decided use by use.
  void quantize(nn::ReadOp read, Type block) {
    auto floats = cast<RankedTensorType>(read.getValue().getType());
    read.getValue().setType(floats.clone(block));
    for (OpOperand &use : llvm::make_early_inc_range(read->getUses())) {
      OpBuilder b(use.getOwner());
      auto dequantized = DequantizeOp::create(b, read.getLoc(), floats, read.getValue());
      if (Attribute unit = use.getOwner()->getAttr(nn::NNDialect::kUnitAttr))
        dequantized->setAttr(nn::NNDialect::kUnitAttr, unit);
      use.set(dequantized);
    }
  }
};

} // namespace
