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
/// Discardable attribute of what runs beside the compute stream: the number of its future. It is awaited once, by the `plan.wait_event` of that
/// number or by what has it as `plan.after`. Set by convert-to-plan, spent by plan-schedule-streams.
inline constexpr llvm::StringLiteral kFutureAttr = "plan.future";
/// Of a collective that starts when that future is fulfilled: of what is fetched for it.
inline constexpr llvm::StringLiteral kAfterAttr = "plan.after";
} // namespace zp::plan

#include "dialects/Plan/IR/PlanDialect.h.inc"
#include "dialects/Plan/IR/PlanEnums.h.inc"
#include "dialects/Plan/IR/PlanInterfaces.h.inc"
#define GET_OP_CLASSES
#include "dialects/Plan/IR/PlanOps.h.inc"

#endif // ZP_DIALECTS_PLAN_IR_PLANDIALECT_H
