// Linear maps, embeddings and their gradients.
#ifndef ZP_DIALECTS_NN_IR_NNLINEAROPS_TD
#define ZP_DIALECTS_NN_IR_NNLINEAROPS_TD

include "dialects/NN/IR/NNBase.td"

def NN_LinearOp : NN_DifferentiableOp<"linear", [AttrSizedOperandSegments]> {
  let summary = "alpha·x·weightᵀ (+ branch_alpha·branch_x·branch_weightᵀ) (+ bias) (+ addend)";
  let description = [{
    One rounding, of the whole sum. The frontend leaves `adapter = {rank, scaling, dropout, site, initial, generator_offset}` on the linears that
    LoRA targets; nn-attach-adapters turns it into the adapter's branch, two linears of its own; nn-fuse-adapter-branch makes the second
    of them operands of the base product. `module` is the module path, for messages and adapters.

    ```mlir
    %y = nn.linear %x, %w bias %b : (tensor<16x32xf32>, tensor<64x32xf32>, tensor<64xf32>) -> tensor<16x64xf32>
    ```

    Constraints (x [T,K], weight [N,K], bias [N], addend and result [T,N], branch_x [T,R], branch_weight [N,R]):
    - C1: K of x and weight agree. C2: N of weight, bias and result agree. C3: T of x, addend and result agree.
    - C4: all have one element type. C5: the branch is whole, and its T, N and R agree.

    Gradient: x: alpha·g·weight; weight: alpha·gᵀ·x in f32; bias: column sums of g in f32; addend: g; the branch as x and weight.
  }];
  let arguments = (ins NN_Matrix:$x, NN_Matrix:$weight, Optional<NN_Vector>:$bias, Optional<NN_Matrix>:$addend,
                       Optional<NN_Matrix>:$branch_x, Optional<NN_Matrix>:$branch_weight, DefaultValuedAttr<F64Attr, "1.0">:$alpha,
                       OptionalAttr<StrAttr>:$module, OptionalAttr<DictionaryAttr>:$adapter,
                       DefaultValuedAttr<F64Attr, "1.0">:$branch_alpha);
  let results = (outs NN_Matrix:$result);
  let builders = [OpBuilder<(ins "::mlir::Type":$result, "::mlir::Value":$x, "::mlir::Value":$weight, CArg<"::mlir::Value", "{}">:$bias),
                            [{ build($_builder, $_state, result, x, weight, bias, {}, {}, {}, {}, {}, {}, {}); }]>];
  let assemblyFormat = "$x `,` $weight (`bias` $bias^)? (`addend` $addend^)? (`branch` $branch_x^ `,` $branch_weight)? attr-dict `:` functional-type(operands, results)";
}

def NN_LinearInputGradientOp : NN_PureOp<"linear_input_gradient", [AttrSizedOperandSegments]> {
  let summary = "alpha·gradient·weight (+ branch_alpha·branch_gradient·branch_weight) (+ addend)";
  let description = [{
    The gradient of nn.linear with respect to x; `branch` is that of the branch with respect to branch_x, multiplied on by what made branch_x of x.
    One rounding, of the whole sum.

    ```mlir
    %dx = nn.linear_input_gradient %dy, %w : (tensor<16x64xf32>, tensor<64x32xf32>) -> tensor<16x32xf32>
    ```

    Constraints (gradient [T,N], weight [N,K], addend and result [T,K], branch_gradient [T,R], branch_weight [R,K]):
    - C1: N agrees. C2: K agrees. C3: T agrees. C4: all have one element type. C5: the branch is whole, and its T, R and K agree.
  }];
  let arguments = (ins NN_Matrix:$gradient, NN_Matrix:$weight, Optional<NN_Matrix>:$addend, Optional<NN_Matrix>:$branch_gradient,
                       Optional<NN_Matrix>:$branch_weight, DefaultValuedAttr<F64Attr, "1.0">:$alpha,
                       DefaultValuedAttr<F64Attr, "1.0">:$branch_alpha);
  let results = (outs NN_Matrix:$result);
  let assemblyFormat = "$gradient `,` $weight (`addend` $addend^)? (`branch` $branch_gradient^ `,` $branch_weight)? attr-dict `:` functional-type(operands, results)";
}

def NN_LinearWeightGradientOp : NN_PureOp<"linear_weight_gradient"> {
  let summary = "alpha·gradientᵀ·x, in f32";
  let description = [{
    Element (n, k) is alpha times the sum over t of gradient[t, n]·x[t, k]. The result is f32 whatever the operands are: nothing is rounded to
    their type.

    ```mlir
    %dw = nn.linear_weight_gradient %dy, %x : (tensor<16x64xbf16>, tensor<16x32xbf16>) -> tensor<64x32xf32>
    ```

    Constraints (gradient [T,N], x [T,K], result f32 [N,K]):
    - C1: T agrees. C2: the result is f32 [N,K]. C3: gradient and x have one element type.
  }];
  let arguments = (ins NN_Matrix:$gradient, NN_Matrix:$x, DefaultValuedAttr<F64Attr, "1.0">:$alpha);
  let results = (outs NN_Matrix:$result);
  let assemblyFormat = "$gradient `,` $x attr-dict `:` functional-type(operands, results)";
}

def NN_ColumnSumOp : NN_PureOp<"column_sum"> {
  let summary = "the sum over rows, in f32: a bias' gradient";
  let description = [{
    Element n is the sum over t of source[t, n], rounded to f32 alone.

    ```mlir
    %db = nn.column_sum %dy : (tensor<16x64xbf16>) -> tensor<64xf32>
    ```

    Constraints: C1: result is f32 [N] for source [T,N].
  }];
  let arguments = (ins NN_Matrix:$source);
  let results = (outs NN_Vector:$result);
  let assemblyFormat = "$source attr-dict `:` functional-type(operands, results)";
}

def NN_EmbeddingOp : NN_DifferentiableOp<"embedding"> {
  let summary = "rows of a table: result[t] = table[ids[t] + offset]";
  let description = [{
    Rows are copied. The host has refused ids that name no row (one below 0, or of V - offset or more).

    ```mlir
    %x = nn.embedding %ids, %table : (tensor<16xi32>, tensor<100x32xbf16>) -> tensor<16x32xbf16>
    ```

    Constraints (ids [T], table [V,D], result [T,D]): C1: T agrees. C2: D agrees. C3: one element type. C4: 0 <= offset < V.
    C5: -1 <= padding < V - offset.

    Gradient: table: g[t] added to row ids[t] + offset, in f32, unless ids[t] is `padding` (-1: every id counts).
  }];
  let arguments = (ins NN_Indices:$ids, NN_Matrix:$table, DefaultValuedAttr<I64Attr, "0">:$offset, DefaultValuedAttr<I64Attr, "-1">:$padding);
  let results = (outs NN_Matrix:$result);
  let assemblyFormat = "$ids `,` $table attr-dict `:` functional-type(operands, results)";
}

def NN_EmbeddingGradientOp : NN_PureOp<"embedding_gradient"> {
  let summary = "gradient of a table: row v is the sum of gradient[t] over ids[t] + offset == v, in f32";
  let description = [{
    Rows are added in the order of t. A row that no id names is zero, and so is that of `padding` (-1: none).

    ```mlir
    %dtable = nn.embedding_gradient %ids, %dx : (tensor<16xi32>, tensor<16x32xbf16>) -> tensor<100x32xf32>
    ```

    Constraints (ids [T], gradient [T,D], result [V,D]): C1: T of ids and gradient agrees. C2: the result is f32 [V,D]. C3: 0 <= offset < V.
    C4: -1 <= padding < V - offset.
  }];
  let arguments = (ins NN_Indices:$ids, NN_Matrix:$gradient, DefaultValuedAttr<I64Attr, "0">:$offset, DefaultValuedAttr<I64Attr, "-1">:$padding);
  let results = (outs NN_Matrix:$result);
  let assemblyFormat = "$ids `,` $gradient attr-dict `:` functional-type(operands, results)";
}

#endif // ZP_DIALECTS_NN_IR_NNLINEAROPS_TD
