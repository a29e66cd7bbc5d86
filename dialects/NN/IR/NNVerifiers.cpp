// The numbered constraints of the op descriptions.
#include "dialects/NN/IR/NNDialect.h"

using namespace mlir;

namespace zp::nn {

static int64_t dim(Value value, unsigned i) { return cast<RankedTensorType>(value.getType()).getDimSize(i); }
static Type element(Value value) { return cast<RankedTensorType>(value.getType()).getElementType(); }
static ArrayRef<int64_t> shape(Value value) { return cast<RankedTensorType>(value.getType()).getShape(); }

/// Emits `C<number>: <message>` unless the condition holds.
static LogicalResult require(Operation *op, bool condition, StringRef message) { return condition ? success() : op->emitOpError(message); }
#define ZP_REQUIRE(condition, message)                                                                                                               \
  if (failed(require(getOperation(), (condition), message)))                                                                                         \
  return failure()

static bool sameElement(std::initializer_list<Value> values) {
  Type first;
  for (Value value : values) {
    if (!value)
      continue;
    if (first && element(value) != first)
      return false;
    first = element(value);
  }
  return true;
}

LogicalResult ParameterOp::verify() {
  ZP_REQUIRE((getInitial() == Initial::Checkpoint) == getCheckpoint().has_value(), "C1: needs `checkpoint` exactly when initial is checkpoint");
  if (getTrainable())
    ZP_REQUIRE(getSavedAs() && cast<ShapedType>(getType()).getElementType().isF32(), "C2: a trainable parameter needs `saved_as` and f32 elements");
  if (getInitial() == Initial::Uniform || getInitial() == Initial::Normal)
    ZP_REQUIRE(getBound().convertToDouble() > 0, "C3: `bound` must be positive for uniform and normal values");
  return success();
}

/// C1 and C2 of the ops that name a parameter; a null type skips C2.
static LogicalResult verifyParameter(Operation *op, SymbolTableCollection &symbols, FlatSymbolRefAttr name, bool trainable, Type type,
                                     bool exactType) {
  auto parameter = symbols.lookupNearestSymbolFrom<ParameterOp>(op, name);
  if (!parameter || (trainable && !parameter.getTrainable()))
    return op->emitOpError("C1: ") << name << " is not " << (trainable ? "a trainable" : "an") << " nn.parameter";
  if (!type)
    return success();
  auto declared = cast<ShapedType>(parameter.getType());
  bool agrees = exactType ? type == declared : cast<ShapedType>(type).getShape() == declared.getShape();
  if (agrees)
    return success();
  InFlightDiagnostic diagnostic = op->emitOpError("C2: has type ") << type << ", the parameter has " << declared;
  diagnostic.attachNote(parameter.getLoc()) << "parameter declared here";
  return diagnostic;
}
LogicalResult ReadOp::verifySymbolUses(SymbolTableCollection &symbols) {
  return verifyParameter(*this, symbols, getParameterAttr(), false, getType(), false);
}
LogicalResult AccumulateGradientOp::verifySymbolUses(SymbolTableCollection &symbols) {
  return verifyParameter(*this, symbols, getParameterAttr(), true, getGradient().getType(), true);
}
LogicalResult GradientOp::verifySymbolUses(SymbolTableCollection &symbols) {
  return verifyParameter(*this, symbols, getParameterAttr(), true, getType(), true);
}
LogicalResult ClearGradientOp::verifySymbolUses(SymbolTableCollection &symbols) {
  return verifyParameter(*this, symbols, getParameterAttr(), true, Type(), true);
}
LogicalResult AdamwOp::verifySymbolUses(SymbolTableCollection &symbols) {
  return verifyParameter(*this, symbols, getParameterAttr(), true, getGradient().getType(), true);
}

/// C1 and C2 of the ops that name a state; a null type skips C2.
static LogicalResult verifyState(Operation *op, SymbolTableCollection &symbols, FlatSymbolRefAttr name, Type type) {
  auto state = symbols.lookupNearestSymbolFrom<StateOp>(op, name);
  if (!state)
    return op->emitOpError("C1: ") << name << " is not an nn.state";
  if (!type || type == state.getType())
    return success();
  InFlightDiagnostic diagnostic = op->emitOpError("C2: has type ") << type << ", the state has " << state.getType();
  diagnostic.attachNote(state.getLoc()) << "state declared here";
  return diagnostic;
}
LogicalResult LoadStateOp::verifySymbolUses(SymbolTableCollection &symbols) { return verifyState(*this, symbols, getStateAttr(), getType()); }
LogicalResult StoreStateOp::verifySymbolUses(SymbolTableCollection &symbols) {
  return verifyState(*this, symbols, getStateAttr(), getValue().getType());
}
LogicalResult AddStateOp::verifySymbolUses(SymbolTableCollection &symbols) {
  return verifyState(*this, symbols, getStateAttr(), getValue().getType());
}
LogicalResult ClearStateOp::verifySymbolUses(SymbolTableCollection &symbols) { return verifyState(*this, symbols, getStateAttr(), Type()); }

/// Rows of a cache for `tokens` tokens in rows of `length`: whether the tokens' rows divide it.
static bool isCacheFor(ArrayRef<int64_t> cache, int64_t tokens, int64_t length) { return cache[0] % (tokens / length) == 0; }
LogicalResult AppendCacheOp::verifySymbolUses(SymbolTableCollection &symbols) {
  if (failed(verifyState(*this, symbols, getStateAttr(), Type())))
    return failure();
  auto cache = dyn_cast<RankedTensorType>(symbols.lookupNearestSymbolFrom<StateOp>(*this, getStateAttr()).getType());
  ZP_REQUIRE(cache && cache.getRank() == 2 && cache.getElementType() == element(getValue()) && cache.getDimSize(1) == dim(getValue(), 1),
             "C2: the state must be a matrix of value's columns and element type");
  int64_t tokens = dim(getValue(), 0), length = static_cast<int64_t>(getLength());
  ZP_REQUIRE(length > 0 && tokens % length == 0 && dim(getPositions(), 0) == tokens,
             "C3: length does not divide the tokens, or positions differ in rows");
  ZP_REQUIRE(isCacheFor(cache.getShape(), tokens, length), "C4: the rows of tokens do not divide the state's rows");
  return success();
}

LogicalResult ReorderCacheOp::verifySymbolUses(SymbolTableCollection &symbols) {
  if (failed(verifyState(*this, symbols, getStateAttr(), Type())))
    return failure();
  auto cache = dyn_cast<RankedTensorType>(symbols.lookupNearestSymbolFrom<StateOp>(*this, getStateAttr()).getType());
  ZP_REQUIRE(cache && cache.getRank() == 2 && dim(getRows(), 0) > 0 && cache.getDimSize(0) % dim(getRows(), 0) == 0,
             "C2: the state must be a matrix whose rows the number of rows divides");
  return success();
}

/// C5 of both products: first·op(second) has the result's shape, the second's columns being summed over when it is transposed.
static bool branchFits(Value first, Value second, Value result, bool transposed) {
  if (!first || !second)
    return !first && !second;
  return dim(first, 0) == dim(result, 0) && dim(first, 1) == dim(second, transposed) && dim(second, !transposed) == dim(result, 1);
}
LogicalResult LinearOp::verify() {
  ZP_REQUIRE(dim(getX(), 1) == dim(getWeight(), 1), "C1: x and weight differ in columns");
  ZP_REQUIRE(dim(getWeight(), 0) == dim(getResult(), 1) && (!getBias() || dim(getBias(), 0) == dim(getWeight(), 0)),
             "C2: weight's rows, bias and the result's columns differ");
  ZP_REQUIRE(dim(getX(), 0) == dim(getResult(), 0) && (!getAddend() || shape(getAddend()) == shape(getResult())),
             "C3: x, addend and the result differ in rows");
  ZP_REQUIRE(sameElement({getX(), getWeight(), getBias(), getAddend(), getBranchX(), getBranchWeight(), getResult()}), "C4: element types differ");
  ZP_REQUIRE(branchFits(getBranchX(), getBranchWeight(), getResult(), /*transposed=*/true), "C5: the branch's shapes do not give the result's");
  return success();
}
LogicalResult LinearInputGradientOp::verify() {
  ZP_REQUIRE(dim(getGradient(), 1) == dim(getWeight(), 0), "C1: gradient's columns and weight's rows differ");
  ZP_REQUIRE(dim(getWeight(), 1) == dim(getResult(), 1), "C2: weight and result differ in columns");
  ZP_REQUIRE(dim(getGradient(), 0) == dim(getResult(), 0) && (!getAddend() || shape(getAddend()) == shape(getResult())),
             "C3: gradient, addend and the result differ in rows");
  ZP_REQUIRE(sameElement({getGradient(), getWeight(), getAddend(), getBranchGradient(), getBranchWeight(), getResult()}), "C4: element types differ");
  ZP_REQUIRE(branchFits(getBranchGradient(), getBranchWeight(), getResult(), /*transposed=*/false),
             "C5: the branch's shapes do not give the result's");
  return success();
}
LogicalResult LinearWeightGradientOp::verify() {
  ZP_REQUIRE(dim(getGradient(), 0) == dim(getX(), 0), "C1: gradient and x differ in rows");
  ZP_REQUIRE(element(getResult()).isF32() && dim(getResult(), 0) == dim(getGradient(), 1) && dim(getResult(), 1) == dim(getX(), 1),
             "C2: the result must be f32 [gradient's columns, x's columns]");
  ZP_REQUIRE(sameElement({getGradient(), getX()}), "C3: element types differ");
  return success();
}
LogicalResult ColumnSumOp::verify() {
  ZP_REQUIRE(element(getResult()).isF32() && dim(getResult(), 0) == dim(getSource(), 1), "C1: the result must be f32 [source's columns]");
  return success();
}
static bool isRowOf(uint64_t offset, Value table) { return offset < static_cast<uint64_t>(dim(table, 0)); }
/// Of a table whose rows begin at `offset`.
static bool isPaddingOf(int64_t padding, uint64_t offset, Value table) {
  return padding >= -1 && padding < dim(table, 0) - static_cast<int64_t>(offset);
}
LogicalResult EmbeddingOp::verify() {
  ZP_REQUIRE(dim(getIds(), 0) == dim(getResult(), 0), "C1: ids and the result differ in rows");
  ZP_REQUIRE(dim(getTable(), 1) == dim(getResult(), 1), "C2: table and the result differ in columns");
  ZP_REQUIRE(sameElement({getTable(), getResult()}), "C3: element types differ");
  ZP_REQUIRE(isRowOf(getOffset(), getTable()), "C4: offset is not a row of the table");
  ZP_REQUIRE(isPaddingOf(getPadding(), getOffset(), getTable()), "C5: padding is neither -1 nor an id of the table");
  return success();
}
LogicalResult EmbeddingGradientOp::verify() {
  ZP_REQUIRE(dim(getIds(), 0) == dim(getGradient(), 0), "C1: ids and gradient differ in rows");
  ZP_REQUIRE(element(getResult()).isF32() && dim(getResult(), 1) == dim(getGradient(), 1), "C2: the result must be f32 [V, gradient's columns]");
  ZP_REQUIRE(isRowOf(getOffset(), getResult()), "C3: offset is not a row of the table");
  ZP_REQUIRE(isPaddingOf(getPadding(), getOffset(), getResult()), "C4: padding is neither -1 nor an id of the table");
  return success();
}
LogicalResult CastOp::verify() {
  ZP_REQUIRE(shape(getX()) == shape(getResult()), "C1: shapes differ");
  return success();
}
LogicalResult ReshapeOp::verify() {
  ZP_REQUIRE(sameElement({getX(), getResult()}) &&
                 cast<ShapedType>(getX().getType()).getNumElements() == cast<ShapedType>(getType()).getNumElements(),
             "C1: element types or counts differ");
  return success();
}
LogicalResult DropoutOp::verify() {
  ZP_REQUIRE(getX().getType() == getType(), "C1: x and the result differ in type");
  ZP_REQUIRE(getLength() > 0 && dim(getX(), 0) % static_cast<int64_t>(getLength()) == 0, "C2: length does not divide the rows");
  double p = getProbability().convertToDouble();
  ZP_REQUIRE(p >= 0 && p < 1, "C3: probability must be in [0, 1)");
  ZP_REQUIRE(static_cast<int64_t>(getSite()) >= 0, "C4: site must not be negative");
  return success();
}
LogicalResult RowsOp::verify() {
  ZP_REQUIRE(sameElement({getX(), getResult()}) && dim(getX(), 1) == dim(getResult(), 1), "C1: x and the result differ in element type or columns");
  return success();
}
LogicalResult RmsNormOp::verify() {
  ZP_REQUIRE(dim(getX(), 1) == dim(getWeight(), 0) && dim(getResult(), 1) == dim(getX(), 1), "C1: x, weight and the result differ in columns");
  ZP_REQUIRE(dim(getX(), 0) == dim(getResult(), 0) && dim(getRstd(), 0) == dim(getX(), 0) && element(getRstd()).isF32(),
             "C2: x, the result and rstd differ in rows, or rstd is not f32");
  ZP_REQUIRE(sameElement({getX(), getWeight(), getResult()}), "C3: element types differ");
  ZP_REQUIRE(getEpsilon().convertToDouble() > 0, "C4: epsilon must be positive");
  return success();
}
LogicalResult RmsNormGradientOp::verify() {
  Type type = getX().getType();
  ZP_REQUIRE(getGradient().getType() == type && getResult().getType() == type && (!getResidual() || getResidual().getType() == type),
             "C1: gradient, x, residual and the result differ in type");
  ZP_REQUIRE(dim(getWeight(), 0) == dim(getX(), 1) && sameElement({getWeight(), getX()}) && dim(getRstd(), 0) == dim(getX(), 0) &&
                 element(getRstd()).isF32(),
             "C2: weight or rstd does not fit x");
  ZP_REQUIRE(!getWeightGradient() || (element(getWeightGradient()).isF32() && shape(getWeightGradient()) == shape(getWeight())),
             "C3: the weight's gradient must be f32 of the weight's shape");
  return success();
}
LogicalResult LayerNormOp::verify() {
  ZP_REQUIRE(dim(getX(), 1) == dim(getWeight(), 0) && dim(getBias(), 0) == dim(getWeight(), 0) && dim(getResult(), 1) == dim(getX(), 1),
             "C1: x, weight, bias and the result differ in columns");
  bool statistics = llvm::all_of(ValueRange{getMean(), getRstd()}, [&](Value v) { return dim(v, 0) == dim(getX(), 0) && element(v).isF32(); });
  ZP_REQUIRE(dim(getX(), 0) == dim(getResult(), 0) && statistics, "C2: x, the result, mean and rstd differ in rows, or mean or rstd is not f32");
  ZP_REQUIRE(sameElement({getX(), getWeight(), getBias(), getResult()}), "C3: element types differ");
  ZP_REQUIRE(getEpsilon().convertToDouble() > 0, "C4: epsilon must be positive");
  return success();
}
LogicalResult LayerNormGradientOp::verify() {
  Type type = getX().getType();
  ZP_REQUIRE(getGradient().getType() == type && getResult().getType() == type && (!getResidual() || getResidual().getType() == type),
             "C1: gradient, x, residual and the result differ in type");
  bool statistics = llvm::all_of(ValueRange{getMean(), getRstd()}, [&](Value v) { return dim(v, 0) == dim(getX(), 0) && element(v).isF32(); });
  ZP_REQUIRE(dim(getWeight(), 0) == dim(getX(), 1) && sameElement({getWeight(), getX()}) && statistics, "C2: weight, mean or rstd does not fit x");
  for (Value gradient : {getWeightGradient(), getBiasGradient()})
    ZP_REQUIRE(!gradient || (element(gradient).isF32() && shape(gradient) == shape(getWeight())),
               "C3: the gradients of weight and bias must be f32 of the weight's shape");
  return success();
}

/// C1 to C3 of split_qkv; parts that aren't given fit.
static LogicalResult verifyQkv(Operation *op, int64_t heads, int64_t kvHeads, Value joined, Value query, Value key, Value value) {
  if (heads <= 0 || kvHeads <= 0 || heads % kvHeads)
    return op->emitOpError("C1: kv_heads does not divide heads");
  int64_t parts = heads + 2 * kvHeads, width = dim(joined, 1) / parts;
  auto fits = [&](Value part, int64_t count) { return !part || (dim(part, 0) == dim(joined, 0) && dim(part, 1) == count * width); };
  if (dim(joined, 1) % parts || !fits(query, heads) || !fits(key, kvHeads) || !fits(value, kvHeads))
    return op->emitOpError("C2: the joined matrix must be [T, (heads + 2 * kv_heads) * d], query [T, heads * d], key and value [T, kv_heads * d]");
  if (!sameElement({joined, query, key, value}))
    return op->emitOpError("C3: element types differ");
  return success();
}
LogicalResult SplitQkvOp::verify() {
  return verifyQkv(*this, static_cast<int64_t>(getHeads()), static_cast<int64_t>(getKvHeads()), getX(), getQuery(), getKey(), getValue());
}
LogicalResult JoinQkvOp::verify() {
  ZP_REQUIRE(getNumOperands() > 0, "C4: nothing is given");
  return verifyQkv(*this, static_cast<int64_t>(getHeads()), static_cast<int64_t>(getKvHeads()), getResult(), getQuery(), getKey(), getValue());
}

LogicalResult RopeTableOp::verify() {
  int64_t half = static_cast<int64_t>(getInverseFrequencies().size());
  for (Value table : getResults())
    ZP_REQUIRE(dim(table, 0) == dim(getPositions(), 0) && dim(table, 1) == half, "C1: a table must be [positions, frequencies]");
  ZP_REQUIRE(sameElement({getCosine(), getSine()}), "C2: element types differ");
  return success();
}
LogicalResult RopeOp::verify() {
  int64_t width = static_cast<int64_t>(getHeadDim());
  ZP_REQUIRE(getX().getType() == getType(), "C1: x and the result differ in type");
  ZP_REQUIRE(width > 0 && width % 2 == 0 && dim(getX(), 1) % width == 0, "C2: head_dim must be even and divide x's columns");
  for (Value table : {getCosine(), getSine()})
    ZP_REQUIRE(element(table) == element(getX()) && dim(table, 0) == dim(getX(), 0) && dim(table, 1) == width / 2,
               "C3: cosine and sine must be [x's rows, head_dim/2] of x's element type");
  return success();
}
/// A bias comes with its kind, in f32, and has the columns of that kind.
template <typename OpT> static bool biasFits(OpT op, int64_t byKey, int64_t byDistance) {
  if (!op.getBias() || !op.getBiasKind())
    return !op.getBias() && !op.getBiasKind();
  return element(op.getBias()).isF32() && dim(op.getBias(), 0) == static_cast<int64_t>(op.getHeads()) &&
         dim(op.getBias(), 1) == (*op.getBiasKind() == BiasKind::ByKey ? byKey : byDistance);
}
/// Dropout needs the scalars that its mask depends on, and nothing else does.
template <typename OpT> static bool dropoutFits(OpT op) {
  const double p = op.getDropout().convertToDouble();
  return op.getScalars() ? p > 0 && p < 1 : p == 0;
}
LogicalResult AttentionOp::verify() {
  int64_t heads = static_cast<int64_t>(getHeads()), kvHeads = static_cast<int64_t>(getKvHeads()), tokens = dim(getQuery(), 0);
  int64_t length = static_cast<int64_t>(getLength()), keyLength = static_cast<int64_t>(getKeyLength()), keys = dim(getKey(), 0);
  ZP_REQUIRE(heads > 0 && dim(getQuery(), 1) % heads == 0 && shape(getResult()) == shape(getQuery()),
             "C1: heads does not divide query's columns, or the result's shape isn't query's");
  int64_t width = dim(getQuery(), 1) / heads;
  for (Value kv : {getKey(), getValue()})
    ZP_REQUIRE(dim(kv, 0) == keys && dim(kv, 1) == kvHeads * width, "C2: key and value must be [keys, kv_heads * head width]");
  ZP_REQUIRE(kvHeads > 0 && heads % kvHeads == 0, "C3: kv_heads does not divide heads");
  ZP_REQUIRE(length > 0 && tokens % length == 0 && keyLength > 0 && keys % keyLength == 0 && tokens / length == keys / keyLength,
             "C4: length and key_length do not divide queries and keys into as many rows");
  ZP_REQUIRE(dim(getSegments(), 0) == tokens && dim(getKeySegments(), 0) == keys, "C4: segments must be [queries], key_segments [keys]");
  ZP_REQUIRE(sameElement({getQuery(), getKey(), getValue(), getResult()}), "C5: element types differ");
  ZP_REQUIRE(element(getLogSumExp()).isF32() && dim(getLogSumExp(), 0) == heads && dim(getLogSumExp(), 1) == tokens,
             "C6: log_sum_exp must be f32 [heads, tokens]");
  ZP_REQUIRE(static_cast<int64_t>(getWindow()) >= 0 && (getCausal() ? keyLength == length : getWindow() == 0),
             "C7: causal needs key_length of length, a window needs causal and is not negative");
  ZP_REQUIRE(biasFits(*this, keys, length + keyLength - 1), "C8: bias must be f32 of its kind, [heads, keys] or [heads, length + key_length - 1]");
  ZP_REQUIRE(dropoutFits(*this), "C9: dropout must be 0 without scalars, in (0, 1) with them");
  return success();
}
LogicalResult CachedAttentionOp::verify() {
  int64_t heads = static_cast<int64_t>(getHeads()), kvHeads = static_cast<int64_t>(getKvHeads()), length = static_cast<int64_t>(getLength());
  int64_t tokens = dim(getQuery(), 0);
  ZP_REQUIRE(heads > 0 && dim(getQuery(), 1) % heads == 0 && getType() == getQuery().getType(),
             "C1: heads does not divide query's columns, or the result's type isn't query's");
  ZP_REQUIRE(getKey().getType() == getValue().getType() && dim(getKey(), 1) == kvHeads * (dim(getQuery(), 1) / heads),
             "C2: key and value must be of one type, with kv_heads * head width columns");
  ZP_REQUIRE(kvHeads > 0 && heads % kvHeads == 0, "C3: kv_heads does not divide heads");
  ZP_REQUIRE(length > 0 && tokens % length == 0 && dim(getPositions(), 0) == tokens && isCacheFor(shape(getKey()), tokens, length),
             "C4: length does not divide the tokens, their rows do not divide key's, or positions differ in rows");
  ZP_REQUIRE(sameElement({getQuery(), getKey()}), "C5: element types differ");
  ZP_REQUIRE(static_cast<int64_t>(getWindow()) >= 0, "C7: window must not be negative");
  int64_t places = dim(getKey(), 0) / (tokens / length);
  ZP_REQUIRE(biasFits(*this, places, 2 * places - 1), "C6: bias must be f32 of its kind, [heads, places] or [heads, 2 * places - 1]");
  return success();
}
LogicalResult AttentionGradientOp::verify() {
  ZP_REQUIRE(getGradient().getType() == getQuery().getType() && getOut().getType() == getQuery().getType(),
             "C1: gradient and out must have query's type");
  ZP_REQUIRE(getQueryGradient().getType() == getQuery().getType() && getKeyGradient().getType() == getKey().getType() &&
                 getValueGradient().getType() == getValue().getType(),
             "C2: a gradient's type isn't its operand's");
  ZP_REQUIRE(static_cast<bool>(getBias()) == getBiasKind().has_value(), "C3: bias and bias_kind come together");
  ZP_REQUIRE(!getBiasGradient() || (getBiasKind() == BiasKind::ByDistance && getBiasGradient().getType() == getBias().getType()),
             "C3: bias_gradient must have the type of a bias by_distance");
  ZP_REQUIRE(dropoutFits(*this), "C4: dropout must be 0 without scalars, in (0, 1) with them");
  return success();
}

/// C2 and C3 of relative_bias and its gradient: `table` [buckets, heads], `bias` [heads, distances].
template <typename OpT> static LogicalResult verifyRelativeBias(OpT op, Value table, Value bias) {
  int64_t length = static_cast<int64_t>(op.getLength()), keyLength = static_cast<int64_t>(op.getKeyLength()), buckets = dim(table, 0);
  if (length <= 0 || keyLength <= 0 || !element(bias).isF32() || shape(bias) != ArrayRef<int64_t>({dim(table, 1), length + keyLength - 1}))
    return op.emitOpError("C1: length and key_length must be positive, and the bias f32 [heads, length + key_length - 1]");
  if (buckets < (op.getBidirectional() ? 4 : 2) || (op.getBidirectional() && buckets % 2 != 0))
    return op.emitOpError("C2: needs at least 2 buckets, when bidirectional an even number of at least 4");
  if (static_cast<int64_t>(op.getMaxDistance()) <= (op.getBidirectional() ? buckets / 4 : buckets / 2))
    return op.emitOpError("C3: max_distance must be more than the buckets of one distance");
  return success();
}
LogicalResult RelativeBiasOp::verify() { return verifyRelativeBias(*this, getTable(), getResult()); }
LogicalResult RelativeBiasGradientOp::verify() {
  ZP_REQUIRE(element(getResult()).isF32(), "C1: the result must be f32");
  return verifyRelativeBias(*this, getResult(), getGradient());
}
LogicalResult AlibiTableOp::verify() {
  ZP_REQUIRE(element(getResult()).isF32() && dim(getResult(), 0) == static_cast<int64_t>(getSlopes().size()) &&
                 (!getPositions() || dim(getResult(), 1) == dim(getPositions(), 0)),
             "C1: the result must be f32 [slopes, positions]");
  return success();
}

template <typename OpT> static LogicalResult verifyCrossEntropy(OpT op) {
  if (dim(op.getHidden(), 1) != dim(op.getWeight(), 1))
    return op.emitOpError("C1: hidden and weight differ in columns");
  if (dim(op.getHidden(), 0) != dim(op.getLabels(), 0))
    return op.emitOpError("C2: hidden and labels differ in rows");
  if (static_cast<int64_t>(op.getLength()) <= 0 || dim(op.getHidden(), 0) % static_cast<int64_t>(op.getLength()))
    return op.emitOpError("C3: length does not divide the tokens");
  if (static_cast<int64_t>(op.getChunk()) <= 0)
    return op.emitOpError("C4: chunk must be positive");
  if (!sameElement({op.getHidden(), op.getWeight()}))
    return op.emitOpError("C5: element types differ");
  const int64_t sums = dim(op.getLoss(), 0), rows = dim(op.getHidden(), 0) / static_cast<int64_t>(op.getLength());
  if (sums != 1 && sums != 2 && sums != 2 * rows)
    return op.emitOpError("C6: the loss must be f64 [1], [2] or [") << 2 * rows << "], a pair a row";
  return success();
}
LogicalResult LinearCrossEntropyOp::verify() { return verifyCrossEntropy(*this); }
LogicalResult LinearCrossEntropyGradientOp::verify() {
  if (failed(verifyCrossEntropy(*this)))
    return failure();
  ZP_REQUIRE(getHiddenGradient().getType() == getHidden().getType(), "C2: hidden's gradient must have hidden's type");
  ZP_REQUIRE(!getWeightGradient() || (element(getWeightGradient()).isF32() && shape(getWeightGradient()) == shape(getWeight())),
             "C3: weight's gradient must be f32 of weight's shape");
  return success();
}
LogicalResult SumSquaresOp::verify() {
  ZP_REQUIRE(!getTensors().empty() && llvm::all_of(getTensors(), [](Value v) { return element(v).isF32(); }),
             "C1: needs at least one operand, all f32");
  return success();
}
LogicalResult FinishStepOp::verify() {
  ZP_REQUIRE(element(getCoefficient()).isF32() && dim(getCoefficient(), 0) == 1, "C1: coefficient must be f32 [1]");
  int64_t sums = dim(getLossSum(), 0);
  ZP_REQUIRE(element(getMetrics()).isF64() && (sums == 1 || sums == 2) && dim(getMetrics(), 0) == sums + 3,
             "C2: metrics must be f64 [4], or [5] when the loss sum has two elements");
  return success();
}

} // namespace zp::nn
