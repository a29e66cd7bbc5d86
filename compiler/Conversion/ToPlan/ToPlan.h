// One program's lowering: the memory it uses and the patterns of each source dialect.
#ifndef ZP_COMPILER_CONVERSION_TOPLAN_TOPLAN_H
#define ZP_COMPILER_CONVERSION_TOPLAN_TOPLAN_H

#include "compiler/Conversion/ToPlan/Memory.h"
#include "compiler/Support/Settings.h"
#include "compiler/Support/Targets.h"
#include "dialects/NN/IR/NNDialect.h"
#include "dialects/Zero/IR/ZeroDialect.h"

namespace zp {

/// The persistent windows of a section on this rank; null where it has none.
struct SectionMemory {
  Place values, master, moment1, moment2, gradient;
};
SectionMemory memoryOf(zero::SectionOp section, ModuleMemory &memory);

struct Lowering {
  mlir::ModuleOp module;
  const JobSettings &settings;
  const Target &target;
  ModuleMemory &state;
  ProgramMemory &memory;
  mlir::OpBuilder &builder; ///< at the end of the entry
  llvm::function_ref<zero::SectionOp(llvm::StringRef)> section;
  llvm::StringRef program;
  int64_t nextEvent = 0;
  llvm::DenseMap<mlir::Value, int64_t> pending = llvm::DenseMap<mlir::Value, int64_t>(); ///< future: its event
  /// Buffers of packed gradients that are not zero yet.
  llvm::DenseMap<mlir::StringAttr, Place> packed = llvm::DenseMap<mlir::StringAttr, Place>();

  /// An instruction at the end of the entry.
  template <typename OpT, typename... Args> OpT emit(mlir::Operation *from, Args &&...args) {
    return OpT::create(builder, from->getLoc(), std::forward<Args>(args)..., /*stream=*/int64_t(0));
  }
  /// A window on a value that may be absent.
  mlir::Value viewIf(mlir::Value value) { return value ? memory.view(value) : mlir::Value(); }
  void fill(mlir::Operation *from, const Place &place, double value);
  void copy(mlir::Operation *from, const Place &source, const Place &target);
  /// Padding between the slots of a packed section must be zero: it is reduced, squared and added like everything else. So
  /// its buffer is filled when the first result is about to be written there.
  void zeroBeforeFirstWrite(mlir::Operation *from, mlir::StringAttr buffer);
  /// Defines a result that the instruction adds into: its memory is zero before.
  Place defineZeroed(mlir::Operation *from, mlir::Value result);
  /// Defines a result that an instruction adds to `addend` (which may be absent), in place of it where it dies.
  Place defineSum(mlir::Operation *from, mlir::Value addend, mlir::Value result);
  /// The memory of an nn.state: of dequantised weights, where it is marked so.
  Place stateOf(mlir::FlatSymbolRefAttr state, mlir::Value value);
  /// Bytes for an instruction to work in.
  mlir::Value workspace(uint64_t bytes);
  /// The same for a matrix product: what the target's library wants, and `more`. Null when that is nothing.
  mlir::Value productWorkspace(uint64_t more = 0);
};

/// False for an op of another dialect.
bool lowerNN(mlir::Operation *op, Lowering &lowering);
bool lowerNF4(mlir::Operation *op, Lowering &lowering);
bool lowerZero(mlir::Operation *op, Lowering &lowering);
/// Tells results where they end up, before anything is lowered.
void chooseDestinations(mlir::Block &body, Lowering &lowering);

} // namespace zp

#endif // ZP_COMPILER_CONVERSION_TOPLAN_TOPLAN_H
