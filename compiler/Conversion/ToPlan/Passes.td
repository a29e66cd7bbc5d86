//===- Passes.td - from values to memory -----------------------------------------===//
#ifndef ZP_COMPILER_CONVERSION_TOPLAN_PASSES_TD
#define ZP_COMPILER_CONVERSION_TOPLAN_PASSES_TD

include "mlir/Pass/PassBase.td"

def ConvertToPlanPass : Pass<"convert-to-plan", "::mlir::ModuleOp"> {
  let summary = "turns programs of nn and zero into entries of instructions on buffers";
  let description = [{
    One walk a program, one pattern an op: a value becomes a window of a buffer, an op an instruction. Results are written
    where they end up: gradients straight into their packed section, outputs and states into their own memory; an op whose
    operand dies works in place where the op table allows it. A collective whose wait doesn't follow at once carries
    `plan.future` and its wait becomes a `plan.wait_event`. nn.parameter and zero.section stay: they are the plan's tables.

    Requires: zero-verify-partition. Ensures: no nn or zero op is left in a program.
  }];
  let dependentDialects = ["::zp::plan::PlanDialect"];
}

#endif // ZP_COMPILER_CONVERSION_TOPLAN_PASSES_TD
