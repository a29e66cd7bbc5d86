#include "compiler/Support/Settings.h"
#include "compiler/Transforms/NN/Passes.h"
#include "compiler/Transforms/NN/Programs.h"

#include "mlir/IR/IRMapping.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace zp::nn {
#define GEN_PASS_DEF_BUILDGENERATIONPASS
#include "compiler/Transforms/NN/Passes.h.inc"
} // namespace zp::nn

using namespace mlir;
using namespace zp::nn;

namespace {

/// The shape of a generating program: `rows` prompts, `length` new tokens of each, a cache of `places` tokens of each.
struct Shape {
  int64_t rows, length, places;
  int64_t tokens() const { return rows * length; }
};

/// Copies train_step's forward ops for another number of tokens, attention by way of the caches.
class GenerationBuilder {
public:
  GenerationBuilder(ProgramOp train, StringRef name, ProgramKind kind, Shape shape)
      : train(train), shape(shape), trainTokens(static_cast<int64_t>(train.getRows() * train.getLength())), builder(train) {
    program = ProgramOp::create(builder, train.getLoc(), name, kind, shape.rows, shape.length);
    builder.setInsertionPointToStart(&program.getBody().emplaceBlock());
  }

  LogicalResult build() {
    for (Operation &op : train.getBody().front())
      if (failed(copy(op)))
        return failure();
    removeUnused();
    return success();
  }

private:
  LogicalResult copy(Operation &op) {
    if (isa<AddStateOp>(op))
      return success();
    if (auto dropout = dyn_cast<DropoutOp>(op))
      return map.map(dropout.getResult(), map.lookup(dropout.getX())), success();
    if (auto attention = dyn_cast<AttentionOp>(op))
      return attend(attention);
    if (isa<RelativeBiasOp, AlibiTableOp>(op))
      return biasOfPlaces(&op), success();
    if (auto loss = dyn_cast<LinearCrossEntropyOp>(op))
      return program.getKind() == ProgramKind::Decode ? giveLogits(loss) : success();
    Operation *made = builder.clone(op, map);
    // Whatever comes of the program's inputs has its tokens, or so many rows for each of them, in the first dim.
    bool ofTokens = isa<InputOp>(op) || llvm::any_of(made->getOperands(), [&](Value value) { return perToken.contains(value); });
    if (!ofTokens)
      return success();
    for (Value result : made->getResults()) {
      auto type = cast<RankedTensorType>(result.getType());
      if (auto input = dyn_cast<InputOp>(op); input && input.getName() == "scalars")
        return success();
      SmallVector<int64_t> dims(type.getShape());
      if (dims.empty() || dims[0] % trainTokens != 0)
        return op.emitOpError("has a result of ") << type << ", expected a first dim of the program's tokens";
      dims[0] = dims[0] / trainTokens * shape.tokens();
      result.setType(type.clone(dims));
      perToken.insert(result);
    }
    if (auto input = dyn_cast<InputOp>(op); input && input.getName() == "position_ids")
      positions = made->getResult(0);
    return success();
  }

  /// The states of one attention's keys and values; `prefill` and `decode` share them.
  FlatSymbolRefAttr cache(StringRef what, RankedTensorType appended, Location loc) {
    std::string name = ("cache." + what + "." + Twine(attentions)).str();
    auto module = train->getParentOfType<ModuleOp>();
    if (!SymbolTable::lookupSymbolIn(module, name)) {
      OpBuilder b(program);
      StateOp::create(b, loc, b.getStringAttr(name),
                      TypeAttr::get(appended.clone({shape.rows * shape.places, appended.getDimSize(1)})));
    }
    return FlatSymbolRefAttr::get(builder.getContext(), name);
  }

  Value append(StringRef what, Value value, Operation *from) {
    auto type = cast<RankedTensorType>(value.getType());
    FlatSymbolRefAttr state = cache(what, type, from->getLoc());
    setUnit(AppendCacheOp::create(builder, from->getLoc(), state, value, positions, builder.getI64IntegerAttr(shape.length)),
            unitOf(from));
    auto whole = LoadStateOp::create(builder, from->getLoc(), type.clone({shape.rows * shape.places, type.getDimSize(1)}), state);
    setUnit(whole, unitOf(from));
    return whole.getValue();
  }

  LogicalResult attend(AttentionOp op) {
    if (!op.getCausal())
      return op.emitOpError("is not causal, expected attention that a cache can stand for");
    if (!positions)
      return op.emitOpError("has no input position_ids before it, expected one: it says where tokens lie in the cache");
    Value keys = append("key", map.lookup(op.getKey()), op), values = append("value", map.lookup(op.getValue()), op);
    Value query = map.lookup(op.getQuery());
    auto attention = CachedAttentionOp::create(builder, op.getLoc(), query.getType(), query, keys, values, positions,
                                               op.getBias() ? map.lookup(op.getBias()) : Value(), op.getHeadsAttr(), op.getKvHeadsAttr(),
                                               builder.getI64IntegerAttr(shape.length), op.getWindowAttr(), op.getScaleAttr(),
                                               op.getBiasKindAttr());
    setUnit(attention, unitOf(op));
    map.map(op.getResult(), attention.getResult());
    perToken.insert(attention.getResult());
    ++attentions;
    return success();
  }

  /// A bias over the places of a cache: a token lies at the place that is its position.
  void biasOfPlaces(Operation *op) {
    auto type = cast<RankedTensorType>(op->getResult(0).getType());
    Operation *made;
    if (auto relative = dyn_cast<RelativeBiasOp>(op)) {
      auto places = builder.getI64IntegerAttr(shape.places);
      made = RelativeBiasOp::create(builder, op->getLoc(), type.clone({type.getDimSize(0), 2 * shape.places - 1}), map.lookup(relative.getTable()),
                                    places, places, relative.getMaxDistanceAttr(), relative.getBidirectionalAttr());
    } else {
      auto alibi = cast<AlibiTableOp>(op);
      made = AlibiTableOp::create(builder, op->getLoc(), type.clone({type.getDimSize(0), shape.places}), Value(), alibi.getSlopesAttr(),
                                  alibi.getScaleAttr(), alibi.getRoundBf16Attr());
    }
    setUnit(made, unitOf(op));
    map.map(op->getResult(0), made->getResult(0));
  }

  LogicalResult giveLogits(LinearCrossEntropyOp loss) {
    Value hidden = map.lookup(loss.getHidden()), weight = map.lookup(loss.getWeight());
    auto type =
        cast<RankedTensorType>(hidden.getType()).clone({shape.tokens(), cast<RankedTensorType>(weight.getType()).getDimSize(0)});
    auto linear = LinearOp::create(builder, loss.getLoc(), type, hidden, weight);
    auto output = OutputOp::create(builder, loss.getLoc(), builder.getStringAttr("logits"), linear.getResult());
    for (Operation *op : {linear.getOperation(), output.getOperation()})
      setUnit(op, unitOf(loss));
    return success();
  }

  /// What only the loss, or in `prefill` only the logits, needed.
  void removeUnused() {
    for (Operation &op : llvm::make_early_inc_range(llvm::reverse(program.getBody().front())))
      if (isOpTriviallyDead(&op))
        op.erase();
  }

  ProgramOp train, program;
  Shape shape;
  int64_t trainTokens, attentions = 0;
  OpBuilder builder;
  IRMapping map;
  llvm::DenseSet<Value> perToken;
  Value positions;
};

/// Values are kept as they are read: nothing needs a master.
void freeze(ModuleOp module, Type compute) {
  for (auto parameter : module.getOps<ParameterOp>()) {
    if (!parameter.getTrainable())
      continue;
    parameter.setTrainable(false);
    parameter.setDecayed(false);
    parameter.setTypeAttr(TypeAttr::get(cast<RankedTensorType>(parameter.getType()).clone(compute)));
  }
}

struct BuildGeneration : zp::nn::impl::BuildGenerationPassBase<BuildGeneration> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    FailureOr<zp::JobSettings> settings = zp::readSettings(module);
    if (failed(settings))
      return signalPassFailure();
    ProgramOp train = findProgram(module, ProgramKind::TrainStep);
    if (!settings->generate || !train)
      return;
    const int64_t rows = settings->generation_batch_size, places = settings->max_length;
    const Shape prefill{rows, std::min(settings->prefill_length, places), places}, decode{rows, 1, places};
    if (failed(GenerationBuilder(train, "prefill", ProgramKind::Prefill, prefill).build()) ||
        failed(GenerationBuilder(train, "decode", ProgramKind::Decode, decode).build()))
      return signalPassFailure();
    for (auto program : llvm::make_early_inc_range(module.getOps<ProgramOp>()))
      if (program.getKind() == ProgramKind::TrainStep)
        program.erase();
    freeze(module, zp::computeType(*settings, &getContext()));
    for (auto state : llvm::make_early_inc_range(module.getOps<StateOp>()))
      if (SymbolTable::symbolKnownUseEmpty(state, module))
        state.erase();
  }
};

} // namespace
