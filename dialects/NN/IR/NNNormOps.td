#ifndef ZP_DIALECTS_NN_IR_NNNORMOPS_TD
#define ZP_DIALECTS_NN_IR_NNNORMOPS_TD

include "dialects/NN/IR/NNBase.td"

def NN_RmsNormOp : NN_DifferentiableOp<"rms_norm"> {
  let summary = "weight · x·rstd, rstd = 1/sqrt(mean(x²) + epsilon) of each row";
  let description = [{
    rstd is rounded to f32; x·rstd is rounded to the element type before the product with weight, which is rounded once more.

    ```mlir
    %y, %rstd = nn.rms_norm %x, %w {epsilon = 1.0e-5 : f64} : (tensor<16x32xbf16>, tensor<32xbf16>) -> (tensor<16x32xbf16>, tensor<16xf32>)
    ```

    Constraints (x and result [R,D], weight [D], rstd f32 [R]):
    - C1: D agrees. C2: R agrees and rstd is f32. C3: x, weight and result have one element type. C4: epsilon > 0.

    Gradient: nn.rms_norm_gradient; rstd is not differentiable.
  }];
  let arguments = (ins NN_Matrix:$x, NN_Vector:$weight, F64Attr:$epsilon);
  let results = (outs NN_Matrix:$result, NN_Vector:$rstd);
  let assemblyFormat = "$x `,` $weight attr-dict `:` functional-type(operands, results)";
}
def NN_RmsNormGradientOp : NN_PureOp<"rms_norm_gradient"> {
  let summary = "gradient of rms_norm (+ residual), and of its weight when there is a second result";
  let description = [{
    With n = x·rstd and h = gradient·weight: rstd·(h - n·mean(h·n)) + residual, the mean over the row, rounded once. weight: column sums of gradient·n
    in f32, n rounded to x's element type there, as rms_norm rounds it.

    ```mlir
    %dx, %dw = nn.rms_norm_gradient %dy, %x, %w, %rstd residual %r
        : (tensor<16x32xbf16>, tensor<16x32xbf16>, tensor<32xbf16>, tensor<16xf32>, tensor<16x32xbf16>) -> (tensor<16x32xbf16>, tensor<32xf32>)
    ```

    Constraints: C1: gradient, x, residual and the first result have one type [R,D]. C2: weight is [D], rstd f32 [R].
    C3: the weight's gradient is f32 [D].
  }];
  let arguments = (ins NN_Matrix:$gradient, NN_Matrix:$x, NN_Vector:$weight, NN_Vector:$rstd, Optional<NN_Matrix>:$residual);
  let results = (outs NN_Matrix:$result, Optional<NN_Vector>:$weight_gradient);
  let assemblyFormat = "$gradient `,` $x `,` $weight `,` $rstd (`residual` $residual^)? attr-dict `:` functional-type(operands, results)";
}

def NN_LayerNormOp : NN_DifferentiableOp<"layer_norm"> {
  let summary = "weight · (x - mean)·rstd + bias, rstd = 1/sqrt(variance + epsilon), mean and biased variance of each row";
  let description = [{
    The variance is the biased one: the mean of (x - mean)². mean and rstd are rounded to f32. The result has one rounding: what is between x and
    it is not rounded to the element type.

    ```mlir
    %y, %mean, %rstd = nn.layer_norm %x, %w, %b {epsilon = 1.0e-5 : f64}
        : (tensor<16x32xbf16>, tensor<32xbf16>, tensor<32xbf16>) -> (tensor<16x32xbf16>, tensor<16xf32>, tensor<16xf32>)
    ```

    Constraints (x and result [R,D], weight and bias [D], mean and rstd f32 [R]):
    - C1: D agrees. C2: R agrees, mean and rstd are f32. C3: x, weight, bias and result have one element type. C4: epsilon > 0.

    Gradient: nn.layer_norm_gradient; mean and rstd are not differentiable.
  }];
  let arguments = (ins NN_Matrix:$x, NN_Vector:$weight, NN_Vector:$bias, F64Attr:$epsilon);
  let results = (outs NN_Matrix:$result, NN_Vector:$mean, NN_Vector:$rstd);
  let assemblyFormat = "$x `,` $weight `,` $bias attr-dict `:` functional-type(operands, results)";
}
def NN_LayerNormGradientOp : NN_PureOp<"layer_norm_gradient", [AttrSizedResultSegments]> {
  let summary = "gradient of layer_norm (+ residual), and of its weight and bias where there are results for them";
  let description = [{
    With n = (x - mean)·rstd and h = gradient·weight: rstd·(h - mean(h) - n·mean(h·n)) + residual, means over the row, rounded once. weight: column
    sums of gradient·n, bias: of gradient, in f32.

    ```mlir
    %dx, %dw, %db = nn.layer_norm_gradient %dy, %x, %w, %mean, %rstd {resultSegmentSizes = array<i32: 1, 1, 1>}
        : (tensor<16x32xf32>, tensor<16x32xf32>, tensor<32xf32>, tensor<16xf32>, tensor<16xf32>)
        -> (tensor<16x32xf32>, tensor<32xf32>, tensor<32xf32>)
    ```

    Constraints: C1: gradient, x, residual and the first result have one type [R,D]. C2: weight is [D], mean and rstd f32 [R].
    C3: the gradients of weight and bias are f32 [D].
  }];
  let arguments = (ins NN_Matrix:$gradient, NN_Matrix:$x, NN_Vector:$weight, NN_Vector:$mean, NN_Vector:$rstd, Optional<NN_Matrix>:$residual);
  let results = (outs NN_Matrix:$result, Optional<NN_Vector>:$weight_gradient, Optional<NN_Vector>:$bias_gradient);
  let assemblyFormat = "$gradient `,` $x `,` $weight `,` $mean `,` $rstd (`residual` $residual^)? attr-dict `:` functional-type(operands, results)";
}

#endif // ZP_DIALECTS_NN_IR_NNNORMOPS_TD
