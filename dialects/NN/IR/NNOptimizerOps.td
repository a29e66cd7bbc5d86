#ifndef ZP_DIALECTS_NN_IR_NNOPTIMIZEROPS_TD
#define ZP_DIALECTS_NN_IR_NNOPTIMIZEROPS_TD

include "dialects/NN/IR/NNBase.td"

def NN_SumSquaresOp : NN_PureOp<"sum_squares"> {
  let summary = "the sum of squares of all operands' elements";
  let description = [{
    In f64: of all gradients this is the square of their global norm.

    ```mlir
    %squares = nn.sum_squares %da, %db : (tensor<4x32xf32>, tensor<64x4xf32>) -> tensor<1xf64>
    ```

    Constraints: C1: at least one operand, all f32.
  }];
  let arguments = (ins Variadic<NN_Float>:$tensors);
  let results = (outs NN_Double1:$result);
  let assemblyFormat = "$tensors attr-dict `:` functional-type(operands, results)";
}
def NN_FinishStepOp : NN_PureOp<"finish_step"> {
  let summary = "from sums to means: gradient norm, clipping coefficient, metrics";
  let description = [{
    n = scalars.counted_labels (1 when 0), s = scalars.loss_scale; norm = sqrt(square_sum)/(n·s); clip = max_norm > 0 ?
    min(1, max_norm/(norm + 1e-6)) : 1; coefficient = clip/(n·s), or 0 when square_sum isn't finite: nothing is updated then;
    metrics = {loss_sum[0]/n, norm, clip, n} and, when loss_sum has two elements, loss_sum[1]/n. In f64; the coefficient is rounded to f32.

    ```mlir
    %coefficient, %metrics = nn.finish_step %squares, %loss, %scalars {max_norm = 1.0 : f64}
        : (tensor<1xf64>, tensor<1xf64>, tensor<64xi8>) -> (tensor<1xf32>, tensor<4xf64>)
    ```

    Constraints: C1: coefficient is f32 [1]. C2: metrics is f64 [4], or [5] when loss_sum has two elements.
  }];
  let arguments = (ins NN_Double1:$square_sum, NN_Double1:$loss_sum, NN_Scalars:$scalars, F64Attr:$max_norm);
  let results = (outs NN_Vector:$coefficient, NN_Vector:$metrics);
  let assemblyFormat = "$square_sum `,` $loss_sum `,` $scalars attr-dict `:` functional-type(operands, results)";
}

class NN_AdamwSettings { dag all = (ins F64Attr:$beta1, F64Attr:$beta2, F64Attr:$epsilon, F64Attr:$weight_decay); }
def NN_AdamwOp : NN_Op<"adamw", [MemoryEffects<[MemRead, MemWrite]>, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "decoupled-decay Adam on a parameter and its moments";
  let description = [{
    g = coefficient·gradient; p *= 1 - lr·wd; m += (1-b1)(g-m); v = b2·v + (1-b2)g²; p -= (lr/bc1)·m/(sqrt(v)/sqrt(bc2) + eps);
    lr, bc1, bc2 from scalars; wd is zero for a parameter that isn't `decayed`. The moments are the symbol's, zero at first; they and p are f32.
    With a coefficient of 0 parameter and moments stay as they are.

    ```mlir
    nn.parameter @a : tensor<4x32xf32> initial zero {unit = 1 : i64, saved_as = "a", trainable}
    nn.adamw @a, %da, %coefficient, %scalars {beta1 = 0.9 : f64, beta2 = 0.999 : f64, epsilon = 1.0e-8 : f64, weight_decay = 0.01 : f64}
        : tensor<4x32xf32>, tensor<1xf32>, tensor<64xi8>
    ```

    Constraints: C1: the symbol is a trainable nn.parameter. C2: the gradient's type is the parameter's.
  }];
  let arguments = !con((ins FlatSymbolRefAttr:$parameter, NN_Float:$gradient, NN_Vector:$coefficient, NN_Scalars:$scalars), NN_AdamwSettings<>.all);
  let assemblyFormat = "$parameter `,` $gradient `,` $coefficient `,` $scalars attr-dict `:` type(operands)";
}

#endif // ZP_DIALECTS_NN_IR_NNOPTIMIZEROPS_TD
