// Small questions about programs that several passes ask.
#ifndef ZP_COMPILER_TRANSFORMS_NN_PROGRAMS_H
#define ZP_COMPILER_TRANSFORMS_NN_PROGRAMS_H

#include <optional>

#include "dialects/NN/IR/NNDialect.h"
#include "mlir/IR/BuiltinOps.h"

namespace zp::nn {

/// The module's program of a kind, or null. There is at most one of each until buckets are made.
inline ProgramOp findProgram(mlir::ModuleOp module, ProgramKind kind) {
  for (auto program : module.getOps<ProgramOp>())
    if (program.getKind() == kind)
      return program;
  return {};
}

inline std::optional<int64_t> unitOf(mlir::Operation *op) {
  auto attr = op->getAttrOfType<mlir::IntegerAttr>(NNDialect::kUnitAttr);
  return attr ? std::optional<int64_t>(attr.getInt()) : std::nullopt;
}
inline void setUnit(mlir::Operation *op, std::optional<int64_t> unit) {
  if (unit)
    op->setAttr(NNDialect::kUnitAttr, mlir::Builder(op->getContext()).getI64IntegerAttr(*unit));
}
inline bool isBackward(mlir::Operation *op) { return op->hasAttr(NNDialect::kBackwardAttr); }
inline void setBackward(mlir::Operation *op) { op->setAttr(NNDialect::kBackwardAttr, mlir::UnitAttr::get(op->getContext())); }

/// The program's input of that name, or null.
inline mlir::Value findInput(ProgramOp program, llvm::StringRef name) {
  for (auto input : program.getBody().front().getOps<InputOp>())
    if (input.getName() == name)
      return input.getValue();
  return {};
}

} // namespace zp::nn

#endif // ZP_COMPILER_TRANSFORMS_NN_PROGRAMS_H
