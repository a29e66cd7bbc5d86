#include "compiler/Transforms/NN/Passes.h"
#include "compiler/Transforms/NN/Programs.h"

#include <cmath>

#include "llvm/ADT/StringSet.h"

namespace zp::nn {
#define GEN_PASS_DEF_ATTACHADAPTERSPASS
#include "compiler/Transforms/NN/Passes.h.inc"
} // namespace zp::nn

using namespace mlir;
using namespace zp::nn;

namespace {

/// The frontend's `adapter` dictionary, decoded.
struct Adapter {
  int64_t rank, site, generatorOffset;
  double scaling, dropout;
  llvm::StringRef initial; // uniform, normal, both_uniform
};

FailureOr<Adapter> decode(LinearOp linear) {
  DictionaryAttr d = *linear.getAdapter();
  auto rank = d.getAs<IntegerAttr>("rank"), site = d.getAs<IntegerAttr>("site"), offset = d.getAs<IntegerAttr>("generator_offset");
  auto scaling = d.getAs<FloatAttr>("scaling"), dropout = d.getAs<FloatAttr>("dropout");
  auto initial = d.getAs<StringAttr>("initial");
  if (!rank || rank.getInt() <= 0 || !site || !offset || !scaling || !dropout || !initial || !linear.getModule())
    return linear.emitOpError("adapter needs rank > 0, site, generator_offset, scaling, dropout, initial, and the linear a module");
  return Adapter{rank.getInt(), site.getInt(), offset.getInt(), scaling.getValueAsDouble(), dropout.getValueAsDouble(), initial.getValue()};
}

class Attacher {
public:
  explicit Attacher(ModuleOp module) : module(module) {}

  /// `rows` of the program: its linears don't all have as many tokens of a row.
  LogicalResult attach(LinearOp linear, Value scalars, int64_t rows) {
    FailureOr<Adapter> adapter = decode(linear);
    if (failed(adapter))
      return failure();
    std::optional<int64_t> unit = unitOf(linear);
    if (!unit)
      return linear.emitOpError("has no nn.unit");
    Location loc = linear.getLoc();
    auto xType = cast<RankedTensorType>(linear.getX().getType()), yType = cast<RankedTensorType>(linear.getType());
    int64_t in = xType.getDimSize(1), out = yType.getDimSize(1), rank = adapter->rank;
    Type element = xType.getElementType();
    std::string module = linear.getModule()->str();
    // formats.md 4.4: kaiming with a = sqrt(5), in the reference's own order of roundings.
    bool normal = adapter->initial == "normal", both = adapter->initial == "both_uniform";
    inF32 = isInF32(linear.getWeight());
    double boundA =
        normal ? 1.0 / static_cast<double>(rank) : static_cast<float>(std::sqrt(3.0) * (std::sqrt(1.0 / 3.0) / std::sqrt(static_cast<double>(in))));
    double boundB = static_cast<float>(std::sqrt(3.0) * (std::sqrt(1.0 / 3.0) / std::sqrt(static_cast<double>(rank))));
    FlatSymbolRefAttr a =
        declare(loc, module + ".lora_A.weight", {rank, in}, *unit, normal ? Initial::Normal : Initial::Uniform, boundA, adapter->generatorOffset);
    FlatSymbolRefAttr b = declare(loc, module + ".lora_B.weight", {out, rank}, *unit, both ? Initial::Uniform : Initial::Zero, both ? boundB : 0.0,
                                  both ? adapter->generatorOffset + rank * in : 0);

    OpBuilder builder(linear);
    builder.setInsertionPointAfter(linear);
    Value x = linear.getX();
    Operation *last = linear;
    auto placed = [&](Operation *op) {
      setUnit(op, unit);
      last = op;
      return op->getResult(0);
    };
    if (adapter->dropout > 0) {
      if (!scalars)
        return linear.emitOpError("an adapter with dropout needs the program's input `scalars`");
      x = placed(DropoutOp::create(builder, loc, xType, x, scalars, builder.getF64FloatAttr(adapter->dropout),
                                   builder.getI64IntegerAttr(adapter->site), builder.getI64IntegerAttr(xType.getDimSize(0) / rows)));
    }
    Value wa = placed(ReadOp::create(builder, loc, RankedTensorType::get({rank, in}, element), a));
    Value hidden = placed(linearOf(builder, loc, x, wa, {xType.getDimSize(0), rank}));
    Value wb = placed(ReadOp::create(builder, loc, RankedTensorType::get({out, rank}, element), b));
    Value delta = placed(linearOf(builder, loc, hidden, wb, yType.getShape()));
    Value scaled = placed(ScaleOp::create(builder, loc, yType, delta, builder.getF64FloatAttr(adapter->scaling)));
    Value sum = placed(AddOp::create(builder, loc, yType, linear.getResult(), scaled));
    linear.getResult().replaceAllUsesExcept(sum, last);
    linear.removeAdapterAttr();
    return success();
  }

private:
  /// Of a weight that a parameter is read for.
  bool isInF32(Value weight) const {
    auto read = weight.getDefiningOp<ReadOp>();
    auto parameter = read ? SymbolTable::lookupNearestSymbolFrom<ParameterOp>(read, read.getParameterAttr()) : ParameterOp();
    return parameter && parameter.getInF32();
  }

  FlatSymbolRefAttr declare(Location loc, const std::string &name, ArrayRef<int64_t> shape, int64_t unit, Initial initial, double bound,
                            int64_t offset) {
    auto symbol = FlatSymbolRefAttr::get(module.getContext(), name);
    if (!declared.insert(name).second)
      return symbol; // another program of the module uses the same adapter
    OpBuilder b = OpBuilder::atBlockBegin(module.getBody());
    if (anchor)
      b.setInsertionPointAfter(anchor);
    else
      for (auto parameter : module.getOps<ParameterOp>())
        b.setInsertionPointAfter(parameter);
    anchor = ParameterOp::create(b, loc, b.getStringAttr(name), TypeAttr::get(RankedTensorType::get(shape, b.getF32Type())),
                                 b.getI64IntegerAttr(unit), InitialAttr::get(module.getContext(), initial), StringAttr(),
                                 b.getStringAttr("base_model.model." + name), b.getUnitAttr(), b.getUnitAttr(), b.getF64FloatAttr(bound),
                                 b.getI64IntegerAttr(offset), inF32 ? b.getUnitAttr() : UnitAttr());
    return symbol;
  }
  static LinearOp linearOf(OpBuilder &b, Location loc, Value x, Value w, ArrayRef<int64_t> shape) {
    Type element = cast<RankedTensorType>(x.getType()).getElementType();
    return LinearOp::create(b, loc, RankedTensorType::get(shape, element), x, w);
  }

  ModuleOp module;
  bool inF32 = false; ///< of the linear at hand: its adapter is as its weight is
  ParameterOp anchor;
  llvm::StringSet<> declared;
};

struct AttachAdapters : zp::nn::impl::AttachAdaptersPassBase<AttachAdapters> {
  void runOnOperation() override {
    Attacher attacher(getOperation());
    for (auto program : getOperation().getOps<ProgramOp>()) {
      Value scalars = findInput(program, "scalars");
      for (auto linear : llvm::make_early_inc_range(program.getBody().front().getOps<LinearOp>()))
        if (linear.getAdapter() && failed(attacher.attach(linear, scalars, std::max<int64_t>(program.getRows(), 1))))
          return signalPassFailure();
    }
  }
};

} // namespace
