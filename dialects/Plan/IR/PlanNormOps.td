// Norms of rows.
#ifndef ZP_DIALECTS_PLAN_IR_PLANNORMOPS_TD
#define ZP_DIALECTS_PLAN_IR_PLANNORMOPS_TD

include "dialects/Plan/IR/PlanBase.td"

def Plan_RmsNormOp : Plan_Instruction<"rms_norm", 44, OnDevice,
    (ins Reads<"f[R,D]">:$source, Reads<"f[D]">:$weight, Writes<"f[R,D]">:$target, Writes<"f32[R]">:$rstd, F64Attr:$epsilon)> {
  let summary = "target = weight · round(source · rstd), rstd = 1/sqrt(mean(source²) + epsilon)";
  let description = [{
    The normalised value is rounded to f before the product with the weight, as the reference does; rstd is f32.

    Constraints: source, weight and target have one dtype; epsilon is finite and not negative.
  }];
}
def Plan_RmsNormGradientOp : Plan_Instruction<"rms_norm_gradient", 45, OnDevice,
    (ins Reads<"f[R,D]">:$grad_out, Reads<"f[R,D]">:$source, Reads<"f[D]">:$weight, Reads<"f32[R]">:$rstd,
         OptionalReads<"f[R,D]: added to grad_source">:$residual_gradient,
         Writes<"f[R,D]">:$grad_source, OptionalUpdates<"f32[D]: added into">:$grad_weight), [AttrSizedOperandSegments]> {
  let summary = "gradient of rms_norm; grad_source may be residual_gradient or grad_out";
  let description = [{
    With n = source·rstd and h = grad_out·weight: grad_source = rstd·(h - n·mean(h·n)) + residual_gradient, the mean over the row, rounded once.
    grad_weight += the column sums of grad_out·round_f(n), f32.

    Constraints: grad_out, source, weight, residual_gradient and grad_source have one dtype; grad_out, residual_gradient and grad_source have
    source's shape.
  }];
}
def Plan_LayerNormOp : Plan_Instruction<"layer_norm", 66, OnDevice,
    (ins Reads<"f[R,D]">:$source, Reads<"f[D]">:$weight, Reads<"f[D]">:$bias, Writes<"f[R,D]">:$target, Writes<"f32[R]">:$mean, Writes<"f32[R]">:$rstd,
         F64Attr:$epsilon)> {
  let summary = "target = weight·(source - mean)·rstd + bias, rstd = 1/sqrt(biased variance + epsilon), rounded once";
  let description = [{
    The variance is the mean of (source - mean)²; mean and rstd are f32. Nothing between source and target is rounded to f.

    Constraints: source, weight, bias and target have one dtype; epsilon is finite and not negative.
  }];
}
def Plan_LayerNormGradientOp : Plan_Instruction<"layer_norm_gradient", 67, OnDevice,
    (ins Reads<"f[R,D]">:$grad_out, Reads<"f[R,D]">:$source, Reads<"f[D]">:$weight, Reads<"f32[R]">:$mean, Reads<"f32[R]">:$rstd,
         OptionalReads<"f[R,D]: added to grad_source">:$residual_gradient,
         Writes<"f[R,D]">:$grad_source, OptionalUpdates<"f32[D]: added into">:$grad_weight, OptionalUpdates<"f32[D]: added into">:$grad_bias),
    [AttrSizedOperandSegments]> {
  let summary = "gradient of layer_norm; grad_source may be residual_gradient or grad_out";
  let description = [{
    With n = (source - mean)·rstd and h = grad_out·weight: grad_source = rstd·(h - mean(h) - n·mean(h·n)) + residual_gradient, means over the
    row, rounded once. grad_weight += the column sums of grad_out·n, grad_bias += those of grad_out, f32.

    Constraints: grad_out, source, weight, residual_gradient and grad_source have one dtype; grad_out, residual_gradient and grad_source have
    source's shape.
  }];
}

#endif // ZP_DIALECTS_PLAN_IR_PLANNORMOPS_TD
