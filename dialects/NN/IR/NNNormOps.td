#ifndef ZP_DIALECTS_NN_IR_NNNORMOPS_TD
#define ZP_DIALECTS_NN_IR_NNNORMOPS_TD

include "dialects/NN/IR/NNBase.td"

def NN_RmsNormOp : NN_DifferentiableOp<"rms_norm"> {
  let summary = "weight · x·rstd, rstd = 1/sqrt(mean(x²) + epsilon) of each row";
  let description = [{
    x·rstd is rounded to the element type before the product.

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
    With n = x·rstd and h = gradient·weight: rstd·(h - n·mean(h·n)) + residual; weight: column sums of gradient·n in f32.

    Constraints: C1: gradient, x, residual and the first result have one type [R,D]. C2: weight is [D], rstd f32 [R].
    C3: the weight's gradient is f32 [D].
  }];
  let arguments = (ins NN_Matrix:$gradient, NN_Matrix:$x, NN_Vector:$weight, NN_Vector:$rstd, Optional<NN_Matrix>:$residual);
  let results = (outs NN_Matrix:$result, Optional<NN_Vector>:$weight_gradient);
  let assemblyFormat = "$gradient `,` $x `,` $weight `,` $rstd (`residual` $residual^)? attr-dict `:` functional-type(operands, results)";
}

#endif // ZP_DIALECTS_NN_IR_NNNORMOPS_TD
