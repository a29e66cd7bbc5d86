// Attention and what it is made of: rotary embeddings, fused projections, biases, caches.
#ifndef ZP_DIALECTS_PLAN_IR_PLANATTENTIONOPS_TD
#define ZP_DIALECTS_PLAN_IR_PLANATTENTIONOPS_TD

include "dialects/Plan/IR/PlanBase.td"

//===--- rotary embeddings, fused projections ------------------------------===//

def Plan_RopeTableOp : Plan_Instruction<"rope_table", 46, OnDevice,
    (ins Reads<"i32[T]">:$positions, Writes<"f[T,d/2]">:$cosine, Writes<"f[T,d/2]">:$sine, DenseF32ArrayAttr:$inverse_frequencies, F64Attr:$scaling)> {
  let summary = "cos and sin of position·frequency (f32 product), times scaling, rounded once";
  let description = [{
    a = positions[t]·inverse_frequencies[i], rounded to f32; cosine[t][i] = cos(a)·scaling, sine[t][i] = sin(a)·scaling.

    Constraints: cosine and sine have one dtype; there are at most 128 frequencies, and scaling is finite.
  }];
}
def Plan_RopeOp : Plan_Instruction<"rope", 47, OnDevice,
    (ins Reads<"f[T,heads·d]">:$source, Reads<"f[T,d/2]">:$cosine, Reads<"f[T,d/2]">:$sine, Writes<"f[T,heads·d]">:$target, I64Attr:$head_dim, BoolAttr:$inverse)> {
  let summary = "rotates each head's halves (NeoX layout); inverse rotates back: the gradient; target may be source";
  let description = [{
    out1 = round(x1·cos) - round(x2·sin), out2 = round(x2·cos) + round(x1·sin), each sum rounded; inverse negates sin.

    Constraints: source, tables and target have one dtype; head_dim is even and divides source's columns; tables are [T, head_dim/2].
  }];
}
def Plan_SplitQkvOp : Plan_Instruction<"split_qkv", 72, OnDevice,
    (ins Reads<"f[T,(heads+2·kv_heads)·d]">:$source, Writes<"f[T,heads·d]">:$query, Writes<"f[T,kv_heads·d]">:$key, Writes<"f[T,kv_heads·d]">:$value,
         I64Attr:$heads, I64Attr:$kv_heads)> {
  let summary = "takes a fused projection apart: for each kv head source has its heads/kv_heads query heads, its key, its value, d wide each";
  let description = [{
    Elements are copied.

    Constraints: all have one dtype; kv_heads divides heads, and heads + 2·kv_heads divides source's columns, giving d.
  }];
}
def Plan_JoinQkvOp : Plan_Instruction<"join_qkv", 73, OnDevice,
    (ins OptionalReads<"f[T,heads·d]">:$query, OptionalReads<"f[T,kv_heads·d]">:$key, OptionalReads<"f[T,kv_heads·d]">:$value,
         Writes<"f[T,(heads+2·kv_heads)·d]">:$target, I64Attr:$heads, I64Attr:$kv_heads), [AttrSizedOperandSegments]> {
  let summary = "the inverse of split_qkv, and its gradient; what is absent is zero";
  let description = [{
    Elements are copied. Operands that are absent are 0 in `operandSegmentSizes`:

    ```mlir
    plan.join_qkv %dq, %dv, %dx {heads = 4 : i64, kv_heads = 2 : i64, operandSegmentSizes = array<i32: 1, 0, 1, 1>}
        : memref<16x32xf32>, memref<16x16xf32>, memref<16x64xf32>
    ```

    Constraints: as split_qkv, with target as its source.
  }];
}

//===--- attention ---------------------------------------------------------===//

def Plan_AttentionOp : Plan_Instruction<"attention", 48, OnDevice,
    (ins Reads<"f[T,heads·d]">:$query, Reads<"f[Tk,kv_heads·d]">:$key, Reads<"f[Tk,kv_heads·d]">:$value, Reads<"i32[T]">:$segments,
         Reads<"i32[Tk]">:$key_segments, OptionalReads<"f32[heads,Tk], or f32[heads,length+key_length-1] by distance">:$bias,
         OptionalReads<"u8: with dropout">:$scalars, OptionalWrites<"u8">:$workspace, Writes<"f[T,heads·d]">:$target, Writes<"f32[heads,T]">:$log_sum_exp,
         I64Attr:$heads, I64Attr:$kv_heads, I64Attr:$length, I64Attr:$window, F64Attr:$scale, I64Attr:$key_length, BoolAttr:$causal,
         BoolAttr:$bias_by_distance, F64Attr:$dropout, I64Attr:$site), [AttrSizedOperandSegments]> {
  let summary = "softmax attention within a row and a segment, causal or not, grouped heads, tiled";
  let description = [{
    Rows of `length` queries meet rows of `key_length` keys, T/length = Tk/key_length. The query at place i of its row sees the key at place
    j of the same row iff their segments are equal and, when causal (key_length is length then), j <= i and (window == 0 or j > i - window).
    Padding (segment -1) is a segment like any other. A query that sees nothing gives zeros, its log_sum_exp is minus infinity. Query head h
    reads kv head h / (heads / kv_heads). Scores, scale·q·k + bias, and softmax in f32; the bias' element is the key's, or
    j - i + length - 1 by distance. log_sum_exp is over the scores.

    With dropout (0 without scalars, in (0, 1) with them) the probability of place i and j is dropped before it meets the value unless
    u >= dropout, else divided by (1 - dropout): u as plan.dropout has it, of key = seed, counter = (i·2¹⁵ + ⌊j/4⌋, update row, site + h,
    optimizer step), output word j mod 4. So the mask knows neither tiles nor the lengths, which are at most 2¹⁷ then.

    Constraints: query, key, value and target have one dtype; heads divides query's columns, giving d of at most 256, and kv_heads divides heads;
    length and key_length divide T and Tk into as many rows; causal needs key_length == length, a window (not negative) needs causal; scale is
    finite, and site + heads - 1 fits in 32 bits.
  }];
}
def Plan_AttentionGradientOp : Plan_Instruction<"attention_gradient", 49, OnDevice,
    (ins Reads<"f[T,heads·d]">:$grad_out, Reads<"f[T,heads·d]">:$query, Reads<"f[Tk,kv_heads·d]">:$key, Reads<"f[Tk,kv_heads·d]">:$value,
         Reads<"f[T,heads·d]">:$out, Reads<"f32[heads,T]">:$log_sum_exp, Reads<"i32[T]">:$segments, Reads<"i32[Tk]">:$key_segments,
         OptionalReads<"as attention's">:$bias, OptionalReads<"u8: with dropout">:$scalars, OptionalWrites<"u8">:$workspace,
         Writes<"f">:$grad_query, Writes<"f">:$grad_key, Writes<"f">:$grad_value, OptionalWrites<"f32[heads,length+key_length-1]">:$grad_bias,
         I64Attr:$heads, I64Attr:$kv_heads, I64Attr:$length, I64Attr:$window, F64Attr:$scale, I64Attr:$key_length, BoolAttr:$causal,
         BoolAttr:$bias_by_distance, F64Attr:$dropout, I64Attr:$site), [AttrSizedOperandSegments]> {
  let summary = "gradient of attention; probabilities are recomputed from log_sum_exp tile by tile";
  let description = [{
    Of a query and a key that it sees: p = exp(score - log_sum_exp), m what dropout, attention's mask and all, makes of it (0 or 1/(1 - dropout);
    1 without), ds = p·(m·(grad_out·value) - grad_out·out). grad_query = Σ scale·ds·key over keys, grad_key = Σ scale·ds·query and grad_value = Σ
    m·p·grad_out over the queries of all heads that read the kv head. grad_bias, of a bias by distance, is Σ ds over the rows in their order, and
    over their queries. Sums are f32, rounded once.

    Constraints: attention's. grad_out, out and grad_query are as query, grad_key and grad_value as key; grad_bias needs a bias by distance; workspace
    has the bytes of attentionGradientWorkspaceBytes (runtime/schema/workspaces.h).
  }];
}

//===--- biases of attention -----------------------------------------------===//

def Plan_RelativeBiasOp : Plan_Instruction<"relative_bias", 74, OnDevice,
    (ins Reads<"f[buckets,heads]">:$table, Writes<"f32[heads,length+key_length-1]">:$target,
         I64Attr:$length, I64Attr:$key_length, I64Attr:$max_distance, BoolAttr:$bidirectional)> {
  let summary = "T5's bias by distance: target[h][e] = table[bucket(e - (length - 1))][h]";
  let description = [{
    The argument is the key's place minus the query's. n = bidirectional ? buckets/2 : buckets, exact = n/2; the distance d is its absolute
    value or, not bidirectional, 0 for keys after the query. bucket = d when d < exact, else
    min(exact + trunc(log(d/exact) / log(max_distance/exact)·(n - exact)), n - 1) in f32; plus n when bidirectional and the key comes after.

    Constraints: there are at least 2 buckets, when bidirectional an even number of at least 4; max_distance is more than exact.
  }];
}
def Plan_RelativeBiasGradientOp : Plan_Instruction<"relative_bias_gradient", 75, OnDevice,
    (ins Reads<"f32[heads,length+key_length-1]">:$grad_out, Writes<"f32[buckets,heads]">:$grad_table,
         I64Attr:$length, I64Attr:$key_length, I64Attr:$max_distance, BoolAttr:$bidirectional)> {
  let summary = "gradient of relative_bias: the sum over each bucket's distances";
  let description = [{
    0 for a bucket that has none; grad_table is written, not added into.

    Constraints: as relative_bias.
  }];
}
def Plan_AlibiTableOp : Plan_Instruction<"alibi_table", 76, OnDevice,
    (ins OptionalReads<"i32[T]: 0, 1, … when absent">:$positions, Writes<"f32[heads,T]">:$target,
         DenseF32ArrayAttr:$slopes, F64Attr:$scale, BoolAttr:$round_bf16)> {
  let summary = "ALiBi's bias by key: target[h][t] = slopes[h]·positions[t]·scale";
  let description = [{
    The first product is rounded to f32; with round_bf16 its factors are rounded to bf16, and so is it. What is scaled is rounded to f32.

    Constraints: there are as many slopes as heads, all finite, and scale is finite.
  }];
}

//===--- generation --------------------------------------------------------===//

def Plan_AppendCacheOp : Plan_Instruction<"append_cache", 64, OnDevice,
    (ins Reads<"f[T,D]">:$source, Reads<"i32[T]">:$positions, Updates<"f[R·L,D], R = T/length">:$cache, I64Attr:$length)> {
  let summary = "puts each token's row where its position says: cache[(t / length)·L + positions[t]] = source[t]";
  let description = [{
    A token whose position is negative (padding) or L or more is left out. Of tokens of one place the last counts.

    Constraints: source and cache have one dtype and D; length divides T, and T/length the cache's rows.
  }];
}
def Plan_CachedAttentionOp : Plan_Instruction<"cached_attention", 65, OnDevice,
    (ins Reads<"f[T,heads·d]">:$query, Reads<"f[R·L,kv_heads·d], R = T/length">:$key, Reads<"f[R·L,kv_heads·d]">:$value, Reads<"i32[T]">:$positions,
         OptionalReads<"f32[heads,L], or f32[heads,2·L-1] by distance">:$bias, Writes<"f[T,heads·d]">:$target,
         I64Attr:$heads, I64Attr:$kv_heads, I64Attr:$length, I64Attr:$window, F64Attr:$scale, BoolAttr:$bias_by_distance)> {
  let summary = "softmax attention of a few new tokens over the cached keys and values of their row, grouped heads";
  let description = [{
    Token t of row r = t / length sees places j of that row's L iff j <= positions[t] and (window == 0 or j > positions[t] - window);
    those beyond the cache don't exist. A token of a negative position (padding) sees none and gets zeros. Query head h reads kv head
    h / (heads / kv_heads). Scores, scale·q·k + bias, and softmax in f32; the bias' element is j or, by distance,
    j - min(positions[t], L - 1) + L - 1.

    Constraints: query, key, value and target have one dtype; heads divides query's columns, giving d of at most 256, and kv_heads divides heads;
    length divides T, and T/length the cache's rows; window isn't negative, scale is finite.
  }];
}
def Plan_ReorderCacheOp : Plan_Instruction<"reorder_cache", 77, OnDevice, (ins Reads<"i32[R]">:$rows, Updates<"f[R·L,D]">:$cache)> {
  let summary = "row r of the cache, L places, becomes what row rows[r] was; where that is none of the R rows, row r stays";
  let description = [{
    What a row was before the instruction counts: rows may change places.

    Constraints: R is at most kMaxCacheRows (runtime/schema/limits.h) and divides the cache's rows.
  }];
}

#endif // ZP_DIALECTS_PLAN_IR_PLANATTENTIONOPS_TD
