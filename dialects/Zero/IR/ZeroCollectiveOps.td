#ifndef ZP_DIALECTS_ZERO_IR_ZEROCOLLECTIVEOPS_TD
#define ZP_DIALECTS_ZERO_IR_ZEROCOLLECTIVEOPS_TD

include "dialects/Zero/IR/ZeroBase.td"

class Zero_CollectiveOp<string mnemonic, Constraint source = Zero_Flat> : Zero_Op<mnemonic, [MemoryEffects<[MemRead, MemWrite]>]> {
  let arguments = (ins source:$source, I64Attr:$ranks);
  let results = (outs Zero_FutureType:$result);
  let assemblyFormat = "$source attr-dict `:` type($source) `->` type($result)";
  let hasVerifier = 1;
}
def Zero_AllGatherOp : Zero_CollectiveOp<"all_gather", AnyTypeOf<[Zero_Flat, Zero_FutureType]>> {
  let summary = "starts to concatenate the ranks' slices, in rank order";
  let description = [{
    A slice that is still on its way is gathered when it has arrived.

    Constraints: C1: the result is `ranks` times as long. C2: one element type.
  }];
}
def Zero_ReduceScatterOp : Zero_CollectiveOp<"reduce_scatter"> {
  let summary = "starts to sum over the ranks, in rank order, keeping this rank's slice";
  let description = [{ Constraints: C1: the source is `ranks` times as long. C2: one element type, f32 or f64. }];
}
def Zero_AllReduceOp : Zero_CollectiveOp<"all_reduce"> {
  let summary = "starts to sum over the ranks, in rank order";
  let description = [{ Constraints: C1: the lengths agree. C2: one element type, f32 or f64. }];
}

class Zero_TransferOp<string mnemonic, dag more = (ins)> : Zero_Op<mnemonic, [MemoryEffects<[MemRead, MemWrite]>]> {
  let arguments = !con((ins Zero_Tensor:$source), more);
  let results = (outs Zero_FutureType:$result);
  let assemblyFormat = "$source attr-dict `:` type($source) `->` type($result)";
  let hasVerifier = 1;
}
def Zero_FetchOp : Zero_TransferOp<"fetch"> {
  let summary = "starts to bring a tensor from another tier into device memory";
  let description = [{
    ```mlir
    %h = zero.values @unit1.frozen : tensor<2048xf32>
    %f = zero.fetch %h : tensor<2048xf32> -> !zero.future<tensor<2048xf32>>
    ```

    Constraints: C1: the future's tensor has the source's type.
  }];
}
def Zero_OffloadOp : Zero_TransferOp<"offload", (ins Zero_Tier:$tier)> {
  let summary = "starts to move a tensor out of device memory";
  let description = [{
    What comes of it lives in the tier and is good for zero.fetch alone.

    Constraints: C1: the future's tensor has the source's type. C2: the tier isn't the device.
  }];
}
def Zero_WaitOp : Zero_Op<"wait", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "the tensor, once it has arrived";
  let description = [{ A future is awaited exactly once, by a wait or by what is started on it. Constraints: C1: the result is what the future promises. }];
  let arguments = (ins Zero_FutureType:$future);
  let results = (outs Zero_Tensor:$result);
  let assemblyFormat = "$future attr-dict `:` type($future) `->` type($result)";
  let hasVerifier = 1;
}

#endif // ZP_DIALECTS_ZERO_IR_ZEROCOLLECTIVEOPS_TD
