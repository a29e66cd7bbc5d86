//===- NF4Dialect.td - weights in 4 bits ---------------------------------------===//
// Include order: NF4Dialect, NF4Types, NF4Ops.
#ifndef ZP_DIALECTS_NF4_IR_NF4DIALECT_TD
#define ZP_DIALECTS_NF4_IR_NF4DIALECT_TD

include "mlir/IR/DialectBase.td"

def NF4_Dialect : Dialect {
  let name = "nf4";
  let cppNamespace = "::zp::nf4";
  let summary = "4-bit storage of weights, and products with them";
  let description = [{
    A weight in 4 bits is a tensor like any other whose *element type* is `!nf4.block`: what cuts, gathers, places or copies
    tensors need not know more. Its elements can't be computed with; `nf4.dequantize` makes floats of them, and the products
    `nf4.linear` and `nf4.linear_input_gradient` do so a tile at a time, so that the floats are never in memory.

    The dialect knows no ranks and no memory. How a tensor of such elements lies in memory is runtime/schema/quant_records.h's
    business.

    ```mlir
    nn.parameter @w : tensor<64x32x!nf4.block<64, nested = 256>> initial checkpoint {unit = 1 : i64, checkpoint = "w"}
    %w = nn.read @w : tensor<64x32x!nf4.block<64, nested = 256>>
    %y = nf4.linear %x, %w : (tensor<16x32xbf16>, tensor<64x32x!nf4.block<64, nested = 256>>) -> tensor<16x64xbf16>
    ```
  }];
  let useDefaultTypePrinterParser = 1;
}

#endif // ZP_DIALECTS_NF4_IR_NF4DIALECT_TD
