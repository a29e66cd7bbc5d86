// From nn and zero to plan.
#ifndef ZP_COMPILER_CONVERSION_TOPLAN_PASSES_H
#define ZP_COMPILER_CONVERSION_TOPLAN_PASSES_H

#include "dialects/NN/IR/NNDialect.h"
#include "dialects/Plan/IR/PlanDialect.h"
#include "dialects/Zero/IR/ZeroDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace zp {
#define GEN_PASS_DECL
#include "compiler/Conversion/ToPlan/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "compiler/Conversion/ToPlan/Passes.h.inc"
} // namespace zp

#endif // ZP_COMPILER_CONVERSION_TOPLAN_PASSES_H
