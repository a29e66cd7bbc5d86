// Phases distribute and schedule. What each pass requires and ensures: Passes.td.
#ifndef ZP_COMPILER_TRANSFORMS_ZERO_PASSES_H
#define ZP_COMPILER_TRANSFORMS_ZERO_PASSES_H

#include "dialects/NF4/IR/NF4Dialect.h"
#include "dialects/NN/IR/NNDialect.h"
#include "dialects/Zero/IR/ZeroDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace zp::zero {
#define GEN_PASS_DECL
#include "compiler/Transforms/Zero/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "compiler/Transforms/Zero/Passes.h.inc"
} // namespace zp::zero

#endif // ZP_COMPILER_TRANSFORMS_ZERO_PASSES_H
