#ifndef ZP_DIALECTS_NN_IR_NNATTENTIONOPS_TD
#define ZP_DIALECTS_NN_IR_NNATTENTIONOPS_TD

include "dialects/NN/IR/NNBase.td"

def NN_RopeTableOp : NN_PureOp<"rope_table"> {
  let summary = "cos and sin of position·frequency, times scaling";
  let description = [{
    Element (t, i) of cosine is cos(a)·scaling, of sine sin(a)·scaling, with a = positions[t]·inverse_frequencies[i] rounded to f32; each is rounded
    once to the element type. Not differentiable.

    ```mlir
    %cos, %sin = nn.rope_table %positions {inverse_frequencies = array<f32: 1.0, 0.01>} : (tensor<16xi32>) -> (tensor<16x2xf32>, tensor<16x2xf32>)
    ```

    Constraints: C1: both results are [T, d/2] for positions [T] and d/2 frequencies. C2: one element type.
  }];
  let arguments = (ins NN_Indices:$positions, DenseF32ArrayAttr:$inverse_frequencies, DefaultValuedAttr<F64Attr, "1.0">:$scaling);
  let results = (outs NN_Matrix:$cosine, NN_Matrix:$sine);
  let assemblyFormat = "$positions attr-dict `:` functional-type(operands, results)";
}
def NN_RopeOp : NN_DifferentiableOp<"rope"> {
  let summary = "rotary embedding of each head's halves; inverse rotates back";
  let description = [{
    For each head of width head_dim, halves x1, x2: (x1·cos - x2·sin, x2·cos + x1·sin); inverse negates sin. Products are rounded to the element type,
    and so are the sums of two.

    ```mlir
    %q = nn.rope %x, %cos, %sin {head_dim = 4 : i64} : (tensor<16x32xbf16>, tensor<16x2xbf16>, tensor<16x2xbf16>) -> tensor<16x32xbf16>
    ```

    Constraints: C1: x and result have one type. C2: head_dim is even, positive and divides the columns. C3: cosine and sine are
    [T, head_dim/2] with x's element type.

    Gradient: rope with the other direction.
  }];
  let arguments = (ins NN_Matrix:$x, NN_Matrix:$cosine, NN_Matrix:$sine, I64Attr:$head_dim, UnitAttr:$inverse);
  let results = (outs NN_Matrix:$result);
  let assemblyFormat = "$x `,` $cosine `,` $sine attr-dict `:` functional-type(operands, results)";
}

class NN_AttentionShape<dag operands> {
  dag all = !con(operands, (ins NN_Indices:$segments, NN_Indices:$key_segments, Optional<NN_Matrix>:$bias, Optional<NN_Scalars>:$scalars,
                                I64Attr:$heads, I64Attr:$kv_heads, I64Attr:$length, I64Attr:$key_length,
                                DefaultValuedAttr<BoolAttr, "true">:$causal, DefaultValuedAttr<I64Attr, "0">:$window, F64Attr:$scale,
                                OptionalAttr<NN_BiasKind>:$bias_kind, DefaultValuedAttr<F64Attr, "0.0">:$dropout,
                                DefaultValuedAttr<I64Attr, "0">:$site));
}
def NN_AttentionOp : NN_DifferentiableOp<"attention", [AttrSizedOperandSegments]> {
  let summary = "softmax attention within a row and a segment, causal or not, grouped heads, with a bias on the scores";
  let description = [{
    Rows of `length` queries meet rows of `key_length` keys: as many of both; self-attention gives its segments and its length twice.
    The query at place i of a row sees the key at place j of the same row iff their segments are equal and, when causal, j <= i and
    (window == 0 or j > i - window). Padding, of segment -1, is a segment like any other. A query that sees nothing gives zeros. Query head h reads
    kv head h / (heads / kv_heads).

    The score is scale·q·k + bias. A bias is `by_key`, [heads, Tk], or `by_distance`, [heads, length + key_length - 1] with element
    j - i + length - 1. The second result is the log-sum-exp of the scores, f32 [heads, T]; minus infinity where nothing is seen. Scores and softmax
    are in f32, the result is rounded once.

    With `dropout` each probability is dropped or divided by 1 - dropout before it meets its value, by a mask that depends on seed, optimizer
    step, site + h, the row's place in the update, i and j alone: plan.attention has the formula. Head h has a site of its own, so the sites
    [site, site + heads) are this op's.

    ```mlir
    %o, %lse = nn.attention %q, %k, %v, %segments, %segments
        {heads = 4 : i64, kv_heads = 2 : i64, length = 8 : i64, key_length = 8 : i64, scale = 0.35 : f64}
        : (tensor<16x32xbf16>, tensor<16x16xbf16>, tensor<16x16xbf16>, tensor<16xi32>, tensor<16xi32>) -> (tensor<16x32xbf16>, tensor<4x16xf32>)
    ```

    Constraints (query and result [T, heads·d], key and value [Tk, kv_heads·d]):
    - C1: heads divides query's columns, giving d. C2: key and value are [Tk, kv_heads·d]. C3: kv_heads divides heads.
    - C4: length divides T and key_length Tk, into as many rows; segments is [T], key_segments [Tk]. C5: one element type.
    - C6: log_sum_exp is f32 [heads, T]. C7: causal needs key_length == length, a window needs causal and is >= 0.
    - C8: bias and bias_kind come together, and bias is f32 of its kind's shape. C9: dropout is 0 without scalars, in (0, 1) with them.

    Gradient: nn.attention_gradient; log_sum_exp is not differentiable, nor is a bias by_key.
  }];
  let arguments = NN_AttentionShape<(ins NN_Matrix:$query, NN_Matrix:$key, NN_Matrix:$value)>.all;
  let results = (outs NN_Matrix:$result, NN_Matrix:$log_sum_exp);
  let assemblyFormat = [{
    $query `,` $key `,` $value `,` $segments `,` $key_segments (`bias` $bias_kind^ $bias)? (`drops_by` $scalars^)? attr-dict
    `:` functional-type(operands, results)
  }];
  let extraClassDeclaration = [{
    /// What is left without dropout.
    void keepProbabilities() {
      getScalarsMutable().clear();
      setDropout(::llvm::APFloat(0.0));
      setSite(0);
    }
  }];
}
def NN_AttentionGradientOp : NN_PureOp<"attention_gradient", [AttrSizedOperandSegments]> {
  let summary = "gradients of attention with respect to query, key, value and, when asked, a bias by_distance";
  let description = [{
    Masks, heads, bias and dropout are attention's. Of a query and a key that it sees: the probability is p = exp(score - log_sum_exp), m what dropout
    makes of it (0 or 1/(1 - dropout); 1 without), and ds = p·(m·(gradient·value) - gradient·out), dots of the head's columns. Then query_gradient is
    the sum of scale·ds·key over keys, key_gradient that of scale·ds·query and value_gradient that of m·p·gradient, over the queries of all heads that
    read the kv head; each is summed in f32 and rounded once. The bias' gradient, the sum of ds over rows and queries, is f32.

    ```mlir
    %dq, %dk, %dv = nn.attention_gradient %g, %q, %k, %v, %o, %lse, %segments, %segments
        {heads = 4 : i64, kv_heads = 4 : i64, length = 8 : i64, key_length = 8 : i64, scale = 0.35 : f64}
        : (tensor<16x32xf32>, tensor<16x32xf32>, tensor<16x32xf32>, tensor<16x32xf32>, tensor<16x32xf32>, tensor<4x16xf32>, tensor<16xi32>,
           tensor<16xi32>) -> (tensor<16x32xf32>, tensor<16x32xf32>, tensor<16x32xf32>)
    ```

    Constraints (the rest is held by the attention that this is of): C1: gradient and out have query's type. C2: the results have the types of query,
    key, value. C3: bias and bias_kind come together; a bias_gradient has the type of a bias by_distance. C4: dropout is 0 without scalars, in (0, 1)
    with them.
  }];
  let arguments = NN_AttentionShape<(ins NN_Matrix:$gradient, NN_Matrix:$query, NN_Matrix:$key, NN_Matrix:$value, NN_Matrix:$out, NN_Matrix:$log_sum_exp)>.all;
  let results = (outs NN_Matrix:$query_gradient, NN_Matrix:$key_gradient, NN_Matrix:$value_gradient, Optional<NN_Matrix>:$bias_gradient);
  let assemblyFormat = [{
    $gradient `,` $query `,` $key `,` $value `,` $out `,` $log_sum_exp `,` $segments `,` $key_segments (`bias` $bias_kind^ $bias)?
    (`drops_by` $scalars^)? attr-dict `:` functional-type(operands, results)
  }];
}

//===--- what goes into a bias ---------------------------------------------===//

class NN_RelativeBiasShape<dag operands> {
  dag all = !con(operands, (ins I64Attr:$length, I64Attr:$key_length, I64Attr:$max_distance, UnitAttr:$bidirectional));
}
def NN_RelativeBiasOp : NN_DifferentiableOp<"relative_bias"> {
  let summary = "T5's bias by distance: each head's value of the bucket that the distance falls in";
  let description = [{
    Element (h, e) is table[bucket(e - (length - 1)), h]; the bucket's argument is the key's place minus the query's. Of B buckets,
    n = B/2 serve each direction when bidirectional, else n = B, keys after the query count as distance 0. With distance d (its
    absolute value) and exact = n/2: d itself when d < exact, else min(exact + trunc(log(d/exact) / log(max_distance/exact)·(n - exact)), n - 1),
    in f32; plus n when bidirectional and the key comes after the query.

    ```mlir
    %bias = nn.relative_bias %table {length = 8 : i64, key_length = 8 : i64, max_distance = 128 : i64, bidirectional}
        : (tensor<32x4xbf16>) -> tensor<4x15xf32>
    ```

    Constraints (table [B, heads]):
    - C1: length and key_length are positive, and the result is f32 [heads, length + key_length - 1].
    - C2: B is at least 2, when bidirectional even and at least 4. C3: max_distance is more than exact.

    Gradient: nn.relative_bias_gradient.
  }];
  let arguments = NN_RelativeBiasShape<(ins NN_Matrix:$table)>.all;
  let results = (outs NN_Matrix:$result);
  let assemblyFormat = "$table attr-dict `:` functional-type(operands, results)";
}
def NN_RelativeBiasGradientOp : NN_PureOp<"relative_bias_gradient"> {
  let summary = "gradient of relative_bias: the sum over each bucket's distances, f32 [B, heads]";
  let description = [{
    Element (b, h) is the sum, in f32, of gradient[h, e] over the elements e whose distance falls in bucket b; 0 where none does.

    ```mlir
    %dtable = nn.relative_bias_gradient %dbias {length = 8 : i64, key_length = 8 : i64, max_distance = 128 : i64}
        : (tensor<4x15xf32>) -> tensor<32x4xf32>
    ```

    Constraints: C1: gradient and result are f32, of relative_bias' result and table. C2: as relative_bias. C3: as relative_bias.
  }];
  let arguments = NN_RelativeBiasShape<(ins NN_Matrix:$gradient)>.all;
  let results = (outs NN_Matrix:$result);
  let assemblyFormat = "$gradient attr-dict `:` functional-type(operands, results)";
}
def NN_AlibiTableOp : NN_PureOp<"alibi_table"> {
  let summary = "ALiBi's bias by key: a head's slope times the key's position, times scale";
  let description = [{
    Element (h, t) is slopes[h]·positions[t]·scale, the first product rounded to f32 or, with round_bf16 (Falcon), of both factors rounded to bf16
    and rounded to bf16 itself. Without positions, those of a cache: t is its own position. Not differentiable.

    ```mlir
    %bias = nn.alibi_table %positions {slopes = array<f32: 0.25, 0.0625>} : (tensor<16xi32>) -> tensor<2x16xf32>
    ```

    Constraints: C1: the result is f32 [slopes, T], T being the positions when they are there.
  }];
  let arguments = (ins Optional<NN_Indices>:$positions, DenseF32ArrayAttr:$slopes, DefaultValuedAttr<F64Attr, "1.0">:$scale, UnitAttr:$round_bf16);
  let results = (outs NN_Matrix:$result);
  let assemblyFormat = "($positions^)? attr-dict `:` functional-type(operands, results)";
}

#endif // ZP_DIALECTS_NN_IR_NNATTENTIONOPS_TD
