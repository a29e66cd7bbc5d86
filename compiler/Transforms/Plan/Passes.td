//===- Passes.td - phase plan ---------------------------------------------------===//
#ifndef ZP_COMPILER_TRANSFORMS_PLAN_PASSES_TD
#define ZP_COMPILER_TRANSFORMS_PLAN_PASSES_TD

include "mlir/Pass/PassBase.td"

class Plan_Pass<string flag> : Pass<flag, "::mlir::ModuleOp"> { let dependentDialects = ["::zp::plan::PlanDialect"]; }

def ScheduleStreamsPass : Plan_Pass<"plan-schedule-streams"> {
  let summary = "puts collectives that are awaited later on a stream of their own";
  let description = [{
    Stream 0 computes. When a collective of an entry has `plan.future`, stream 1 carries all collectives of that entry, for
    ranks must issue them in one order. A collective starts when stream 0 has come to its place in the list, which also
    orders all memory it touches, and is done where its event is awaited; without a future that is at once. Events are numbered anew: each is recorded once and awaited once.

    Requires: convert-to-plan. Ensures: no `plan.future` is left.

    ```mlir
    plan.all_gather %s, %w {plan.future = 0 : i64} : …
    …
    plan.wait_event {event = 0 : i64}
    // becomes
    plan.record_event {event = 0 : i64}
    plan.wait_event {event = 0 : i64, stream = 1 : i64}
    plan.all_gather %s, %w {stream = 1 : i64} : …
    plan.record_event {event = 1 : i64, stream = 1 : i64}
    …
    plan.wait_event {event = 1 : i64}
    ```
  }];
}

def AssignArenasPass : Plan_Pass<"plan-assign-arenas"> {
  let summary = "gives every buffer its place";
  let description = [{
    Buffers of the module come first, one after the other; behind them each entry lays out its own, which may share bytes
    when they are never live together. A buffer lives from the first to the last instruction that touches it, an
    asynchronous one's until its event is awaited. Placement: largest first, at the lowest gap that fits.

    Requires: schedule-streams. Ensures: every buffer has an offset. The proof is not here: it is the schedule verifier's,
    which knows nothing of lives.
  }];
  let statistics = [Statistic<"arenaBytes", "arena-bytes", "size of the device arena">,
                    Statistic<"liveBytes", "live-bytes", "largest sum of live buffers at an instruction">];
}

#endif // ZP_COMPILER_TRANSFORMS_PLAN_PASSES_TD
