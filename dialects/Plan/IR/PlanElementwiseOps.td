// Instructions on single elements, and activations.
#ifndef ZP_DIALECTS_PLAN_IR_PLANELEMENTWISEOPS_TD
#define ZP_DIALECTS_PLAN_IR_PLANELEMENTWISEOPS_TD

include "dialects/Plan/IR/PlanBase.td"

//===--- elementwise -------------------------------------------------------===//

def Plan_FillOp : Plan_Instruction<"fill", 30, OnDevice, (ins Writes<"any float or integer">:$target, F64Attr:$value)> {
  let summary = "sets every element to a value";
  let description = [{
    The value is rounded to target's dtype.

    Constraints: value is finite; of an integer dtype it is an integer that fits (of i64: of at most 2⁵³).
  }];
}
def Plan_CastOp : Plan_Instruction<"cast", 31, OnDevice, (ins Reads<>:$source, Writes<>:$target)> {
  let summary = "converts between f32, bf16 and f16, round to nearest even; f32 to f32 copies";
  let description = [{
    Element by element, in row-major order whatever the shapes. To a wider dtype it is exact, to source's own it copies.

    Constraints: source and target are f32, bf16 or f16, with the same number of elements.
  }];
}
def Plan_AddOp : Plan_Instruction<"add", 32, OnDevice, (ins Reads<"f">:$a, Reads<"f">:$b, Writes<"f">:$target)> {
  let summary = "target = a + b; target may be a or b";
  let description = [{
    Element by element: the sum in f32, rounded once to f.

    Constraints: a, b and target have one dtype and number of elements.
  }];
}
def Plan_AccumulateOp : Plan_Instruction<"accumulate", 33, OnDevice, (ins Reads<"f32, bf16, f16 or f64">:$source, Updates<"f32 or f64">:$target, F64Attr:$scale)> {
  let summary = "adds scale·source into target; the same number of elements";
  let description = [{
    target[i] += scale·source[i], rounded once to target's dtype.

    Constraints: source is f32, bf16, f16 or f64, target f32 or f64, with the same number of elements; scale is finite.
  }];
}
def Plan_ScaleOp : Plan_Instruction<"scale", 34, OnDevice, (ins Reads<"f">:$source, Writes<"f">:$target, F64Attr:$factor)> {
  let summary = "target = factor·source; target may be source";
  let description = [{
    Element by element, rounded once to f.

    Constraints: source and target have one dtype and number of elements; factor is finite.
  }];
}
def Plan_DropoutOp : Plan_Instruction<"dropout", 35, OnDevice,
    (ins Reads<"f[T,D]">:$source, Reads<"u8">:$scalars, Writes<"f[T,D]">:$target, F64Attr:$probability, I64Attr:$site, I64Attr:$length)> {
  let summary = "inverted dropout with a counter-based mask; the same call is its own gradient";
  let description = [{
    Element (t, d) lies in update row `scalars.row_base + t / length` at e = (t mod length)·D + d. Its bit comes from
    Philox4x32-10 with key = seed (low, high word) and counter = (e / 4, update row, site, optimizer step): output word
    e mod 4, as u = word·2⁻³²; kept iff u >= probability, then divided by (1 - probability), else 0. So the mask depends on the
    row's place in the update alone: not on ranks, micro-batches or recomputation. target may be source.

    Constraints: source and target have one dtype and shape; 0 <= probability < 1; site fits in 32 bits without a sign; length divides T, and a
    row has at most 2³⁴ elements, the counter's range.
  }];
}
def Plan_CopyRowsOp : Plan_Instruction<"copy_rows", 36, OnDevice, (ins Reads<"[T,D]">:$source, Reads<"u8">:$scalars, Writes<"[C,D]">:$target)> {
  let summary = "copies the C rows from scalars.first_token on (rows past the end are zero)";
  let description = [{
    target[r] = source[scalars.first_token + r], as it is.

    Constraints: source and target have one dtype and D.
  }];
}

//===--- activations -------------------------------------------------------===//

def Plan_SiluMulOp : Plan_Instruction<"silu_mul", 50, OnDevice, (ins Reads<"f">:$gate, Reads<"f">:$up, Writes<"f">:$target)> {
  let summary = "target = round(gate·sigmoid(gate))·up";
  let description = [{
    Element by element; the inner rounding is to f, as the reference has it. target may be gate or up.

    Constraints: gate, up and target have one dtype and number of elements.
  }];
}
def Plan_SiluMulGradientOp : Plan_Instruction<"silu_mul_gradient", 51, OnDevice,
    (ins Reads<"f">:$grad_out, Reads<"f">:$gate, Reads<"f">:$up, Writes<"f">:$grad_gate, Writes<"f">:$grad_up)> {
  let summary = "gradient of silu_mul; grad_gate may be gate, grad_up may be up";
  let description = [{
    With s = sigmoid(gate): grad_gate = grad_out·up·s·(1 + gate·(1 - s)), grad_up = grad_out·round_f(gate·s).

    Constraints: all have one dtype and number of elements.
  }];
}
def Plan_ActivationOp : Plan_Instruction<"activation", 68, OnDevice, (ins Reads<"f">:$source, Writes<"f">:$target, I64Attr:$kind)> {
  let summary = "target = relu, gelu (by erf) or gelu_tanh of source (kind: runtime/schema/activations.h), rounded once; target may be source";
  let description = [{
    relu: x, or 0 where x < 0. gelu: x·Φ(x), Φ(x) = (1 + erf(x/√2))/2. gelu_tanh: x/2·(1 + tanh(√(2/π)·(x + 0.044715·x³))).

    Constraints: source and target have one dtype and number of elements; kind is one of the list's.
  }];
}
def Plan_ActivationGradientOp : Plan_Instruction<"activation_gradient", 69, OnDevice,
    (ins Reads<"f">:$grad_out, Reads<"f">:$source, Writes<"f">:$grad_source, I64Attr:$kind)> {
  let summary = "grad_source = grad_out·slope(source); grad_source may be grad_out or source";
  let description = [{
    Slopes: relu: 1 where x > 0, else 0. gelu: Φ(x) + x·φ(x). gelu_tanh, t being its tanh: (1 + t)/2 + x/2·(1 - t²)·√(2/π)·(1 + 3·0.044715·x²).
    The slope is not rounded, the product once.

    Constraints: all have one dtype and number of elements; kind is one of runtime/schema/activations.h.
  }];
}
def Plan_GatedActivationOp : Plan_Instruction<"gated_activation", 70, OnDevice,
    (ins Reads<"f">:$gate, Reads<"f">:$up, Writes<"f">:$target, I64Attr:$kind)> {
  let summary = "target = round(activation(gate))·up; target may be gate or up";
  let description = [{
    The inner rounding is to f; the activations are those of plan.activation.

    Constraints: gate, up and target have one dtype and number of elements; kind is one of runtime/schema/activations.h.
  }];
}
def Plan_GatedActivationGradientOp : Plan_Instruction<"gated_activation_gradient", 71, OnDevice,
    (ins Reads<"f">:$grad_out, Reads<"f">:$gate, Reads<"f">:$up, Writes<"f">:$grad_gate, Writes<"f">:$grad_up, I64Attr:$kind)> {
  let summary = "gradient of gated_activation; grad_gate may be gate, grad_up may be up";
  let description = [{
    grad_gate = grad_out·up·slope(gate), with the slopes of plan.activation_gradient; grad_up = grad_out·round_f(activation(gate)).

    Constraints: all have one dtype and number of elements; kind is one of runtime/schema/activations.h.
  }];
}
def Plan_ClampHalfOp : Plan_Instruction<"clamp_half", 78, OnDevice, (ins Reads<"f16">:$source, Writes<"f16">:$target)> {
  let summary = "target = source, but ±64512 (f16's 65504 - 1000) where source is infinite; target may be source";
  let description = [{
    The sign stays, and so does NaN.

    Constraints: source and target are f16, with the same number of elements.
  }];
}
def Plan_ClampHalfGradientOp : Plan_Instruction<"clamp_half_gradient", 79, OnDevice,
    (ins Reads<"f16">:$grad_out, Reads<"f16: clamp_half's target">:$clamped, Writes<"f16">:$grad_source)> {
  let summary = "grad_source = grad_out where clamped is not ±64512, else 0; grad_source may be grad_out";
  let description = [{
    What was ±64512 before it was clamped counts as clamped.

    Constraints: all are f16, with the same number of elements.
  }];
}

#endif // ZP_DIALECTS_PLAN_IR_PLANELEMENTWISEOPS_TD
