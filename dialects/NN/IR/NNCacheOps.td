// Generation: keys and values of a row's earlier tokens, kept in an nn.state from program to program.
#ifndef ZP_DIALECTS_NN_IR_NNCACHEOPS_TD
#define ZP_DIALECTS_NN_IR_NNCACHEOPS_TD

include "dialects/NN/IR/NNBase.td"

def NN_AppendCacheOp : NN_Op<"append_cache", [MemoryEffects<[MemRead, MemWrite]>, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "puts each token's row into a cache, where its position says";
  let description = [{
    A cache is an nn.state of R·L rows: L places for each of the R = T/length rows of tokens. Token t goes to place positions[t] of its
    row t / length; one whose position is negative (padding) or L or more is left out. Of tokens of one place the last counts.

    ```mlir
    nn.state @cache.key.0 : tensor<64x16xbf16>
    nn.append_cache @cache.key.0, %k, %positions {length = 8 : i64} : tensor<16x16xbf16>, tensor<16xi32>
    ```

    Constraints (value [T, D], state [R·L, D]):
    - C1: the symbol is an nn.state. C2: columns and element type are the value's. C3: length divides T, and positions is [T].
    - C4: R divides the state's rows.
  }];
  let arguments = (ins FlatSymbolRefAttr:$state, NN_Matrix:$value, NN_Indices:$positions, I64Attr:$length);
  let assemblyFormat = "$state `,` $value `,` $positions attr-dict `:` type($value) `,` type($positions)";
}
def NN_CachedAttentionOp : NN_PureOp<"cached_attention"> {
  let summary = "attention of new tokens over the cached keys and values of their row";
  let description = [{
    Token t of row t / length sees place j of that row's L iff j <= positions[t] and (window == 0 or j > positions[t] - window). One of a
    negative position (padding) sees none: its result is zero. Query head h reads kv head h / (heads / kv_heads). With tokens appended
    at their positions this is nn.attention, a few tokens at a time. So is a bias: `by_distance`, [heads, 2·L - 1] with element
    j - positions[t] + L - 1 (a position of L or more counts as the last), or `by_key`, [heads, L], the same for every row. Scores, scale·q·k + bias,
    and softmax are in f32, the result is rounded once.

    ```mlir
    %o = nn.cached_attention %q, %keys, %values, %positions {heads = 4 : i64, kv_heads = 2 : i64, length = 1 : i64, scale = 0.35 : f64}
        : (tensor<2x32xbf16>, tensor<64x16xbf16>, tensor<64x16xbf16>, tensor<2xi32>) -> tensor<2x32xbf16>
    ```

    Constraints (query and result [T, heads·d], key and value [R·L, kv_heads·d], R = T/length):
    - C1: heads divides query's columns, and the result has query's type. C2: key and value are of one type, [R·L, kv_heads·d].
    - C3: kv_heads divides heads. C4: length divides T, R divides key's rows, and positions is [T]. C5: one element type.
    - C6: bias and bias_kind come together, and bias is f32 of its kind's shape. C7: window >= 0.

    Not differentiable: nothing is trained while a cache is in use.
  }];
  let arguments = (ins NN_Matrix:$query, NN_Matrix:$key, NN_Matrix:$value, NN_Indices:$positions, Optional<NN_Matrix>:$bias,
                       I64Attr:$heads, I64Attr:$kv_heads, I64Attr:$length, DefaultValuedAttr<I64Attr, "0">:$window, F64Attr:$scale,
                       OptionalAttr<NN_BiasKind>:$bias_kind);
  let results = (outs NN_Matrix:$result);
  let assemblyFormat = [{
    $query `,` $key `,` $value `,` $positions (`bias` $bias_kind^ $bias)? attr-dict `:` functional-type(operands, results)
  }];
}
def NN_ReorderCacheOp : NN_Op<"reorder_cache", [MemoryEffects<[MemRead, MemWrite]>, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "gives each row of a cache the tokens of another, as beam search goes on from its best rows";
  let description = [{
    Row r of the state, L places of R, becomes what row rows[r] was before the op. Where rows[r] is none of them, row r stays.

    ```mlir
    nn.state @cache.key.0 : tensor<64x16xbf16>
    nn.reorder_cache @cache.key.0, %beam_origins : tensor<2xi32>
    ```

    Constraints (rows [R], state [R·L, D]): C1: the symbol is an nn.state. C2: the state is a matrix, and R is positive and divides its rows.
  }];
  let arguments = (ins FlatSymbolRefAttr:$state, NN_Indices:$rows);
  let assemblyFormat = "$state `,` $rows attr-dict `:` type($rows)";
}

#endif // ZP_DIALECTS_NN_IR_NNCACHEOPS_TD
