//===- PlanOps.td - THE op table ---------------------------------------------===//
//
// Conventions. T tokens of a micro-batch (rows × length), D features. Matrices are row-major and dense. `scalars` is the
// block of step scalars (runtime/schema/step_scalars.h). "Adds into" means out += …; a buffer that is added into is zeroed
// by an earlier instruction. Sums are taken in an order that does not depend on the number of threads. `f` is the compute
// dtype (f32, bf16 or f16): arithmetic inside a kernel is f32 (f64 where said), one rounding per stored value.
//
// Constraints without a number are checked when a plan is loaded: by the kernel's check.cpp, or by the plan's verifier for what no kernel
// carries out. Of every instruction: operands that aren't optional are there, on no disk (but a copy's), of rank 1 to 4, with the dtype and
// the shape that the table gives them; what is written overlaps no other operand, unless it "may be" one: then it is the very same memory.
// Elementwise instructions compare numbers of elements, not shapes.
// Next free opcode: 80.
//===----------------------------------------------------------------------===//

#ifndef ZP_DIALECTS_PLAN_IR_PLANOPS_TD
#define ZP_DIALECTS_PLAN_IR_PLANOPS_TD

include "dialects/Plan/IR/PlanMemoryOps.td"
include "dialects/Plan/IR/PlanTransferOps.td"
include "dialects/Plan/IR/PlanElementwiseOps.td"
include "dialects/Plan/IR/PlanProductOps.td"
include "dialects/Plan/IR/PlanNormOps.td"
include "dialects/Plan/IR/PlanAttentionOps.td"
include "dialects/Plan/IR/PlanOptimizerOps.td"

#endif // ZP_DIALECTS_PLAN_IR_PLANOPS_TD
