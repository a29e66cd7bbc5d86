// Where values live while a program becomes an entry: the bookkeeping under NNToPlan.cpp and ZeroToPlan.cpp.
#ifndef ZP_COMPILER_CONVERSION_TOPLAN_MEMORY_H
#define ZP_COMPILER_CONVERSION_TOPLAN_MEMORY_H

#include "dialects/Plan/IR/PlanDialect.h"
#include "mlir/IR/BuiltinOps.h"

namespace zp {

/// A typed window of a buffer.
struct Place {
  mlir::StringAttr buffer;
  int64_t offset = 0; ///< bytes
  mlir::RankedTensorType type;

  explicit operator bool() const { return static_cast<bool>(buffer); }
  bool operator==(const Place &o) const { return buffer == o.buffer && offset == o.offset && type == o.type; }
};

/// Buffers of the module: what lives from run to run.
class ModuleMemory {
public:
  explicit ModuleMemory(mlir::ModuleOp module) : module(module), builder(module.getContext()) { builder.setInsertionPointToStart(module.getBody()); }
  /// The persistent buffer of that name, made on first use.
  Place persistent(llvm::StringRef name, mlir::RankedTensorType type, plan::BufferKind kind, plan::Tier tier = plan::Tier::Device);

private:
  mlir::ModuleOp module;
  mlir::OpBuilder builder;
  llvm::StringMap<plan::BufferOp> buffers;
};

/// Values of one program. `order` of ops decides who dies when.
class ProgramMemory {
public:
  ProgramMemory(mlir::Block &source, mlir::OpBuilder &builder);

  void bind(mlir::Value value, Place place);
  Place placeOf(mlir::Value value) const;
  /// The window as a value to be named by instructions.
  mlir::Value view(const Place &place);
  mlir::Value view(mlir::Value value) { return view(placeOf(value)); }

  /// A fresh buffer for one run of the entry.
  Place allocate(mlir::RankedTensorType type, plan::BufferKind kind, plan::Tier tier = plan::Tier::Device);
  /// The result is to be written here, not into a buffer of its own.
  void setDestination(mlir::Value result, Place place) { destinations[result] = place; }
  Place destinationOf(mlir::Value result) const { return destinations.lookup(result); }
  /// Where to write a result: its destination, or a fresh buffer; binds it.
  Place define(mlir::Value result);
  Place define(mlir::Value result, plan::BufferKind kind);
  /// The same, reusing `operand`'s memory if nobody needs it after `at` (and the result has no destination).
  Place defineInPlaceOf(mlir::Value result, llvm::ArrayRef<mlir::Value> operands, mlir::Operation *at);
  /// True if no use of the operand's buffer comes after `at`, and `at` reads it through this operand alone.
  bool diesAt(mlir::Value operand, mlir::Operation *at) const;

private:
  plan::BufferKind kindOf(mlir::Value result) const;

  mlir::OpBuilder &builder;
  llvm::DenseMap<mlir::Operation *, unsigned> order;
  llvm::DenseMap<mlir::Value, Place> places, destinations;
  llvm::DenseMap<mlir::StringAttr, llvm::SmallVector<mlir::Value>> residents; // values of a transient buffer
  llvm::DenseMap<mlir::StringAttr, plan::BufferOp> transients;
  llvm::DenseMap<std::tuple<mlir::StringAttr, int64_t, mlir::Type>, mlir::Value> views;
  int64_t made = 0;
};

} // namespace zp

#endif // ZP_COMPILER_CONVERSION_TOPLAN_MEMORY_H
