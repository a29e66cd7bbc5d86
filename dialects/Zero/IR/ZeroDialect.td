//===- ZeroDialect.td - who owns which slice, when is it whole ------------------===//
// Include order: ZeroDialect, ZeroTypes, ZeroAttrs, ZeroOps.
#ifndef ZP_DIALECTS_ZERO_IR_ZERODIALECT_TD
#define ZP_DIALECTS_ZERO_IR_ZERODIALECT_TD

include "mlir/IR/DialectBase.td"

def Zero_Dialect : Dialect {
  let name = "zero";
  let cppNamespace = "::zp::zero";
  let summary = "ZeRO distribution: units, sections, slices, collectives";
  let description = [{
    Where state lives and when it is whole. It sees flat tensors and slots in them; what they mean is `nn`'s business.

    A *unit* (a block; the embeddings; the head) owns up to three *sections*, frozen floats, trainables and 4-bit codes: flat arrays in which
    every parameter is a *slot*. Over R ranks a section of N elements is cut into R equal slices; rank r owns
    [r·N/R, (r+1)·N/R). One program is written for all ranks: a slice-sized tensor means "this rank's".

    What is asynchronous returns a `!zero.future<T>` and becomes a T by `zero.wait`; its buffer's life begins at the start
    and ends at the last use, so there is nothing to release.

    ```mlir
    zero.section @block1.frozen kind frozen {unit = 1 : i64, type = tensor<4096xf32>, slots = [#zero.slot<@w, 0>],
                                             ranks = 2 : i64, values_sharded}
    %shard = zero.values @block1.frozen : tensor<2048xf32>
    %future = zero.all_gather %shard {ranks = 2 : i64} : tensor<2048xf32> -> !zero.future<tensor<4096xf32>>
    %whole = zero.wait %future : !zero.future<tensor<4096xf32>> -> tensor<4096xf32>
    %w = zero.slot %whole, @block1.frozen, @w : (tensor<4096xf32>) -> tensor<64x32xf32>
    ```
  }];
  let useDefaultTypePrinterParser = 1;
  let useDefaultAttributePrinterParser = 1;
}

#endif // ZP_DIALECTS_ZERO_IR_ZERODIALECT_TD
