// The plan dialect: buffers, windows, entries and the instructions of the op table. Rationale: ../README.md.
#ifndef ZP_DIALECTS_PLAN_IR_PLANDIALECT_H
#define ZP_DIALECTS_PLAN_IR_PLANDIALECT_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace zp::plan {
/// How an instruction touches an operand.
struct Access {
  mlir::Value memory; ///< null: an optional operand that is absent
  bool reads, writes;
};
/// Discardable attribute of a collective that runs beside the compute stream: the event that its end records. The
/// `plan.wait_event` of the same number is where it is awaited. Set by convert-to-plan, spent by plan-schedule-streams.
inline constexpr llvm::StringLiteral kFutureAttr = "plan.future";
/// On a transfer that the next collective follows on its stream.
inline constexpr llvm::StringLiteral kChainedAttr = "plan.chained";
} // namespace zp::plan

#include "dialects/Plan/IR/PlanDialect.h.inc"
#include "dialects/Plan/IR/PlanEnums.h.inc"
#include "dialects/Plan/IR/PlanInterfaces.h.inc"
#define GET_OP_CLASSES
#include "dialects/Plan/IR/PlanOps.h.inc"

#endif // ZP_DIALECTS_PLAN_IR_PLANDIALECT_H
