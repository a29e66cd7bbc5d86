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
    Slice r of the result is what rank r gives, as it is. A slice that is still on its way is gathered when it has arrived. All ranks issue the same
    collectives in the same order.

    ```mlir
    %coming = zero.all_gather %slice {ranks = 2 : i64} : tensor<2048xf32> -> !zero.future<tensor<4096xf32>>
    ```

    Constraints: C1: `ranks` is positive, and the result is `ranks` times as long. C2: one element type.
  }];
}
def Zero_ReduceScatterOp : Zero_CollectiveOp<"reduce_scatter"> {
  let summary = "starts to sum over the ranks, in rank order, keeping this rank's slice";
  let description = [{
    Element i of rank r's result is the sum of the ranks' elements i + r·n, n being the result's length, in the element type. In rank order it has the
    same bits on any engine of hosts; NCCL, between GPUs, adds in an order of its own.

    ```mlir
    %coming = zero.reduce_scatter %packed {ranks = 2 : i64} : tensor<384xf32> -> !zero.future<tensor<192xf32>>
    ```

    Constraints: C1: `ranks` is positive, and the source is `ranks` times as long. C2: one element type, f32 or f64.
  }];
}
def Zero_AllReduceOp : Zero_CollectiveOp<"all_reduce"> {
  let summary = "starts to sum over the ranks, in rank order";
  let description = [{
    Every rank gets the sum, element by element. Its order is reduce_scatter's.

    ```mlir
    %coming = zero.all_reduce %loss {ranks = 2 : i64} : tensor<1xf64> -> !zero.future<tensor<1xf64>>
    ```

    Constraints: C1: `ranks` is positive, and the lengths agree. C2: one element type, f32 or f64.
  }];
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
    The source is what a section stores in another tier, or what zero.offload took out. Elements are copied.

    ```mlir
    %h = zero.wait %offloaded : !zero.future<tensor<16x32xf32>> -> tensor<16x32xf32>
    %f = zero.fetch %h : tensor<16x32xf32> -> !zero.future<tensor<16x32xf32>>
    ```

    Constraints: C1: the future's tensor has the source's type.
  }];
}
def Zero_OffloadOp : Zero_TransferOp<"offload", (ins Zero_Tier:$tier)> {
  let summary = "starts to move a tensor out of device memory";
  let description = [{
    Elements are copied. What comes of it lives in the tier and is good for zero.fetch alone.

    ```mlir
    %offloaded = zero.offload %x {tier = 2 : i32} : tensor<16x32xf32> -> !zero.future<tensor<16x32xf32>>
    ```

    Constraints: C1: the future's tensor has the source's type. C2: the tier isn't the device.
  }];
}
def Zero_WaitOp : Zero_Op<"wait", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "the tensor, once it has arrived";
  let description = [{
    A future is awaited exactly once, by a wait or by what is started on it; zero-verify-partition proves it.

    ```mlir
    %whole = zero.wait %coming : !zero.future<tensor<4096xf32>> -> tensor<4096xf32>
    ```

    Constraints: C1: the result is what the future promises.
  }];
  let arguments = (ins Zero_FutureType:$future);
  let results = (outs Zero_Tensor:$result);
  let assemblyFormat = "$future attr-dict `:` type($future) `->` type($result)";
  let hasVerifier = 1;
}

#endif // ZP_DIALECTS_ZERO_IR_ZEROCOLLECTIVEOPS_TD
