//===- PlanDialect.td - the abstract machine ----------------------------------===//
#ifndef ZP_DIALECTS_PLAN_IR_PLANDIALECT_TD
#define ZP_DIALECTS_PLAN_IR_PLANDIALECT_TD

include "mlir/IR/DialectBase.td"

def Plan_Dialect : Dialect {
  let name = "plan";
  let cppNamespace = "::zp::plan";
  let summary = "the scheduled program of one rank: buffers, streams, instructions";
  let description = [{
    The last dialect before the file: one op here is one record of plan.fb. Everything is memory (`memref`s of a static
    shape); `plan.buffer` declares it with tier and kind, `plan.view` gives a typed window of it, and the instructions of
    the op table (PlanOps.td) read and write windows in the order of a `plan.entry`. Nothing here knows what a parameter
    or a rank's slice means; `rank` only selects data at run time.

    ```mlir
    plan.buffer @gradients tier device kind gradients {bytes = 4096 : i64}
    plan.buffer @square_sum tier device kind working {bytes = 8 : i64}
    plan.entry @apply_gradients kind apply_gradients {
      %g = plan.view @gradients[0] : memref<1024xf32>
      %s = plan.view @square_sum[0] : memref<1xf64>
      plan.sum_squares %g, %s : memref<1024xf32>, memref<1xf64>
    }
    ```
  }];
  let useDefaultTypePrinterParser = 0;
}

#endif // ZP_DIALECTS_PLAN_IR_PLANDIALECT_TD
