#include "compiler/Transforms/NN/GenerationPrograms.h"

#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;

namespace zp::nn {

Sides::Sides(ProgramOp train) {
  for (Operation &op : train.getBody().front())
    for (Value result : op.getResults())
      values[result] = of(op);
}

Side Sides::of(Operation &op) const {
  if (auto input = dyn_cast<InputOp>(op))
    return input.getName().starts_with("source_") ? Side::Encoder : input.getName() == "scalars" ? Side::None : Side::Decoder;
  Side side = Side::None;
  for (Value operand : op.getOperands())
    side = std::max(side, of(operand)); // what a decoder makes of a source has the decoder's tokens
  return side;
}

static RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }

/// A state of keys or values, which the programs share.
static FlatSymbolRefAttr cacheOf(ProgramOp program, const Twine &what, RankedTensorType type) {
  OpBuilder b(program);
  const StringAttr name = b.getStringAttr("cache." + what);
  if (!SymbolTable::lookupSymbolIn(program->getParentOfType<ModuleOp>(), name))
    StateOp::create(b, program.getLoc(), name, TypeAttr::get(type));
  return FlatSymbolRefAttr::get(name);
}

GenerationBuilder::GenerationBuilder(ProgramOp train, const Sides &sides, const GenerationShape &shape, ProgramKind kind, StringRef name,
                                     int64_t length)
    : train(train), sides(sides), shape(shape), length(length), builder(train) {
  // A step of `decode` has a row a prompt, of a token of each beam: all of them see the one source.
  const int64_t sourceLength = train.getSourceLength();
  if (kind == ProgramKind::Encode)
    program = ProgramOp::create(builder, train.getLoc(), name, kind, shape.prompts, 0, sourceLength);
  else if (kind == ProgramKind::Decode)
    program = ProgramOp::create(builder, train.getLoc(), name, kind, shape.prompts, shape.beams, sourceLength);
  else
    program = ProgramOp::create(builder, train.getLoc(), name, kind, shape.rows(), length, 0);
  builder.setInsertionPointToStart(&program.getBody().emplaceBlock());
}

LogicalResult GenerationBuilder::build() {
  for (Operation &op : train.getBody().front())
    if (failed(copy(op)))
      return failure();
  removeUnused();
  return success();
}

LogicalResult GenerationBuilder::copy(Operation &op) {
  const bool encode = program.getKind() == ProgramKind::Encode;
  const Side side = sides.of(op);
  if (isa<AddStateOp>(op))
    return success();
  if (auto attention = dyn_cast<AttentionOp>(op); attention && sides.isCross(attention))
    return attendToSource(attention);
  if (auto input = dyn_cast<InputOp>(op); input && !encode && input.getName() == "source_segment_ids")
    return resize(op, builder.clone(op, map)); // the source's padding isn't seen
  if (side == (encode ? Side::Decoder : Side::Encoder))
    return success();
  if (auto dropout = dyn_cast<DropoutOp>(op))
    return map.map(dropout.getResult(), map.lookup(dropout.getX())), success();
  if (auto attention = dyn_cast<AttentionOp>(op); attention && side == Side::Decoder)
    return attend(attention);
  if (isa<RelativeBiasOp, AlibiTableOp>(op) && llvm::any_of(op.getUsers(), [&](Operation *user) { return sides.of(*user) == Side::Decoder; }))
    return biasOfPlaces(&op), success();
  if (auto loss = dyn_cast<LinearCrossEntropyOp>(op))
    return program.getKind() == ProgramKind::Decode ? giveLogits(loss) : success();
  return resize(op, builder.clone(op, map));
}

/// Whatever comes of a program's inputs has its tokens, or so many rows for each of them, in the first dim.
LogicalResult GenerationBuilder::resize(Operation &from, Operation *made) {
  const Side side = sides.of(from);
  if (side == Side::None)
    return success();
  const bool source = side == Side::Encoder;
  const int64_t before = static_cast<int64_t>(train.getRows() * (source ? train.getSourceLength() : train.getLength()));
  const int64_t now = source ? shape.prompts * static_cast<int64_t>(train.getSourceLength()) : shape.rows() * length;
  if (auto attention = dyn_cast<AttentionOp>(made)) {
    attention.keepProbabilities();
    attention.getResult().setType(attention.getQuery().getType());
    attention.getLogSumExp().setType(typeOf(attention.getLogSumExp()).clone({static_cast<int64_t>(attention.getHeads()), now}));
    return success();
  }
  for (Value result : made->getResults()) {
    SmallVector<int64_t> dims(typeOf(result).getShape());
    if (dims.empty() || dims[0] % before != 0)
      return from.emitOpError("has a result of ") << result.getType() << ", expected a first dim of the program's tokens";
    dims[0] = dims[0] / before * now;
    result.setType(typeOf(result).clone(dims));
  }
  if (auto input = dyn_cast<InputOp>(from); input && input.getName() == "position_ids")
    positions = made->getResult(0);
  return success();
}

Value GenerationBuilder::append(StringRef what, Value value, Operation *from) {
  const RankedTensorType type = typeOf(value).clone({shape.rows() * shape.places, typeOf(value).getDimSize(1)});
  const FlatSymbolRefAttr cache = cacheOf(program, what + "." + Twine(attentions), type);
  place(AppendCacheOp::create(builder, from->getLoc(), cache, value, positions, builder.getI64IntegerAttr(length)), from);
  return place(LoadStateOp::create(builder, from->getLoc(), type, cache), from).getValue();
}

/// Self-attention of a decoder.
LogicalResult GenerationBuilder::attend(AttentionOp op) {
  if (!op.getCausal())
    return op.emitOpError("is not causal, expected attention that a cache can stand for");
  if (!positions)
    return op.emitOpError("has no input position_ids before it, expected one: it says where tokens lie in the cache");
  Value keys = append("key", map.lookup(op.getKey()), op), values = append("value", map.lookup(op.getValue()), op);
  Value query = map.lookup(op.getQuery());
  auto attention = CachedAttentionOp::create(builder, op.getLoc(), query.getType(), query, keys, values, positions,
                                             op.getBias() ? map.lookup(op.getBias()) : Value(), op.getHeadsAttr(), op.getKvHeadsAttr(),
                                             builder.getI64IntegerAttr(length), op.getWindowAttr(), op.getScaleAttr(), op.getBiasKindAttr());
  map.map(op.getResult(), place(attention, op).getResult());
  ++attentions;
  return success();
}

/// Attention of a decoder to the source: `encode` stores the keys and values, a step has a query of each beam in its prompt's
/// row.
LogicalResult GenerationBuilder::attendToSource(AttentionOp op) {
  if (op.getBias())
    return op.emitOpError("has a bias on a source's keys, expected none");
  auto keysOf = [&](StringRef what, Value trained) -> Value {
    const RankedTensorType type =
        typeOf(trained).clone({shape.prompts * static_cast<int64_t>(train.getSourceLength()), typeOf(trained).getDimSize(1)});
    const FlatSymbolRefAttr cache = cacheOf(program, what + "." + Twine(crossings), type);
    if (program.getKind() == ProgramKind::Encode)
      return place(StoreStateOp::create(builder, op.getLoc(), cache, map.lookup(trained)), op), Value();
    return place(LoadStateOp::create(builder, op.getLoc(), type, cache), op).getValue();
  };
  Value keys = keysOf("source_key", op.getKey()), values = keysOf("source_value", op.getValue());
  ++crossings;
  if (program.getKind() == ProgramKind::Encode)
    return success();
  auto attention = cast<AttentionOp>(builder.clone(*op, map));
  attention.getKeyMutable().assign(keys);
  attention.getValueMutable().assign(values);
  attention.setLength(static_cast<uint64_t>(shape.beams * length));
  return resize(*op, attention);
}

/// A bias over the places of a cache: a token lies at the place that is its position.
void GenerationBuilder::biasOfPlaces(Operation *op) {
  const RankedTensorType type = typeOf(op->getResult(0));
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

LogicalResult GenerationBuilder::giveLogits(LinearCrossEntropyOp loss) {
  Value hidden = map.lookup(loss.getHidden()), weight = map.lookup(loss.getWeight());
  const RankedTensorType type = typeOf(hidden).clone({shape.rows() * length, typeOf(weight).getDimSize(0)});
  auto linear = place(LinearOp::create(builder, loss.getLoc(), type, hidden, weight), loss);
  place(OutputOp::create(builder, loss.getLoc(), builder.getStringAttr("logits"), linear.getResult()), loss);
  return success();
}

/// What only the loss, or in `prefill` only the logits, needed.
void GenerationBuilder::removeUnused() {
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(program.getBody().front())))
    if (isOpTriviallyDead(&op))
      op.erase();
}

void buildReorder(ProgramOp decode, const GenerationShape &shape) {
  OpBuilder builder(decode);
  auto program = ProgramOp::create(builder, decode.getLoc(), "reorder", ProgramKind::Reorder, shape.prompts, shape.beams, 0);
  builder.setInsertionPointToStart(&program.getBody().emplaceBlock());
  auto rows =
      InputOp::create(builder, decode.getLoc(), RankedTensorType::get({shape.rows()}, builder.getI32Type()), builder.getStringAttr("beam_origins"));
  for (auto append : decode.getBody().front().getOps<AppendCacheOp>())
    setUnit(ReorderCacheOp::create(builder, append.getLoc(), append.getStateAttr(), rows), unitOf(append));
}

} // namespace zp::nn
