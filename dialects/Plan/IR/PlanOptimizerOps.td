// The update.
#ifndef ZP_DIALECTS_PLAN_IR_PLANOPTIMIZEROPS_TD
#define ZP_DIALECTS_PLAN_IR_PLANOPTIMIZEROPS_TD

include "dialects/Plan/IR/PlanBase.td"

def Plan_SumSquaresOp : Plan_Instruction<"sum_squares", 60, OnDevice, (ins Reads<"f32[n]">:$source, Updates<"f64[1]">:$target)> {
  let summary = "adds the sum of squares (f64) into target";
  let description = [{
    Of several sections' gradients, one after the other, it makes the square of their global norm.

    Constraints: source is f32, target f64 [1].
  }];
}
def Plan_FinishStepOp : Plan_Instruction<"finish_step", 61, OnDevice,
    (ins Reads<"f64[1]">:$square_sum, Reads<"f64[1] or f64[2]">:$loss_sum, Reads<"u8">:$scalars, Writes<"f32[1]">:$coefficient,
         Writes<"f64[4] or f64[5]">:$metrics, F64Attr:$max_norm)> {
  let summary = "from sums to means: gradient norm, clipping coefficient and the step's metrics";
  let description = [{
    n = scalars.counted_labels (1 when 0), s = scalars.loss_scale; norm = sqrt(square_sum)/(n·s);
    clip = max_norm > 0 ? min(1, max_norm/(norm + 1e-6)) : 1; coefficient = clip/(n·s): what every summed gradient is multiplied by;
    0 when square_sum isn't finite, as when a gradient isn't. metrics = {loss_sum[0]/n, norm, clip, n} and, when loss_sum has
    two elements, loss_sum[1]/n. In f64.

    Constraints: metrics has three elements more than loss_sum, which has one or two; max_norm is finite.
  }];
}
def Plan_AdamwOp : Plan_Instruction<"adamw", 62, OnDevice,
    (ins Reads<"f32[n]">:$gradient, Reads<"f32[1]">:$coefficient, Reads<"u8">:$scalars,
         Updates<"f32[n]">:$master, Updates<"f32[n]">:$moment1, Updates<"f32[n]">:$moment2, OptionalWrites<"bf16[n] or f16[n]">:$compute_copy,
         F64Attr:$beta1, F64Attr:$beta2, F64Attr:$epsilon, F64Attr:$weight_decay, I64Attr:$decay_end, BoolAttr:$sharded)> {
  let summary = "decoupled-decay Adam on a section's slice, f32; writes the compute copy too";
  let description = [{
    g = coefficient·gradient; p *= 1 - lr·wd; m += (1-b1)(g-m); v = b2·v + (1-b2)g²;
    p -= (lr/bc1)·m / (sqrt(v)/sqrt(bc2) + eps), lr, bc1, bc2 from scalars. Decay applies to section elements < decay_end;
    element i of the slice is section element i + (sharded ? rank·n : 0). With a coefficient of 0 (a step that overflowed)
    masters and moments stay as they are, and the compute copy is written.

    Constraints: gradient, masters, moments and the copy have the same number of elements; beta1 and beta2 are in [0, 1), epsilon is finite and
    not negative, weight_decay finite, decay_end not negative.
  }];
}

#endif // ZP_DIALECTS_PLAN_IR_PLANOPTIMIZEROPS_TD
