// Patterns of the nn dialect: a file a group of ops, as in dialects/NN/IR, and an overload of `lower` an op.
#ifndef ZP_COMPILER_CONVERSION_TOPLAN_NNTOPLAN_H
#define ZP_COMPILER_CONVERSION_TOPLAN_NNTOPLAN_H

#include "compiler/Conversion/ToPlan/ToPlan.h"

namespace zp {

/// Lowers an op of one of these kinds, by the overload that its file has; false for another.
template <typename... OpTs> bool lowerOneOf(mlir::Operation *operation, Lowering &lowering) {
  auto lowered = [&]<typename OpT>(OpT op) {
    if (op)
      lower(op, lowering);
    return static_cast<bool>(op);
  };
  return (lowered(mlir::dyn_cast<OpTs>(operation)) || ...);
}

/// False for an op of another group.
bool lowerStates(mlir::Operation *op, Lowering &lowering); ///< programs, states, caches
bool lowerLinears(mlir::Operation *op, Lowering &lowering);
bool lowerElementwise(mlir::Operation *op, Lowering &lowering);
bool lowerNorms(mlir::Operation *op, Lowering &lowering);
bool lowerAttention(mlir::Operation *op, Lowering &lowering);
bool lowerLosses(mlir::Operation *op, Lowering &lowering); ///< and what ends a step

inline mlir::RankedTensorType tensorTypeOf(mlir::Value value) { return mlir::cast<mlir::RankedTensorType>(value.getType()); }
inline int64_t rows(mlir::Value value) { return tensorTypeOf(value).getDimSize(0); }
inline int64_t columns(mlir::Value value) { return tensorTypeOf(value).getDimSize(1); }
inline DType dtypeOf(mlir::Value value) {
  mlir::Type type = tensorTypeOf(value).getElementType();
  return type.isBF16() ? DType::BF16 : type.isF16() ? DType::F16 : DType::F32;
}

} // namespace zp

#endif // ZP_COMPILER_CONVERSION_TOPLAN_NNTOPLAN_H
