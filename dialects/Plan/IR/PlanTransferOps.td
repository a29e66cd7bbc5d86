// What moves data: streams' events, copies, collectives, and the loader's initial values.
#ifndef ZP_DIALECTS_PLAN_IR_PLANTRANSFEROPS_TD
#define ZP_DIALECTS_PLAN_IR_PLANTRANSFEROPS_TD

include "dialects/Plan/IR/PlanBase.td"

//===--- streams -----------------------------------------------------------===//

def Plan_RecordEventOp : Plan_Instruction<"record_event", 1, ByStream, (ins I64Attr:$event)> {
  let summary = "marks the point that all earlier instructions of this stream have reached";
  let description = [{
    An event orders two streams: what follows its wait_event begins after all that stands before this on this stream has ended.

    Constraints: `event` is one of the plan's; each is recorded once in an entry, and then awaited once.
  }];
  let assemblyFormat = "attr-dict";
}
def Plan_WaitEventOp : Plan_Instruction<"wait_event", 2, ByStream, (ins I64Attr:$event)> {
  let summary = "holds this stream until the event has been recorded and reached";
  let description = [{
    Instructions of this stream behind it begin when what stands before the event's record_event has ended. The host doesn't wait.

    Constraints: `event` is one of the plan's, recorded earlier in the list.
  }];
  let assemblyFormat = "attr-dict";
}
def Plan_CopyOp : Plan_Instruction<"copy", 3, ByStream, (ins Reads<>:$source, Writes<>:$target)> {
  let summary = "copies bytes between buffers of any two tiers; both have the same shape and dtype";
  let description = [{
    The one instruction that may touch a disk's bytes. It takes its turn in its stream like any instruction.

    Constraints: source and target have one shape and dtype, and don't overlap.
  }];
}

//===--- collectives -------------------------------------------------------===//

def Plan_AllGatherOp : Plan_Instruction<"all_gather", 10, ByEngine, (ins Reads<"[n]">:$shard, Writes<"[n·ranks]">:$whole)> {
  let summary = "concatenates the ranks' shards in rank order; bytes are moved as they are";
  let description = [{
    Rank r's shard becomes elements [r·n, (r+1)·n) of every rank's `whole`.

    Constraints: whole has shard's dtype and `ranks` times its elements; the two don't overlap. Collectives of an entry are on one stream.
  }];
}
def Plan_ReduceScatterOp : Plan_Instruction<"reduce_scatter", 11, ByEngine, (ins Updates<"[n·ranks]: used up">:$whole, Writes<"[n]">:$shard)> {
  let summary = "sums the ranks' tensors element by element, in rank order, and keeps this rank's slice (f32 or f64)";
  let description = [{
    Rank r's shard is the sum of the ranks' elements [r·n, (r+1)·n). NCCL, between GPUs, adds in an order of its own. What `whole` holds
    afterwards is not defined: an engine may add in it.

    Constraints: whole has shard's dtype, f32 or f64, and `ranks` times its elements; the two don't overlap.
  }];
}
def Plan_AllReduceOp : Plan_Instruction<"all_reduce", 12, ByEngine, (ins Updates<"[n]">:$data)> {
  let summary = "sums the ranks' tensors element by element, in rank order, on every rank (f32 or f64)";
  let description = [{
    In place. NCCL, between GPUs, adds in an order of its own.

    Constraints: data is f32 or f64.
  }];
}

//===--- initial values ----------------------------------------------------===//

def Plan_LoadSectionOp : Plan_Instruction<"load_section", 20, ByLoader, (ins Writes<"[n]">:$target, I64Attr:$section)> {
  let summary = "brings this rank's slice of a section: checkpoint tensors, converted, or the parameters' initial values";
  let description = [{
    The section's parameter table says what lies where. Target is the rank's shard (all of it when the section is
    replicated); padding between parameters becomes zero. Values are converted to target's dtype.

    Constraints: in entries of kind init alone, on stream 0. `section` is one of floats; target is f32, bf16 or f16 and has its elements, or a rank's
    share of them.
  }];
}
def Plan_LoadQuantizedOp : Plan_Instruction<"load_quantized", 21, ByLoader,
    (ins Writes<"u8[bytes]: records">:$target, OptionalWrites<"f32[blocks of target]">:$scales, I64Attr:$section)> {
  let summary = "brings this rank's records of a section of 4-bit codes: of checkpoint tensors, quantised if they aren't yet";
  let description = [{
    Weights are converted to the plan's compute dtype, then quantised, a record at a time; only what the rank owns is read.
    Without `scales` the records are complete afterwards. With `scales` they have their codes, and each block's scale is in
    `scales` (zero for a block that no tensor has): nest_scales completes them once every rank's are known.

    Constraints: in entries of kind init alone. `section` is one of codes; target has its bytes, or a rank's share in whole records. scales are
    there iff the section's scales are nested and its weights not quantised yet (they may be absent where target is the whole section): 256 a
    record of target.
  }];
}
def Plan_NestScalesOp : Plan_Instruction<"nest_scales", 22, ByLoader,
    (ins Reads<"f32[blocks of the section]">:$scales, Updates<"u8[bytes]: records">:$records, I64Attr:$section)> {
  let summary = "quantises the scales of a section: offset of each tensor, scale of each group, 8-bit codes";
  let description = [{
    The offset is the mean of *all* the tensor's scales, summed in the reference's order, hence the same bits on any number of
    ranks. `records` are this rank's.

    Constraints: in entries of kind init alone. `section` is one of codes with nested scales, of weights that weren't quantised yet; scales has 256
    elements for each record of the section, records its bytes or a rank's share in whole records.
  }];
}

#endif // ZP_DIALECTS_PLAN_IR_PLANTRANSFEROPS_TD
