// Phases train and fuse. What each pass requires and ensures: Passes.td.
#ifndef ZP_COMPILER_TRANSFORMS_NN_PASSES_H
#define ZP_COMPILER_TRANSFORMS_NN_PASSES_H

#include "dialects/NN/IR/NNDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace zp::nn {
#define GEN_PASS_DECL
#include "compiler/Transforms/NN/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "compiler/Transforms/NN/Passes.h.inc"
} // namespace zp::nn

#endif // ZP_COMPILER_TRANSFORMS_NN_PASSES_H
