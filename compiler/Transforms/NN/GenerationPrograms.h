// The programs that generate text, made of train_step's forward ops.
#ifndef ZP_COMPILER_TRANSFORMS_NN_GENERATIONPROGRAMS_H
#define ZP_COMPILER_TRANSFORMS_NN_GENERATIONPROGRAMS_H

#include "compiler/Transforms/NN/Programs.h"

#include "mlir/IR/IRMapping.h"

namespace zp::nn {

/// What all programs of a plan that generates agree on. Beam b of prompt p has row p · beams + b of the caches.
struct GenerationShape {
  int64_t prompts, beams; ///< at once on a rank
  int64_t places;         ///< tokens of a row in the caches
  int64_t rows() const { return prompts * beams; }
};

/// Whose tokens an op of train_step works on.
enum class Side { None, Encoder, Decoder };

class Sides {
public:
  explicit Sides(ProgramOp train);
  Side of(mlir::Operation &op) const;
  /// Whether a decoder's queries look at the encoder's tokens.
  bool isCross(AttentionOp op) const { return of(op.getKey()) != of(op.getQuery()); }

private:
  Side of(mlir::Value value) const { return values.lookup(value); }
  llvm::DenseMap<mlir::Value, Side> values;
};

/// Copies train_step's forward ops of one side, for another number of tokens. Self-attention of a decoder goes by way of caches,
/// and so does what it sees of a source: `encode` stores the keys and values, `decode` loads them.
class GenerationBuilder {
public:
  /// `length` tokens of each row of the caches: a chunk of the prompts, or one. Of `encode` it is not used.
  GenerationBuilder(ProgramOp train, const Sides &sides, const GenerationShape &shape, ProgramKind kind, llvm::StringRef name, int64_t length);

  mlir::LogicalResult build();

private:
  mlir::LogicalResult copy(mlir::Operation &op);
  mlir::LogicalResult resize(mlir::Operation &from, mlir::Operation *made);
  mlir::LogicalResult attend(AttentionOp op);
  mlir::LogicalResult attendToSource(AttentionOp op);
  void biasOfPlaces(mlir::Operation *op);
  mlir::Value append(llvm::StringRef what, mlir::Value value, mlir::Operation *from);
  mlir::LogicalResult giveLogits(LinearCrossEntropyOp loss);
  void removeUnused();
  /// `op` belongs to `from`'s unit.
  template <typename OpT> OpT place(OpT op, mlir::Operation *from) { return setUnit(op, unitOf(from)), op; }

  ProgramOp train, program;
  const Sides &sides;
  const GenerationShape shape;
  const int64_t length;
  int64_t attentions = 0, crossings = 0; // so far: to the cache, and to the source
  mlir::OpBuilder builder;
  mlir::IRMapping map;
  mlir::Value positions;
};

/// `reorder`: every cache's rows as beam search says. Caches are those that `decode` appends to.
void buildReorder(ProgramOp decode, const GenerationShape &shape);

} // namespace zp::nn

#endif // ZP_COMPILER_TRANSFORMS_NN_GENERATIONPROGRAMS_H
