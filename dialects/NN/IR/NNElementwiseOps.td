#ifndef ZP_DIALECTS_NN_IR_NNELEMENTWISEOPS_TD
#define ZP_DIALECTS_NN_IR_NNELEMENTWISEOPS_TD

include "dialects/NN/IR/NNBase.td"

def NN_AddOp : NN_DifferentiableOp<"add", [SameOperandsAndResultType]> {
  let summary = "a + b";
  let description = [{
    Element by element, in f32 or wider, rounded once.

    ```mlir
    %y = nn.add %a, %b : tensor<16x32xf32>
    ```

    Constraints: C1: a, b and the result have one type.

    Gradient: g to both.
  }];
  let arguments = (ins NN_Float:$a, NN_Float:$b);
  let results = (outs NN_Float:$result);
  let assemblyFormat = "$a `,` $b attr-dict `:` type($result)";
  let hasVerifier = 0;
}
def NN_ScaleOp : NN_DifferentiableOp<"scale", [SameOperandsAndResultType]> {
  let summary = "factor·x";
  let description = [{
    Element by element, in f32 or wider, rounded once. A factor of 1 folds away.

    ```mlir
    %y = nn.scale %x {factor = 0.5 : f64} : tensor<16x32xf32>
    ```

    Constraints: C1: x and the result have one type.

    Gradient: factor·g.
  }];
  let arguments = (ins NN_Float:$x, F64Attr:$factor);
  let results = (outs NN_Float:$result);
  let assemblyFormat = "$x attr-dict `:` type($result)";
  let hasVerifier = 0;
  let hasFolder = 1;
}
def NN_CastOp : NN_DifferentiableOp<"cast"> {
  let summary = "conversion of the element type, to nearest even";
  let description = [{
    Element by element; to a wider type it is exact. A cast to x's own type folds away.

    ```mlir
    %y = nn.cast %x : (tensor<16x32xf32>) -> tensor<16x32xbf16>
    ```

    Constraints: C1: the shapes agree.

    Gradient: g cast back to x's type.
  }];
  let arguments = (ins NN_Float:$x);
  let results = (outs NN_Float:$result);
  let assemblyFormat = "$x attr-dict `:` functional-type(operands, results)";
  let hasFolder = 1;
}
def NN_ReshapeOp : NN_DifferentiableOp<"reshape"> {
  let summary = "the same elements in the same order under another shape";
  let description = [{
    Order is row by row. A reshape of a reshape, or to x's own shape, folds.

    ```mlir
    %y = nn.reshape %x : (tensor<16x32xf32>) -> tensor<512xf32>
    ```

    Constraints: C1: element type and count agree.

    Gradient: g reshaped back.
  }];
  let arguments = (ins NN_Float:$x);
  let results = (outs NN_Float:$result);
  let assemblyFormat = "$x attr-dict `:` functional-type(operands, results)";
  let hasFolder = 1;
}
def NN_DropoutOp : NN_DifferentiableOp<"dropout"> {
  let summary = "inverted dropout with a counter-based mask";
  let description = [{
    An element is kept, as x / (1 - probability), iff u >= probability, else it is 0. u, uniform in [0, 1), depends for element (t, d) on seed,
    optimizer step, `site`, the row's place in the update (scalars.row_base + t / length) and (t mod length)·D + d alone: plan.dropout has the
    formula. So the mask is the same on any number of ranks and micro-batches, and when recomputed. Padding is a token like any other.

    ```mlir
    %y = nn.dropout %x, %scalars {probability = 0.1 : f64, site = 3 : i64, length = 8 : i64} : (tensor<16x32xf32>, tensor<64xi8>) -> tensor<16x32xf32>
    ```

    Constraints: C1: x and result have one type [T,D]. C2: length is positive and divides T. C3: 0 <= probability < 1.
    C4: site >= 0.

    Gradient: the same op on g.
  }];
  let arguments = (ins NN_Matrix:$x, NN_Scalars:$scalars, F64Attr:$probability, I64Attr:$site, I64Attr:$length);
  let results = (outs NN_Matrix:$result);
  let assemblyFormat = "$x `,` $scalars attr-dict `:` functional-type(operands, results)";
}
def NN_SiluMulOp : NN_DifferentiableOp<"silu_mul", [SameOperandsAndResultType]> {
  let summary = "gate·sigmoid(gate)·up";
  let description = [{
    gate·sigmoid(gate) is rounded to the element type before the product, which is rounded once more.

    ```mlir
    %h = nn.silu_mul %gate, %up : tensor<16x64xbf16>
    ```

    Constraints: C1: gate, up and the result have one type.

    Gradient: nn.silu_mul_gradient.
  }];
  let arguments = (ins NN_Matrix:$gate, NN_Matrix:$up);
  let results = (outs NN_Matrix:$result);
  let assemblyFormat = "$gate `,` $up attr-dict `:` type($result)";
  let hasVerifier = 0;
}
def NN_SiluMulGradientOp : NN_PureOp<"silu_mul_gradient", [SameOperandsAndResultType]> {
  let summary = "gradients of silu_mul with respect to gate and up";
  let description = [{
    With s = sigmoid(gate): gate_gradient = gradient·up·s·(1 + gate·(1 - s)), up_gradient = gradient·(gate·s) with gate·s rounded to the element
    type as silu_mul rounds it. Each result is rounded once.

    ```mlir
    %dgate, %dup = nn.silu_mul_gradient %dh, %gate, %up : tensor<16x64xbf16>
    ```

    Constraints: C1: operands and results have one type.
  }];
  let arguments = (ins NN_Matrix:$gradient, NN_Matrix:$gate, NN_Matrix:$up);
  let results = (outs NN_Matrix:$gate_gradient, NN_Matrix:$up_gradient);
  let assemblyFormat = "$gradient `,` $gate `,` $up attr-dict `:` type($gradient)";
  let hasVerifier = 0;
}
def NN_ActivationOp : NN_DifferentiableOp<"activation", [SameOperandsAndResultType]> {
  let summary = "relu(x), gelu(x) = x·Φ(x), or gelu_tanh(x) = x/2·(1 + tanh(√(2/π)·(x + 0.044715·x³)))";
  let description = [{
    Φ is the standard normal distribution function, (1 + erf(x/√2))/2. Computed in f32 or wider, rounded once. NaN stays NaN.

    ```mlir
    %h = nn.activation gelu_tanh %x : tensor<16x64xbf16>
    ```

    Constraints: C1: x and the result have one type.

    Gradient: nn.activation_gradient.
  }];
  let arguments = (ins NN_Matrix:$x, NN_Activation:$kind);
  let results = (outs NN_Matrix:$result);
  let assemblyFormat = "$kind $x attr-dict `:` type($result)";
  let hasVerifier = 0;
}
def NN_ActivationGradientOp : NN_PureOp<"activation_gradient", [SameOperandsAndResultType]> {
  let summary = "gradient times the activation's slope at x";
  let description = [{
    Slopes: relu: 1 where x > 0, else 0 (0 at 0). gelu: Φ(x) + x·φ(x), φ being the standard normal density. gelu_tanh, with t its tanh:
    (1 + t)/2 + x/2·(1 - t²)·√(2/π)·(1 + 3·0.044715·x²). The slope isn't rounded, the product once.

    ```mlir
    %dx = nn.activation_gradient gelu_tanh %dh, %x : tensor<16x64xbf16>
    ```

    Constraints: C1: gradient, x and the result have one type.
  }];
  let arguments = (ins NN_Matrix:$gradient, NN_Matrix:$x, NN_Activation:$kind);
  let results = (outs NN_Matrix:$result);
  let assemblyFormat = "$kind $gradient `,` $x attr-dict `:` type($result)";
  let hasVerifier = 0;
}
def NN_GatedActivationOp : NN_DifferentiableOp<"gated_activation", [SameOperandsAndResultType]> {
  let summary = "activation(gate)·up, as silu_mul has it for SiLU";
  let description = [{
    activation(gate), one of nn.activation's functions, is rounded to the element type before the product, which is rounded once more.

    ```mlir
    %h = nn.gated_activation gelu_tanh %gate, %up : tensor<16x64xbf16>
    ```

    Constraints: C1: gate, up and the result have one type.

    Gradient: nn.gated_activation_gradient.
  }];
  let arguments = (ins NN_Matrix:$gate, NN_Matrix:$up, NN_Activation:$kind);
  let results = (outs NN_Matrix:$result);
  let assemblyFormat = "$kind $gate `,` $up attr-dict `:` type($result)";
  let hasVerifier = 0;
}
def NN_GatedActivationGradientOp : NN_PureOp<"gated_activation_gradient", [SameOperandsAndResultType]> {
  let summary = "gradients of gated_activation with respect to gate and up";
  let description = [{
    gate_gradient = gradient·up·slope(gate), with nn.activation_gradient's slopes; up_gradient = gradient·activation(gate), with activation(gate)
    rounded to the element type as gated_activation rounds it. Each result is rounded once.

    ```mlir
    %dgate, %dup = nn.gated_activation_gradient gelu_tanh %dh, %gate, %up : tensor<16x64xbf16>
    ```

    Constraints: C1: operands and results have one type.
  }];
  let arguments = (ins NN_Matrix:$gradient, NN_Matrix:$gate, NN_Matrix:$up, NN_Activation:$kind);
  let results = (outs NN_Matrix:$gate_gradient, NN_Matrix:$up_gradient);
  let assemblyFormat = "$kind $gradient `,` $gate `,` $up attr-dict `:` type($gradient)";
  let hasVerifier = 0;
}
def NN_ClampHalfOp : NN_DifferentiableOp<"clamp_half", [SameOperandsAndResultType]> {
  let summary = "x, but f16's infinities become its largest numbers less a thousand";
  let description = [{
    Of f16: what is infinite becomes ±64512, which is f16's 65504 - 1000; whatever else stays, NaN too. Of any other element type: x itself, and
    nn-set-precision takes it away.

    ```mlir
    %y = nn.clamp_half %x : tensor<16x32xf16>
    ```

    Constraints: C1: x and the result have one type.

    Gradient: nn.clamp_half_gradient.
  }];
  let arguments = (ins NN_Matrix:$x);
  let results = (outs NN_Matrix:$result);
  let assemblyFormat = "$x attr-dict `:` type($result)";
  let hasVerifier = 0;
}
def NN_ClampHalfGradientOp : NN_PureOp<"clamp_half_gradient", [SameOperandsAndResultType]> {
  let summary = "gradient where `clamped`, what clamp_half gave, is not ±64512, else 0";
  let description = [{
    What was ±64512 before counts as clamped: then x need not be kept. Of any element type but f16: gradient itself.

    ```mlir
    %dx = nn.clamp_half_gradient %dy, %y : tensor<16x32xf16>
    ```

    Constraints: C1: gradient, clamped and the result have one type.
  }];
  let arguments = (ins NN_Matrix:$gradient, NN_Matrix:$clamped);
  let results = (outs NN_Matrix:$result);
  let assemblyFormat = "$gradient `,` $clamped attr-dict `:` type($result)";
  let hasVerifier = 0;
}
def NN_SplitQkvOp : NN_DifferentiableOp<"split_qkv"> {
  let summary = "query, key and value out of one matrix that has them kv head by kv head";
  let description = [{
    For each kv head x has its heads / kv_heads query heads, then its key, then its value, each of one head's width d: BLOOM's and old Falcon's
    layout with kv_heads = heads, multi-query's with kv_heads = 1, Falcon's groups between them. Elements are copied.

    ```mlir
    %q, %k, %v = nn.split_qkv %x {heads = 4 : i64, kv_heads = 2 : i64}
        : (tensor<16x64xbf16>) -> (tensor<16x32xbf16>, tensor<16x16xbf16>, tensor<16x16xbf16>)
    ```

    Constraints: C1: heads and kv_heads are positive, and kv_heads divides heads. C2: x is [T, (heads + 2·kv_heads)·d], query [T, heads·d], key and
    value [T, kv_heads·d]. C3: one element type.

    Gradient: nn.join_qkv.
  }];
  let arguments = (ins NN_Matrix:$x, I64Attr:$heads, I64Attr:$kv_heads);
  let results = (outs NN_Matrix:$query, NN_Matrix:$key, NN_Matrix:$value);
  let assemblyFormat = "$x attr-dict `:` functional-type(operands, results)";
}
def NN_JoinQkvOp : NN_PureOp<"join_qkv", [AttrSizedOperandSegments]> {
  let summary = "the inverse of split_qkv; what isn't given is zero";
  let description = [{
    The layout is split_qkv's. As its gradient it gets only the parts that have one.

    ```mlir
    %dx = nn.join_qkv query %dq value %dv {heads = 4 : i64, kv_heads = 2 : i64} : (tensor<16x32xbf16>, tensor<16x16xbf16>) -> tensor<16x64xbf16>
    ```

    Constraints (of the parts that are given): C1: as split_qkv. C2: as split_qkv, with the result as x. C3: as split_qkv. C4: something is given.
  }];
  let arguments = (ins Optional<NN_Matrix>:$query, Optional<NN_Matrix>:$key, Optional<NN_Matrix>:$value, I64Attr:$heads, I64Attr:$kv_heads);
  let results = (outs NN_Matrix:$result);
  let assemblyFormat = "(`query` $query^)? (`key` $key^)? (`value` $value^)? attr-dict `:` functional-type(operands, results)";
}
def NN_RowsOp : NN_PureOp<"rows"> {
  let summary = "the rows from scalars.first_token on; rows past the end are zero";
  let description = [{
    result[r] = x[scalars.first_token + r], zero where x has no such row: a chunk of the tokens, whose place the host chooses. Not differentiable.

    ```mlir
    %chunk = nn.rows %x, %scalars : (tensor<16x32xbf16>, tensor<64xi8>) -> tensor<4x32xbf16>
    ```

    Constraints: C1: x [T,D] and result [C,D] have one element type and D.
  }];
  let arguments = (ins NN_Matrix:$x, NN_Scalars:$scalars);
  let results = (outs NN_Matrix:$result);
  let assemblyFormat = "$x `,` $scalars attr-dict `:` functional-type(operands, results)";
}

#endif // ZP_DIALECTS_NN_IR_NNELEMENTWISEOPS_TD
