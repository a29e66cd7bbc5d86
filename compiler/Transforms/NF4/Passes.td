//===- Passes.td - 4-bit weights, in phases train and fuse ----------------------===//
#ifndef ZP_COMPILER_TRANSFORMS_NF4_PASSES_TD
#define ZP_COMPILER_TRANSFORMS_NF4_PASSES_TD

include "mlir/Pass/PassBase.td"

class NF4_Pass<string flag> : Pass<flag, "::mlir::ModuleOp"> {
  let dependentDialects = ["::zp::nn::NNDialect", "::zp::nf4::NF4Dialect"];
}

def QuantizeFrozenWeightsPass : NF4_Pass<"nf4-quantize-frozen-weights"> {
  let summary = "keeps the frozen weights of linears in 4 bits";
  let description = [{
    With `use_4bit_quantization`: a frozen parameter whose only uses are as weights of nn.linear gets 4-bit elements, in blocks
    of 64 as the reference makes them, and is dequantised where it is used. A linear with the attribute `nf4.skip` keeps its floats.

    Requires: set-precision; forward programs only. Ensures: no frozen weight of a linear is in floats, unless skipped.

    ```mlir
    nn.parameter @w : tensor<64x32xbf16> initial checkpoint {unit = 1 : i64, checkpoint = "w"}
    %w = nn.read @w : tensor<64x32xbf16>
    %y = nn.linear %x, %w : (tensor<16x32xbf16>, tensor<64x32xbf16>) -> tensor<16x64xbf16>
    ```
    becomes
    ```mlir
    nn.parameter @w : tensor<64x32x!nf4.block<64>> initial checkpoint {unit = 1 : i64, checkpoint = "w"}
    %q = nn.read @w : tensor<64x32x!nf4.block<64>>
    %w = nf4.dequantize %q : (tensor<64x32x!nf4.block<64>>) -> tensor<64x32xbf16>
    %y = nn.linear %x, %w : (tensor<16x32xbf16>, tensor<64x32xbf16>) -> tensor<16x64xbf16>
    ```
  }];
}

def FuseDequantMatmulPass : NF4_Pass<"nf4-fuse-dequant-matmul"> {
  let summary = "multiplies with 4-bit weights directly";
  let description = [{
    Requires: build-backward; nn-fuse-linear-epilogue has run, so that additions move along. Ensures: no product reads a
    dequantised weight, so no float copy of one is larger than a kernel's tile.

    ```mlir
    %w = nf4.dequantize %q : (tensor<64x32x!nf4.block<64>>) -> tensor<64x32xbf16>
    %y = nn.linear %x, %w : (tensor<16x32xbf16>, tensor<64x32xbf16>) -> tensor<16x64xbf16>
    ```
    becomes
    ```mlir
    %y = nf4.linear %x, %q : (tensor<16x32xbf16>, tensor<64x32x!nf4.block<64>>) -> tensor<16x64xbf16>
    ```
  }];
}

#endif // ZP_COMPILER_TRANSFORMS_NF4_PASSES_TD
