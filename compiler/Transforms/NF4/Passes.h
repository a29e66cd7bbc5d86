// 4-bit weights. What each pass requires and ensures: Passes.td.
#ifndef ZP_COMPILER_TRANSFORMS_NF4_PASSES_H
#define ZP_COMPILER_TRANSFORMS_NF4_PASSES_H

#include "dialects/NF4/IR/NF4Dialect.h"
#include "dialects/NN/IR/NNDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace zp::nf4 {
#define GEN_PASS_DECL
#include "compiler/Transforms/NF4/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "compiler/Transforms/NF4/Passes.h.inc"
} // namespace zp::nf4

#endif // ZP_COMPILER_TRANSFORMS_NF4_PASSES_H
