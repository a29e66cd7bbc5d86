// Phase plan. What each pass requires and ensures: Passes.td.
#ifndef ZP_COMPILER_TRANSFORMS_PLAN_PASSES_H
#define ZP_COMPILER_TRANSFORMS_PLAN_PASSES_H

#include "dialects/Plan/IR/PlanDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace zp::plan {
#define GEN_PASS_DECL
#include "compiler/Transforms/Plan/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "compiler/Transforms/Plan/Passes.h.inc"
} // namespace zp::plan

#endif // ZP_COMPILER_TRANSFORMS_PLAN_PASSES_H
