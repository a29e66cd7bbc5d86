// plan dialect to plan.fb's payload. No weight bytes in it: a table of what to read where.
#ifndef ZP_COMPILER_TARGET_PLAN_PLANEMITTER_H
#define ZP_COMPILER_TARGET_PLAN_PLANEMITTER_H

#include <cstdint>
#include <vector>

#include "mlir/IR/BuiltinOps.h"

namespace zp {

/// The flatbuffer of a module that has been through phase plan. Emits an error for one that hasn't.
mlir::FailureOr<std::vector<uint8_t>> emitPlan(mlir::ModuleOp module);

} // namespace zp

#endif // ZP_COMPILER_TARGET_PLAN_PLANEMITTER_H
