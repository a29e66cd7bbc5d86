#ifndef ZP_DIALECTS_NN_IR_NNATTENTIONOPS_TD
#define ZP_DIALECTS_NN_IR_NNATTENTIONOPS_TD

include "dialects/NN/IR/NNBase.td"

def NN_RopeTableOp : NN_PureOp<"rope_table"> {
  let summary = "cos and sin of position·frequency, times scaling";
  let description = [{
    Constraints: C1: both results are [T, d/2] for positions [T] and d/2 frequencies. C2: one element type.
  }];
  let arguments = (ins NN_Indices:$positions, DenseF32ArrayAttr:$inverse_frequencies, DefaultValuedAttr<F64Attr, "1.0">:$scaling);
  let results = (outs NN_Matrix:$cosine, NN_Matrix:$sine);
  let assemblyFormat = "$positions attr-dict `:` functional-type(operands, results)";
}
def NN_RopeOp : NN_DifferentiableOp<"rope"> {
  let summary = "rotary embedding of each head's halves; inverse rotates back";
  let description = [{
    For each head of width head_dim, halves x1, x2: (x1·cos - x2·sin, x2·cos + x1·sin); inverse negates sin.

    Constraints: C1: x and result have one type. C2: head_dim is even and divides the columns. C3: cosine and sine are
    [T, head_dim/2] with x's element type.

    Gradient: rope with the other direction.
  }];
  let arguments = (ins NN_Matrix:$x, NN_Matrix:$cosine, NN_Matrix:$sine, I64Attr:$head_dim, UnitAttr:$inverse);
  let results = (outs NN_Matrix:$result);
  let assemblyFormat = "$x `,` $cosine `,` $sine attr-dict `:` functional-type(operands, results)";
}

class NN_AttentionShape<dag operands> {
  dag all = !con(operands, (ins NN_Indices:$segments, I64Attr:$heads, I64Attr:$kv_heads, I64Attr:$length,
                                DefaultValuedAttr<I64Attr, "0">:$window, F64Attr:$scale));
}
def NN_AttentionOp : NN_DifferentiableOp<"attention"> {
  let summary = "causal softmax attention within a row and a segment, grouped heads";
  let description = [{
    Token i sees j of the same row (t / length) iff segments[i] == segments[j], j <= i and (window == 0 or j > i - window).
    Query head h reads kv head h / (heads / kv_heads). The second result is the log-sum-exp of scale·q·k, f32 [heads, T].

    Constraints (query and result [T, heads·d], key and value [T, kv_heads·d]):
    - C1: heads divides query's columns, giving d. C2: key and value are [T, kv_heads·d]. C3: kv_heads divides heads.
    - C4: length divides T, and segments is [T]. C5: one element type. C6: log_sum_exp is f32 [heads, T].

    Gradient: nn.attention_gradient; log_sum_exp is not differentiable.
  }];
  let arguments = NN_AttentionShape<(ins NN_Matrix:$query, NN_Matrix:$key, NN_Matrix:$value)>.all;
  let results = (outs NN_Matrix:$result, NN_Matrix:$log_sum_exp);
  let assemblyFormat = "$query `,` $key `,` $value `,` $segments attr-dict `:` functional-type(operands, results)";
}
def NN_AttentionGradientOp : NN_PureOp<"attention_gradient"> {
  let summary = "gradients of attention with respect to query, key and value";
  let description = [{ Constraints: C1: gradient and out have query's type. C2: the results have the types of query, key, value. }];
  let arguments = NN_AttentionShape<(ins NN_Matrix:$gradient, NN_Matrix:$query, NN_Matrix:$key, NN_Matrix:$value, NN_Matrix:$out, NN_Matrix:$log_sum_exp)>.all;
  let results = (outs NN_Matrix:$query_gradient, NN_Matrix:$key_gradient, NN_Matrix:$value_gradient);
  let assemblyFormat = "$gradient `,` $query `,` $key `,` $value `,` $out `,` $log_sum_exp `,` $segments attr-dict `:` functional-type(operands, results)";
}

#endif // ZP_DIALECTS_NN_IR_NNATTENTIONOPS_TD
