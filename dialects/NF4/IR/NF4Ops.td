#ifndef ZP_DIALECTS_NF4_IR_NF4OPS_TD
#define ZP_DIALECTS_NF4_IR_NF4OPS_TD

include "dialects/NF4/IR/NF4Types.td"
include "mlir/IR/OpBase.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

class NF4_TensorOf<list<Type> elements, int rank, string summary>
    : RankedTensorOf<elements, [HasStaticShapePred, HasAnyRankOfPred<[rank]>], summary>;
defvar NF4_Floats = [F32, BF16, F16];

def NF4_Float : StaticShapeTensorOf<NF4_Floats>;
def NF4_Codes : StaticShapeTensorOf<[NF4_BlockType]>;
def NF4_Matrix : NF4_TensorOf<NF4_Floats, 2, "matrix of floats">;
def NF4_Vector : NF4_TensorOf<NF4_Floats, 1, "vector of floats">;
def NF4_Weight : NF4_TensorOf<[NF4_BlockType], 2, "matrix in 4 bits">;

class NF4_Op<string mnemonic, list<Trait> traits = []> : Op<NF4_Dialect, mnemonic, traits # [Pure]> { let hasVerifier = 1; }

def NF4_QuantizeOp : NF4_Op<"quantize"> {
  let summary = "a tensor in 4 bits: bitsandbytes' CPU quantiser, to the bit";
  let description = [{
    A block's scale is its largest magnitude; an element takes the code whose value is nearest to element/scale, a tie the
    lower one. With nested scales, the mean of all the tensor's scales is its offset, and what is left of them is
    quantised in turn.

    Quantising the f32 values of un-nested 4-bit elements gives those elements back.

    ```mlir
    %q = nf4.quantize %w : (tensor<64x32xf32>) -> tensor<64x32x!nf4.block<64>>
    ```

    Constraints: C1: the shapes agree.
  }];
  let arguments = (ins NF4_Float:$value);
  let results = (outs NF4_Codes:$result);
  let assemblyFormat = "$value attr-dict `:` functional-type(operands, results)";
  let hasFolder = 1;
}

def NF4_DequantizeOp : NF4_Op<"dequantize"> {
  let summary = "floats from 4 bits: value[code]·scale in f32, rounded to the result's type";
  let description = [{
    A nested scale is map[code]·group scale + offset, rounded after each operation.

    ```mlir
    %w = nf4.dequantize %q : (tensor<64x32x!nf4.block<64>>) -> tensor<64x32xbf16>
    ```

    Constraints: C1: the shapes agree.
  }];
  let arguments = (ins NF4_Codes:$value);
  let results = (outs NF4_Float:$result);
  let assemblyFormat = "$value attr-dict `:` functional-type(operands, results)";
}

def NF4_LinearOp : NF4_Op<"linear", [AttrSizedOperandSegments]> {
  let summary = "alpha·x·dequantised weightᵀ (+ branch_alpha·branch_x·branch_weightᵀ) (+ bias) (+ addend)";
  let description = [{
    nn.linear of nf4.dequantize: the weight is rounded to x's element type, the sum once to the result's.

    ```mlir
    %y = nf4.linear %x, %w : (tensor<16x32xbf16>, tensor<64x32x!nf4.block<64>>) -> tensor<16x64xbf16>
    ```

    Constraints (x [T,K], weight [N,K], bias [N], addend and result [T,N], branch_x [T,R], branch_weight [N,R]):
    - C1: K of x and weight agree. C2: N of weight, bias and result agree. C3: T of x, addend and result agree.
    - C4: all but the weight have one element type. C5: the branch is whole, and its T, N and R agree.
  }];
  let arguments = (ins NF4_Matrix:$x, NF4_Weight:$weight, Optional<NF4_Vector>:$bias, Optional<NF4_Matrix>:$addend,
                       Optional<NF4_Matrix>:$branch_x, Optional<NF4_Matrix>:$branch_weight, DefaultValuedAttr<F64Attr, "1.0">:$alpha,
                       OptionalAttr<StrAttr>:$module, DefaultValuedAttr<F64Attr, "1.0">:$branch_alpha);
  let results = (outs NF4_Matrix:$result);
  let assemblyFormat = "$x `,` $weight (`bias` $bias^)? (`addend` $addend^)? (`branch` $branch_x^ `,` $branch_weight)? attr-dict `:` functional-type(operands, results)";
}

def NF4_LinearInputGradientOp : NF4_Op<"linear_input_gradient", [AttrSizedOperandSegments]> {
  let summary = "alpha·gradient·dequantised weight (+ branch_alpha·branch_gradient·branch_weight) (+ addend)";
  let description = [{
    nn.linear_input_gradient of nf4.dequantize. There is no weight gradient: 4-bit weights are frozen.

    ```mlir
    %dx = nf4.linear_input_gradient %dy, %w : (tensor<16x64xbf16>, tensor<64x32x!nf4.block<64>>) -> tensor<16x32xbf16>
    ```

    Constraints (gradient [T,N], weight [N,K], addend and result [T,K], branch_gradient [T,R], branch_weight [R,K]):
    - C1: N agrees. C2: K agrees. C3: T agrees. C4: all but the weight have one element type.
    - C5: the branch is whole, and its T, R and K agree.
  }];
  let arguments = (ins NF4_Matrix:$gradient, NF4_Weight:$weight, Optional<NF4_Matrix>:$addend, Optional<NF4_Matrix>:$branch_gradient,
                       Optional<NF4_Matrix>:$branch_weight, DefaultValuedAttr<F64Attr, "1.0">:$alpha,
                       DefaultValuedAttr<F64Attr, "1.0">:$branch_alpha);
  let results = (outs NF4_Matrix:$result);
  let assemblyFormat = "$gradient `,` $weight (`addend` $addend^)? (`branch` $branch_gradient^ `,` $branch_weight)? attr-dict `:` functional-type(operands, results)";
}

#endif // ZP_DIALECTS_NF4_IR_NF4OPS_TD
