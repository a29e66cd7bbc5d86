#ifndef ZP_DIALECTS_NN_IR_NNLOSSOPS_TD
#define ZP_DIALECTS_NN_IR_NNLOSSOPS_TD

include "dialects/NN/IR/NNBase.td"

def NN_LinearCrossEntropyOp : NN_DifferentiableOp<"linear_cross_entropy"> {
  let summary = "the sum of next-token losses of hidden·weightᵀ, and how many targets have the largest logit; of all rows or of each";
  let description = [{
    The target of token t is labels[t+1] when t+1 lies in the same row (t / length) and the label isn't -100; a token without one adds nothing. The
    loss of one is log-sum-exp of its logits less the target's. Logits are rounded to the element type, a chunk of tokens at a time (`chunk` is
    a choice of memory, not of meaning); what follows is in f32, the sum in f64. A second element of the result counts the targets whose logit is
    the largest of its logits, and the first of those that are as large. With 2·R elements, R = T/length, each row has a pair of its own.

    ```mlir
    %loss = nn.linear_cross_entropy %hidden, %head, %labels {chunk = 16 : i64, length = 8 : i64}
        : (tensor<16x32xbf16>, tensor<100x32xbf16>, tensor<16xi32>) -> tensor<1xf64>
    ```

    Constraints (hidden [T,D], weight [V,D], labels [T], result f64 [1], [2] or [2·T/length]):
    - C1: D agrees. C2: T agrees. C3: length divides T. C4: chunk > 0. C5: one element type. C6: the result is f64 of one of these shapes.

    Gradient: nn.linear_cross_entropy_gradient. The gradient of the loss must be one: it is the root.
  }];
  let arguments = (ins NN_Matrix:$hidden, NN_Matrix:$weight, NN_Indices:$labels, I64Attr:$chunk, I64Attr:$length);
  let results = (outs NN_Double1:$loss);
  let assemblyFormat = "$hidden `,` $weight `,` $labels attr-dict `:` functional-type(operands, results)";
}
def NN_LinearCrossEntropyGradientOp : NN_PureOp<"linear_cross_entropy_gradient"> {
  let summary = "the loss again and its gradients with respect to hidden and, when asked, weight (f32)";
  let description = [{
    The gradient of a token's logits is s·(softmax(logits) - onehot(target)), rounded to the element type, and zero where there is no target.
    hidden_gradient is that times weight, weight_gradient that, transposed, times hidden, in f32. s is one or, with `scalars`, scalars.loss_scale
    (nn-scale-loss); the loss is linear_cross_entropy's in any case. Sums, not means: nn.finish_step divides.

    ```mlir
    %loss, %dhidden = nn.linear_cross_entropy_gradient %hidden, %head, %labels scaled_by %scalars {chunk = 16 : i64, length = 8 : i64}
        : (tensor<16x32xf16>, tensor<100x32xf16>, tensor<16xi32>, tensor<64xi8>) -> (tensor<1xf64>, tensor<16x32xf16>)
    ```

    Constraints: C1: as linear_cross_entropy. C2: hidden's gradient has hidden's type. C3: weight's gradient is f32 of weight's shape.
  }];
  let arguments = (ins NN_Matrix:$hidden, NN_Matrix:$weight, NN_Indices:$labels, Optional<NN_Scalars>:$scalars, I64Attr:$chunk,
                       I64Attr:$length);
  let results = (outs NN_Double1:$loss, NN_Matrix:$hidden_gradient, Optional<NN_Matrix>:$weight_gradient);
  let assemblyFormat = "$hidden `,` $weight `,` $labels (`scaled_by` $scalars^)? attr-dict `:` functional-type(operands, results)";
}

#endif // ZP_DIALECTS_NN_IR_NNLOSSOPS_TD
