#ifndef ZP_DIALECTS_NF4_IR_NF4TYPES_TD
#define ZP_DIALECTS_NF4_IR_NF4TYPES_TD

include "dialects/NF4/IR/NF4Dialect.td"
include "mlir/IR/AttrTypeBase.td"

def NF4_BlockType : TypeDef<NF4_Dialect, "Block"> {
  let mnemonic = "block";
  let summary = "an element in 4 bits, with a scale that it shares with its block";
  let description = [{
    A tensor of these is flattened row by row and cut into blocks of `blockSize` elements; the last one may be short. An element is
    value[code]·scale of its block. `codes` says which table of 16 values the code points into: `nf4` (the default: quantiles
    of a normal distribution) or `fp4` (floats of 4 bits). Scales are f32; with `nested = 256` they are 8-bit codes
    themselves, with an f32 scale for each 256 of them and an f32 offset for the tensor.

    ```mlir
    !plain = !nf4.block<64>
    !nested = !nf4.block<64, nested = 256>
    !fp4 = !nf4.block<64, fp4, nested = 256>
    ```

    Constraints: C1: the block size is a power of two from 32 to 4096. C2: `nested` is 256, or absent.
  }];
  let parameters = (ins "int64_t":$blockSize, "bool":$fp4, "int64_t":$nested);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
}

#endif // ZP_DIALECTS_NF4_IR_NF4TYPES_TD
