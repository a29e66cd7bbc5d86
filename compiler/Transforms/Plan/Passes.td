//===- Passes.td - phase plan ---------------------------------------------------===//
#ifndef ZP_COMPILER_TRANSFORMS_PLAN_PASSES_TD
#define ZP_COMPILER_TRANSFORMS_PLAN_PASSES_TD

include "mlir/Pass/PassBase.td"

class Plan_Pass<string flag> : Pass<flag, "::mlir::ModuleOp"> { let dependentDialects = ["::zp::plan::PlanDialect"]; }

def AdvanceGathersPass : Plan_Pass<"plan-advance-gathers"> {
  let summary = "starts gathers earlier where that takes no memory";
  let description = [{
    Where the settings leave `prefetch_distance` open (-1), zero-prefetch-gathers brings one unit ahead of use. Here a second and a third
    are brought beside it, where memory is free: what brings weights starts with what brings the unit's two before, or that of the one
    before, unless a tier would hold more on the way than the fullest entry holds anyway, less a twentieth for what placing loses. Where
    the device's arena grows all the same, less a fifth; if that doesn't help, the entry stays as it is. Where the target has engines for
    transfers, what is fetched to be gathered starts a unit before its gather, if there is room for the slice: it crosses the bus while the
    slice before is gathered. Gathers keep their order, and so do fetches. With `prefetch_bytes` nothing moves.

    Requires: legalize-tiers. Ensures: every future is awaited once, after its start.

    ```mlir
    plan.all_gather %s1, %w1 {plan.future = 0 : i64} : memref<1024xf32>, memref<2048xf32>
    plan.silu_mul %gate, %up, %h : memref<16x64xf32>, memref<16x64xf32>, memref<16x64xf32>
    plan.wait_event {event = 0 : i64}
    plan.all_gather %s2, %w2 {plan.future = 1 : i64} : memref<1024xf32>, memref<2048xf32>
    ```
    becomes, where the buffer of %w2 has room beside what else is live until then,
    ```mlir
    plan.all_gather %s1, %w1 {plan.future = 0 : i64} : memref<1024xf32>, memref<2048xf32>
    plan.all_gather %s2, %w2 {plan.future = 1 : i64} : memref<1024xf32>, memref<2048xf32>
    plan.silu_mul %gate, %up, %h : memref<16x64xf32>, memref<16x64xf32>, memref<16x64xf32>
    plan.wait_event {event = 0 : i64}
    ```
  }];
}

def ReuseResultsPass : Plan_Pass<"plan-reuse-results"> {
  let summary = "leaves out what is computed again, where memory is free";
  let description = [{
    Recomputation says what need not be kept; whether there is room all the same only a plan knows. A kernel that computes, of the same values
    with the same attributes, what an earlier one has computed is left out where the earlier result is still in its memory and may stay there as
    long as it is wanted, without more being alive on the way than the fullest entry has anyway: most often the block behind which
    the backward pass begins, and norms and gates that are wanted again soon. So is what only those read that were left out. Products and
    attention come first. If the device's arena would grow, a twentieth of those bytes is left alone, or a fifth, or nothing is done.

    Requires: legalize-tiers. Ensures: what is written to memory that outlives the entry is the same; so is the device's peak.

    ```mlir
    plan.silu_mul %gate, %up, %h : memref<16x64xf32>, memref<16x64xf32>, memref<16x64xf32>
    plan.add %h, %a, %s : memref<16x64xf32>, memref<16x64xf32>, memref<16x64xf32>
    plan.silu_mul %gate, %up, %h2 : memref<16x64xf32>, memref<16x64xf32>, memref<16x64xf32>
    plan.add %h2, %b, %t : memref<16x64xf32>, memref<16x64xf32>, memref<16x64xf32>
    ```
    becomes
    ```mlir
    plan.silu_mul %gate, %up, %h : memref<16x64xf32>, memref<16x64xf32>, memref<16x64xf32>
    plan.add %h, %a, %s : memref<16x64xf32>, memref<16x64xf32>, memref<16x64xf32>
    plan.add %h, %b, %t : memref<16x64xf32>, memref<16x64xf32>, memref<16x64xf32>
    ```
  }];
}

def ShareDequantizedPass : Plan_Pass<"plan-share-dequantized"> {
  let summary = "dequantises a weight once for two products, where that takes no memory that wasn't set aside";
  let description = [{
    A linear's product, most often a recomputed one, and its input gradient multiply by the same 4-bit weight. With `dequant_cache_bytes`,
    what the first of two such products dequantises is left in a buffer, and the second multiplies by that. It lives between the two,
    so there must be room: no more may live on the way than the fullest entry holds anyway, less what placing loses (a twentieth, else a
    fifth), and what zero-cache-dequantized left of the bytes that were set aside. Pairs that are close together come first. Nothing is
    done for a target whose kernels have their panels of a weight on the stack.

    Requires: legalize-tiers. Ensures: an entry's peak grows by at most what was left; no float differs from what the product with codes
    would read.

    ```mlir
    plan.nf4_matmul %x, %codes, %workspace, %y {rows = 64 : i64, columns = 32 : i64, transpose = true, alpha = 1.0 : f64, accumulate = false,
        quant_type = 0 : i64, block_size = 64 : i64, nested = false, branch_alpha = 1.0 : f64,
        operandSegmentSizes = array<i32: 1, 1, 0, 0, 0, 1, 0, 1>} : memref<16x32xf32>, memref<9216xi8>, memref<8192xi8>, memref<16x64xf32>
    plan.nf4_matmul %dy, %codes, %workspace, %dx {rows = 64 : i64, columns = 32 : i64, transpose = false, alpha = 1.0 : f64, accumulate = false,
        quant_type = 0 : i64, block_size = 64 : i64, nested = false, branch_alpha = 1.0 : f64,
        operandSegmentSizes = array<i32: 1, 1, 0, 0, 0, 1, 0, 1>} : memref<16x64xf32>, memref<9216xi8>, memref<8192xi8>, memref<16x32xf32>
    ```
    becomes, where there is room for the floats,
    ```mlir
    plan.nf4_matmul %x, %codes, %floats, %y {rows = 64 : i64, columns = 32 : i64, transpose = true, alpha = 1.0 : f64, accumulate = false,
        quant_type = 0 : i64, block_size = 64 : i64, nested = false, branch_alpha = 1.0 : f64,
        operandSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 1, 1>} : memref<16x32xf32>, memref<9216xi8>, memref<64x32xf32>, memref<16x64xf32>
    plan.matmul %dy, %floats, %dx {transpose_a = false, transpose_b = false, alpha = 1.0 : f64, accumulate = false, branch_alpha = 1.0 : f64,
        operandSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 1>} : memref<16x64xf32>, memref<64x32xf32>, memref<16x32xf32>
    ```
  }];
}

def ScheduleStreamsPass : Plan_Pass<"plan-schedule-streams"> {
  let summary = "puts collectives and transfers that are awaited later on streams of their own";
  let description = [{
    Stream 0 computes. When something of an entry has `plan.future`, stream 1 carries all collectives of that entry, for
    ranks must issue them in one order, and its transfers between memories. Where the target has engines for these, stream 2 carries those into the
    device and stream 3 those out of it: what is gathered, fetched and taken out then goes on at the same time, and what is gathered of what is
    fetched (`plan.after`) awaits that itself. Each starts when stream 0 has come to its place in the list, which also orders all memory it touches,
    and is done where its event is awaited; without a future that is at once. Events are numbered anew: each is recorded once and awaited once.

    Requires: convert-to-plan. Ensures: no `plan.future` is left.

    ```mlir
    plan.all_gather %s, %w {plan.future = 0 : i64} : memref<1024xf32>, memref<2048xf32>
    // what is computed meanwhile
    plan.wait_event {event = 0 : i64}
    ```
    becomes
    ```mlir
    plan.record_event {event = 0 : i64}
    plan.wait_event {event = 0 : i64, stream = 1 : i64}
    plan.all_gather %s, %w {stream = 1 : i64} : memref<1024xf32>, memref<2048xf32>
    plan.record_event {event = 1 : i64, stream = 1 : i64}
    // what is computed meanwhile
    plan.wait_event {event = 1 : i64}
    ```
  }];
}

def LegalizeTiersPass : Plan_Pass<"plan-legalize-tiers"> {
  let summary = "brings operands to where an instruction works";
  let description = [{
    A kernel works in one memory: the device's or, when most bytes of its operands live outside the device, the host's (an
    optimizer whose state is offloaded is computed by the CPU). Operands that live elsewhere are copied in before it and, if it
    writes them, out after it, or when what it started is awaited. Collectives work in device memory. A disk's bytes are only ever copied.

    Requires: convert-to-plan. Ensures: all operands of an instruction are in one memory, except a copy's.

    ```mlir
    plan.buffer @master tier host kind optimizer {bytes = 256 : i64}
    plan.buffer @t0 tier device kind working {bytes = 256 : i64}
    %m = plan.view @master[0] : memref<64xf32>
    %g = plan.view @t0[0] : memref<64xf32>
    plan.accumulate %g, %m {scale = 1.0 : f64} : memref<64xf32>, memref<64xf32>
    ```
    becomes
    ```mlir
    plan.buffer @master tier host kind optimizer {bytes = 256 : i64}
    plan.buffer @t0 tier device kind working {bytes = 256 : i64}
    plan.buffer @tier0 tier host kind communication {bytes = 256 : i64}
    %m = plan.view @master[0] : memref<64xf32>
    %g = plan.view @t0[0] : memref<64xf32>
    %h = plan.view @tier0[0] : memref<64xf32>
    plan.copy %g, %h : memref<64xf32>, memref<64xf32>
    plan.accumulate %h, %m {scale = 1.0 : f64} : memref<64xf32>, memref<64xf32>
    ```
  }];
}

def AssignArenasPass : Plan_Pass<"plan-assign-arenas"> {
  let summary = "gives every buffer its place";
  let description = [{
    Buffers of the module come first, one after the other; behind them each entry lays out its own, which may share bytes
    when they are never live together. Each tier has an arena of its own. A buffer lives from the first to the last instruction that touches it, an
    asynchronous one's until its event is awaited. Placement: at the lowest gap that fits, largest first;
    where that leaves gaps, in other orders too, with what ended too high placed first, and the tightest is kept.

    Requires: schedule-streams. Ensures: every buffer has an offset. The proof is not here: it is the schedule verifier's,
    which knows nothing of lives.
  }];
  let statistics = [Statistic<"arenaBytes", "arena-bytes", "size of the device arena">,
                    Statistic<"liveBytes", "live-bytes", "largest sum of live buffers at an instruction">];
}

#endif // ZP_COMPILER_TRANSFORMS_PLAN_PASSES_TD
