#ifndef ZP_DIALECTS_ZERO_IR_ZEROCOLLECTIVEOPS_TD
#define ZP_DIALECTS_ZERO_IR_ZEROCOLLECTIVEOPS_TD

include "dialects/Zero/IR/ZeroBase.td"

class Zero_CollectiveOp<string mnemonic> : Zero_Op<mnemonic, [MemoryEffects<[MemRead, MemWrite]>]> {
  let arguments = (ins Zero_Flat:$source, I64Attr:$ranks);
  let results = (outs Zero_FutureType:$result);
  let assemblyFormat = "$source attr-dict `:` type($source) `->` type($result)";
  let hasVerifier = 1;
}
def Zero_AllGatherOp : Zero_CollectiveOp<"all_gather"> {
  let summary = "starts to concatenate the ranks' slices, in rank order";
  let description = [{ Constraints: C1: the result is `ranks` times as long. C2: one element type. }];
}
def Zero_ReduceScatterOp : Zero_CollectiveOp<"reduce_scatter"> {
  let summary = "starts to sum over the ranks, in rank order, keeping this rank's slice";
  let description = [{ Constraints: C1: the source is `ranks` times as long. C2: one element type, f32 or f64. }];
}
def Zero_AllReduceOp : Zero_CollectiveOp<"all_reduce"> {
  let summary = "starts to sum over the ranks, in rank order";
  let description = [{ Constraints: C1: the lengths agree. C2: one element type, f32 or f64. }];
}
def Zero_WaitOp : Zero_Op<"wait", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "the tensor, once it has arrived";
  let description = [{ A future is awaited exactly once. Constraints: C1: the result is what the future promises. }];
  let arguments = (ins Zero_FutureType:$future);
  let results = (outs Zero_Flat:$result);
  let assemblyFormat = "$future attr-dict `:` type($future) `->` type($result)";
  let hasVerifier = 1;
}

#endif // ZP_DIALECTS_ZERO_IR_ZEROCOLLECTIVEOPS_TD
