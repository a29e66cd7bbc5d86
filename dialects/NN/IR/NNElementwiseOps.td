#ifndef ZP_DIALECTS_NN_IR_NNELEMENTWISEOPS_TD
#define ZP_DIALECTS_NN_IR_NNELEMENTWISEOPS_TD

include "dialects/NN/IR/NNBase.td"

def NN_AddOp : NN_DifferentiableOp<"add", [SameOperandsAndResultType]> {
  let summary = "a + b";
  let description = [{ Gradient: g to both. }];
  let arguments = (ins NN_Float:$a, NN_Float:$b);
  let results = (outs NN_Float:$result);
  let assemblyFormat = "$a `,` $b attr-dict `:` type($result)";
  let hasVerifier = 0;
}
def NN_ScaleOp : NN_DifferentiableOp<"scale", [SameOperandsAndResultType]> {
  let summary = "factor·x";
  let description = [{ Gradient: factor·g. }];
  let arguments = (ins NN_Float:$x, F64Attr:$factor);
  let results = (outs NN_Float:$result);
  let assemblyFormat = "$x attr-dict `:` type($result)";
  let hasVerifier = 0;
  let hasFolder = 1;
}
def NN_CastOp : NN_DifferentiableOp<"cast"> {
  let summary = "conversion of the element type, to nearest even";
  let description = [{ Constraints: C1: the shapes agree. Gradient: g cast back. }];
  let arguments = (ins NN_Float:$x);
  let results = (outs NN_Float:$result);
  let assemblyFormat = "$x attr-dict `:` functional-type(operands, results)";
  let hasFolder = 1;
}
def NN_ReshapeOp : NN_DifferentiableOp<"reshape"> {
  let summary = "the same elements in the same order under another shape";
  let description = [{ Constraints: C1: element type and count agree. Gradient: g reshaped back. }];
  let arguments = (ins NN_Float:$x);
  let results = (outs NN_Float:$result);
  let assemblyFormat = "$x attr-dict `:` functional-type(operands, results)";
  let hasFolder = 1;
}
def NN_DropoutOp : NN_DifferentiableOp<"dropout"> {
  let summary = "inverted dropout with a counter-based mask";
  let description = [{
    The mask of element (t, d) depends on seed, optimizer step, `site`, the row's place in the update
    (scalars.row_base + t / length) and (t mod length)·D + d alone: plan.dropout has the formula. So it is the same on any
    number of ranks and micro-batches, and when recomputed.

    Constraints: C1: x and result have one type [T,D]. C2: length divides T. C3: 0 <= probability < 1.

    Gradient: the same op on g.
  }];
  let arguments = (ins NN_Matrix:$x, NN_Scalars:$scalars, F64Attr:$probability, I64Attr:$site, I64Attr:$length);
  let results = (outs NN_Matrix:$result);
  let assemblyFormat = "$x `,` $scalars attr-dict `:` functional-type(operands, results)";
}
def NN_SiluMulOp : NN_DifferentiableOp<"silu_mul", [SameOperandsAndResultType]> {
  let summary = "gate·sigmoid(gate)·up";
  let description = [{ gate·sigmoid(gate) is rounded to the element type before the product. Gradient: nn.silu_mul_gradient. }];
  let arguments = (ins NN_Matrix:$gate, NN_Matrix:$up);
  let results = (outs NN_Matrix:$result);
  let assemblyFormat = "$gate `,` $up attr-dict `:` type($result)";
  let hasVerifier = 0;
}
def NN_SiluMulGradientOp : NN_PureOp<"silu_mul_gradient", [SameOperandsAndResultType]> {
  let summary = "gradients of silu_mul with respect to gate and up";
  let arguments = (ins NN_Matrix:$gradient, NN_Matrix:$gate, NN_Matrix:$up);
  let results = (outs NN_Matrix:$gate_gradient, NN_Matrix:$up_gradient);
  let assemblyFormat = "$gradient `,` $gate `,` $up attr-dict `:` type($gradient)";
  let hasVerifier = 0;
}
def NN_ActivationOp : NN_DifferentiableOp<"activation", [SameOperandsAndResultType]> {
  let summary = "relu(x), gelu(x) = x·Φ(x), or gelu_tanh(x) = x/2·(1 + tanh(√(2/π)·(x + 0.044715·x³)))";
  let description = [{ Φ is the normal distribution's: (1 + erf(x/√2))/2. Gradient: nn.activation_gradient. }];
  let arguments = (ins NN_Matrix:$x, NN_Activation:$kind);
  let results = (outs NN_Matrix:$result);
  let assemblyFormat = "$kind $x attr-dict `:` type($result)";
  let hasVerifier = 0;
}
def NN_ActivationGradientOp : NN_PureOp<"activation_gradient", [SameOperandsAndResultType]> {
  let summary = "gradient times the activation's slope at x; relu's is 0 at 0";
  let arguments = (ins NN_Matrix:$gradient, NN_Matrix:$x, NN_Activation:$kind);
  let results = (outs NN_Matrix:$result);
  let assemblyFormat = "$kind $gradient `,` $x attr-dict `:` type($result)";
  let hasVerifier = 0;
}
def NN_GatedActivationOp : NN_DifferentiableOp<"gated_activation", [SameOperandsAndResultType]> {
  let summary = "activation(gate)·up, as silu_mul has it for SiLU";
  let description = [{ activation(gate) is rounded to the element type before the product. Gradient: nn.gated_activation_gradient. }];
  let arguments = (ins NN_Matrix:$gate, NN_Matrix:$up, NN_Activation:$kind);
  let results = (outs NN_Matrix:$result);
  let assemblyFormat = "$kind $gate `,` $up attr-dict `:` type($result)";
  let hasVerifier = 0;
}
def NN_GatedActivationGradientOp : NN_PureOp<"gated_activation_gradient", [SameOperandsAndResultType]> {
  let summary = "gradients of gated_activation with respect to gate and up";
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
    What was ±64512 before counts as clamped: then x need not be kept.
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
    layout with kv_heads = heads, multi-query's with kv_heads = 1, Falcon's groups between them.

    Constraints: C1: kv_heads divides heads. C2: x is [T, (heads + 2·kv_heads)·d], query [T, heads·d], key and value [T, kv_heads·d].
    C3: one element type.

    Gradient: nn.join_qkv.
  }];
  let arguments = (ins NN_Matrix:$x, I64Attr:$heads, I64Attr:$kv_heads);
  let results = (outs NN_Matrix:$query, NN_Matrix:$key, NN_Matrix:$value);
  let assemblyFormat = "$x attr-dict `:` functional-type(operands, results)";
}
def NN_JoinQkvOp : NN_PureOp<"join_qkv", [AttrSizedOperandSegments]> {
  let summary = "the inverse of split_qkv; what isn't given is zero";
  let description = [{ Constraints: C1: as split_qkv. C2: as split_qkv. C3: as split_qkv. C4: something is given. }];
  let arguments = (ins Optional<NN_Matrix>:$query, Optional<NN_Matrix>:$key, Optional<NN_Matrix>:$value, I64Attr:$heads, I64Attr:$kv_heads);
  let results = (outs NN_Matrix:$result);
  let assemblyFormat = "(`query` $query^)? (`key` $key^)? (`value` $value^)? attr-dict `:` functional-type(operands, results)";
}
def NN_RowsOp : NN_PureOp<"rows"> {
  let summary = "the rows from scalars.first_token on; rows past the end are zero";
  let description = [{ Constraints: C1: x [T,D] and result [C,D] have one element type and D. }];
  let arguments = (ins NN_Matrix:$x, NN_Scalars:$scalars);
  let results = (outs NN_Matrix:$result);
  let assemblyFormat = "$x `,` $scalars attr-dict `:` functional-type(operands, results)";
}

#endif // ZP_DIALECTS_NN_IR_NNELEMENTWISEOPS_TD
