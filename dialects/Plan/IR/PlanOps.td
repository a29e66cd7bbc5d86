//===- PlanOps.td - THE op table ---------------------------------------------===//
//
// Conventions. T tokens of a micro-batch (rows × length), D features. Matrices are row-major and dense. `scalars` is the
// block of step scalars (runtime/schema/step_scalars.h). "Adds into" means out += …; a buffer that is added into is zeroed
// by an earlier instruction. Sums are taken in an order that does not depend on the number of threads. `f` is the compute
// dtype (f32, bf16 or f16): arithmetic inside a kernel is f32 (f64 where said), one rounding per stored value.
// Next free opcode: 80.
//===----------------------------------------------------------------------===//

#ifndef ZP_DIALECTS_PLAN_IR_PLANOPS_TD
#define ZP_DIALECTS_PLAN_IR_PLANOPS_TD

include "dialects/Plan/IR/PlanBase.td"
include "dialects/Plan/IR/PlanMemoryOps.td"

//===--- streams ----------------------------------------------------------===//

def Plan_RecordEventOp : Plan_Instruction<"record_event", 1, ByStream, (ins I64Attr:$event)> {
  let summary = "marks the point that all earlier instructions of this stream have reached";
  let assemblyFormat = "attr-dict";
}
def Plan_WaitEventOp : Plan_Instruction<"wait_event", 2, ByStream, (ins I64Attr:$event)> {
  let summary = "holds this stream until the event has been recorded and reached";
  let assemblyFormat = "attr-dict";
}
def Plan_CopyOp : Plan_Instruction<"copy", 3, ByStream, (ins Reads<>:$source, Writes<>:$target)> {
  let summary = "copies bytes between buffers of any two tiers; both have the same shape and dtype";
}

//===--- collectives --------------------------------------------------------===//

def Plan_AllGatherOp : Plan_Instruction<"all_gather", 10, ByEngine, (ins Reads<"[n]">:$shard, Writes<"[n·ranks]">:$whole)> {
  let summary = "concatenates the ranks' shards in rank order; bytes are moved as they are";
}
def Plan_ReduceScatterOp : Plan_Instruction<"reduce_scatter", 11, ByEngine, (ins Reads<"[n·ranks]">:$whole, Writes<"[n]">:$shard)> {
  let summary = "sums the ranks' tensors element by element, in rank order, and keeps this rank's slice (f32 or f64)";
}
def Plan_AllReduceOp : Plan_Instruction<"all_reduce", 12, ByEngine, (ins Updates<"[n]">:$data)> {
  let summary = "sums the ranks' tensors element by element, in rank order, on every rank (f32 or f64)";
}

//===--- initial values -------------------------------------------------------===//

def Plan_LoadSectionOp : Plan_Instruction<"load_section", 20, ByLoader, (ins Writes<"[n]">:$target, I64Attr:$section)> {
  let summary = "brings this rank's slice of a section: checkpoint tensors, converted, or the parameters' initial values";
  let description = [{
    The section's parameter table says what lies where. Target is the rank's shard (all of it when the section is
    replicated); padding between parameters becomes zero.
  }];
}
def Plan_LoadQuantizedOp : Plan_Instruction<"load_quantized", 21, ByLoader,
    (ins Writes<"u8[bytes]: records">:$target, OptionalWrites<"f32[blocks of target]">:$scales, I64Attr:$section)> {
  let summary = "brings this rank's records of a section of 4-bit codes: of checkpoint tensors, quantised if they aren't yet";
  let description = [{
    Weights are converted to the plan's compute dtype, then quantised, a record at a time; only what the rank owns is read.
    Without `scales` the records are complete afterwards. With `scales` they have their codes, and each block's scale is in
    `scales` (zero for a block that no tensor has): nest_scales completes them once every rank's are known.
  }];
}
def Plan_NestScalesOp : Plan_Instruction<"nest_scales", 22, ByLoader,
    (ins Reads<"f32[blocks of the section]">:$scales, Updates<"u8[bytes]: records">:$records, I64Attr:$section)> {
  let summary = "quantises the scales of a section: offset of each tensor, scale of each group, 8-bit codes";
  let description = [{
    The offset is the mean of *all* the tensor's scales, summed in the reference's order, hence the same bits on any number of
    ranks. `records` are this rank's.
  }];
}

//===--- elementwise -----------------------------------------------------------===//

def Plan_FillOp : Plan_Instruction<"fill", 30, OnDevice, (ins Writes<"any float or integer">:$target, F64Attr:$value)> {
  let summary = "sets every element to a value";
}
def Plan_CastOp : Plan_Instruction<"cast", 31, OnDevice, (ins Reads<>:$source, Writes<>:$target)> {
  let summary = "converts between f32, bf16 and f16, round to nearest even; f32 to f32 copies";
}
def Plan_AddOp : Plan_Instruction<"add", 32, OnDevice, (ins Reads<"f">:$a, Reads<"f">:$b, Writes<"f">:$target)> {
  let summary = "target = a + b; target may be a or b";
}
def Plan_AccumulateOp : Plan_Instruction<"accumulate", 33, OnDevice, (ins Reads<"f32, bf16, f16 or f64">:$source, Updates<"f32 or f64">:$target, F64Attr:$scale)> {
  let summary = "adds scale·source into target; the same number of elements";
}
def Plan_ScaleOp : Plan_Instruction<"scale", 34, OnDevice, (ins Reads<"f">:$source, Writes<"f">:$target, F64Attr:$factor)> {
  let summary = "target = factor·source; target may be source";
}
def Plan_DropoutOp : Plan_Instruction<"dropout", 35, OnDevice,
    (ins Reads<"f[T,D]">:$source, Reads<"u8">:$scalars, Writes<"f[T,D]">:$target, F64Attr:$probability, I64Attr:$site, I64Attr:$length)> {
  let summary = "inverted dropout with a counter-based mask; the same call is its own gradient";
  let description = [{
    Element (t, d) lies in update row `scalars.row_base + t / length` at e = (t mod length)·D + d. Its bit comes from
    Philox4x32-10 with key = seed (low, high word) and counter = (e / 4, update row, site, optimizer step): output word
    e mod 4, as u = word·2⁻³²; kept iff u >= probability, then divided by (1 - probability). So the mask depends on the
    row's place in the update alone: not on ranks, micro-batches or recomputation. target may be source.
  }];
}
def Plan_CopyRowsOp : Plan_Instruction<"copy_rows", 36, OnDevice, (ins Reads<"[T,D]">:$source, Reads<"u8">:$scalars, Writes<"[C,D]">:$target)> {
  let summary = "copies the C rows from scalars.first_token on (rows past the end are zero)";
}

//===--- transformer --------------------------------------------------------===//

def Plan_EmbeddingOp : Plan_Instruction<"embedding", 40, OnDevice,
    (ins Reads<"f[V,D]">:$table, Reads<"i32[T]">:$ids, Writes<"f[T,D]">:$target, I64Attr:$offset)> {
  let summary = "target[t] = table[ids[t] + offset]; ids were checked against V by the host";
}
def Plan_EmbeddingGradientOp : Plan_Instruction<"embedding_gradient", 41, OnDevice,
    (ins Reads<"i32[T]">:$ids, Reads<"f[T,D]">:$grad_out, Updates<"f32[V,D]">:$grad_table, I64Attr:$offset)> {
  let summary = "adds grad_out[t] into grad_table[ids[t] + offset], in the order of t";
}
def Plan_MatmulOp : Plan_Instruction<"matmul", 42, OnDevice,
    (ins Reads<"[M,K], or [K,M] when transposed">:$a, Reads<"[K,N], or [N,K] when transposed">:$b, OptionalReads<"f[N]">:$bias,
         OptionalReads<"[M,R]">:$branch_a, OptionalReads<"[R,N], or [N,R] when b is transposed">:$branch_b,
         OptionalWrites<"u8">:$workspace, Updates<"f or f32 [M,N]">:$target,
         BoolAttr:$transpose_a, BoolAttr:$transpose_b, F64Attr:$alpha, BoolAttr:$accumulate, F64Attr:$branch_alpha), [AttrSizedOperandSegments]> {
  let summary = "target = alpha·op(a)·op(b) (+ branch_alpha·branch_a·op(branch_b)) (+ bias) (+ target when accumulate)";
  let description = [{
    a, b, bias and the branch have one dtype (f32, bf16 or f16); target has it too, or is f32. Sums are f32, rounded once into target. The branch,
    an adapter's second product, is given whole or not at all; R is at most kMaxBranchRank (runtime/schema/limits.h).
  }];
}
def Plan_ColumnSumOp : Plan_Instruction<"column_sum", 43, OnDevice, (ins Reads<"f[T,D]">:$source, Updates<"f32[D]">:$target)> {
  let summary = "adds the sum over rows into target: the gradient of a bias";
}
def Plan_RmsNormOp : Plan_Instruction<"rms_norm", 44, OnDevice,
    (ins Reads<"f[R,D]">:$source, Reads<"f[D]">:$weight, Writes<"f[R,D]">:$target, Writes<"f32[R]">:$rstd, F64Attr:$epsilon)> {
  let summary = "target = weight · round(source · rstd), rstd = 1/sqrt(mean(source²) + epsilon)";
  let description = [{ The normalised value is rounded to f before the product with the weight, as the reference does. }];
}
def Plan_RmsNormGradientOp : Plan_Instruction<"rms_norm_gradient", 45, OnDevice,
    (ins Reads<"f[R,D]">:$grad_out, Reads<"f[R,D]">:$source, Reads<"f[D]">:$weight, Reads<"f32[R]">:$rstd,
         OptionalReads<"f[R,D]: added to grad_source">:$residual_gradient,
         Writes<"f[R,D]">:$grad_source, OptionalUpdates<"f32[D]: added into">:$grad_weight), [AttrSizedOperandSegments]> {
  let summary = "gradient of rms_norm; grad_source may be residual_gradient or grad_out";
}
def Plan_RopeTableOp : Plan_Instruction<"rope_table", 46, OnDevice,
    (ins Reads<"i32[T]">:$positions, Writes<"f[T,d/2]">:$cosine, Writes<"f[T,d/2]">:$sine, DenseF32ArrayAttr:$inverse_frequencies, F64Attr:$scaling)> {
  let summary = "cos and sin of position·frequency (f32 product), times scaling, rounded once";
}
def Plan_RopeOp : Plan_Instruction<"rope", 47, OnDevice,
    (ins Reads<"f[T,heads·d]">:$source, Reads<"f[T,d/2]">:$cosine, Reads<"f[T,d/2]">:$sine, Writes<"f[T,heads·d]">:$target, I64Attr:$head_dim, BoolAttr:$inverse)> {
  let summary = "rotates each head's halves (NeoX layout); inverse rotates back: the gradient; target may be source";
  let description = [{ out1 = round(x1·cos) - round(x2·sin), out2 = round(x2·cos) + round(x1·sin), each sum rounded; inverse negates sin. }];
}
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
    grad_bias, of a bias by distance, is summed over the rows in their order, and over their queries. Dropout is attention's, mask and all.
  }];
}
def Plan_SiluMulOp : Plan_Instruction<"silu_mul", 50, OnDevice, (ins Reads<"f">:$gate, Reads<"f">:$up, Writes<"f">:$target)> {
  let summary = "target = round(gate·sigmoid(gate))·up";
}
def Plan_SiluMulGradientOp : Plan_Instruction<"silu_mul_gradient", 51, OnDevice,
    (ins Reads<"f">:$grad_out, Reads<"f">:$gate, Reads<"f">:$up, Writes<"f">:$grad_gate, Writes<"f">:$grad_up)> {
  let summary = "gradient of silu_mul; grad_gate may be gate, grad_up may be up";
}
def Plan_NF4MatmulOp : Plan_Instruction<"nf4_matmul", 54, OnDevice,
    (ins Reads<"f[M,columns], or f[M,rows] when not transposed">:$a, Reads<"u8[bytes]: records of [rows,columns]">:$weight,
         OptionalReads<"f[N]">:$bias, OptionalReads<"f[M,R]">:$branch_a, OptionalReads<"f[R,N], or f[N,R] when transposed">:$branch_b,
         OptionalWrites<"u8: a panel of dequantised weights, where the target wants one">:$workspace,
         OptionalWrites<"f[rows,columns]: W itself, left for products to come">:$floats, Updates<"f[M,N]">:$target,
         I64Attr:$rows, I64Attr:$columns, BoolAttr:$transpose, F64Attr:$alpha, BoolAttr:$accumulate,
         I64Attr:$quant_type, I64Attr:$block_size, BoolAttr:$nested, F64Attr:$branch_alpha), [AttrSizedOperandSegments]> {
  let summary = "target = alpha·a·op(W) (+ branch_alpha·branch_a·op(branch_b)) (+ bias) (+ target when accumulate), W being 4-bit";
  let description = [{
    W is [rows, columns] in records (runtime/schema/quant_records.h); op transposes it when `transpose` (N = rows: a linear), else N = columns
    (its input gradient). An element of W is round_f(value[code]·scale), the scale of a nested block being
    map[code]·group scale + offset, rounded after each operation: the same bits as nf4_dequantize. Sums and branch as in matmul. No
    dequantised copy is larger than a tile, except `floats` where the plan has room for it (plan-share-dequantized).
  }];
}
def Plan_NF4DequantizeOp : Plan_Instruction<"nf4_dequantize", 55, OnDevice,
    (ins Reads<"u8[bytes]: records of [rows,columns]">:$weight, Writes<"f[rows,columns]">:$target, I64Attr:$quant_type, I64Attr:$block_size, BoolAttr:$nested)> {
  let summary = "a weight from its 4-bit codes, one rounding to f; bit for bit the reference's";
}
def Plan_LinearCrossEntropyOp : Plan_Instruction<"linear_cross_entropy", 53, OnDevice,
    (ins Reads<"f[T,D]">:$hidden, Reads<"f[V,D]">:$weight, Reads<"i32[T], -100 = not counted">:$labels, Writes<"u8">:$workspace,
         Updates<"f64[1] or f64[2]: added into">:$loss_sum, OptionalWrites<"f[T,D]">:$grad_hidden, OptionalUpdates<"f32[V,D]: added into">:$grad_weight,
         OptionalReads<"u8">:$scalars, I64Attr:$chunk, I64Attr:$length), [AttrSizedOperandSegments]> {
  let summary = "sum of next-token losses of hidden·weightᵀ, with its gradients, a chunk of tokens at a time";
  let description = [{
    The target of token t is labels[t+1] when t+1 lies in the same row (t / length), else nothing. Logits are formed for
    `chunk` tokens at a time in the workspace, rounded to f, then log-softmax in f32; the gradient (softmax - onehot) is
    rounded to f and multiplied on. Gradients are of the *sum*: the division by the count is apply_gradients' work. With `scalars`
    they are of the sum times scalars.loss_scale, from before that rounding on.
    Rows without a target add nothing to the loss or the gradients; their products may be left out. The labels were checked against V by the host. A second element of loss_sum counts the
    targets that have the largest logit of their row, and are the first that do.
  }];
}

//===--- layer norm, activations, fused projections -----------------------------===//

def Plan_LayerNormOp : Plan_Instruction<"layer_norm", 66, OnDevice,
    (ins Reads<"f[R,D]">:$source, Reads<"f[D]">:$weight, Reads<"f[D]">:$bias, Writes<"f[R,D]">:$target, Writes<"f32[R]">:$mean, Writes<"f32[R]">:$rstd,
         F64Attr:$epsilon)> {
  let summary = "target = weight·(source - mean)·rstd + bias, rstd = 1/sqrt(biased variance + epsilon), rounded once";
}
def Plan_LayerNormGradientOp : Plan_Instruction<"layer_norm_gradient", 67, OnDevice,
    (ins Reads<"f[R,D]">:$grad_out, Reads<"f[R,D]">:$source, Reads<"f[D]">:$weight, Reads<"f32[R]">:$mean, Reads<"f32[R]">:$rstd,
         OptionalReads<"f[R,D]: added to grad_source">:$residual_gradient,
         Writes<"f[R,D]">:$grad_source, OptionalUpdates<"f32[D]: added into">:$grad_weight, OptionalUpdates<"f32[D]: added into">:$grad_bias),
    [AttrSizedOperandSegments]> {
  let summary = "gradient of layer_norm; grad_source may be residual_gradient or grad_out";
}
def Plan_ActivationOp : Plan_Instruction<"activation", 68, OnDevice, (ins Reads<"f">:$source, Writes<"f">:$target, I64Attr:$kind)> {
  let summary = "target = relu, gelu (by erf) or gelu_tanh of source (kind: runtime/schema/activations.h), rounded once; target may be source";
}
def Plan_ActivationGradientOp : Plan_Instruction<"activation_gradient", 69, OnDevice,
    (ins Reads<"f">:$grad_out, Reads<"f">:$source, Writes<"f">:$grad_source, I64Attr:$kind)> {
  let summary = "grad_source = grad_out·slope(source); grad_source may be grad_out or source";
}
def Plan_GatedActivationOp : Plan_Instruction<"gated_activation", 70, OnDevice,
    (ins Reads<"f">:$gate, Reads<"f">:$up, Writes<"f">:$target, I64Attr:$kind)> {
  let summary = "target = round(activation(gate))·up; target may be gate or up";
}
def Plan_GatedActivationGradientOp : Plan_Instruction<"gated_activation_gradient", 71, OnDevice,
    (ins Reads<"f">:$grad_out, Reads<"f">:$gate, Reads<"f">:$up, Writes<"f">:$grad_gate, Writes<"f">:$grad_up, I64Attr:$kind)> {
  let summary = "gradient of gated_activation; grad_gate may be gate, grad_up may be up";
}
def Plan_ClampHalfOp : Plan_Instruction<"clamp_half", 78, OnDevice, (ins Reads<"f16">:$source, Writes<"f16">:$target)> {
  let summary = "target = source, but ±64512 (f16's 65504 - 1000) where source is infinite; target may be source";
}
def Plan_ClampHalfGradientOp : Plan_Instruction<"clamp_half_gradient", 79, OnDevice,
    (ins Reads<"f16">:$grad_out, Reads<"f16: clamp_half's target">:$clamped, Writes<"f16">:$grad_source)> {
  let summary = "grad_source = grad_out where clamped is not ±64512, else 0; grad_source may be grad_out";
}
def Plan_SplitQkvOp : Plan_Instruction<"split_qkv", 72, OnDevice,
    (ins Reads<"f[T,(heads+2·kv_heads)·d]">:$source, Writes<"f[T,heads·d]">:$query, Writes<"f[T,kv_heads·d]">:$key, Writes<"f[T,kv_heads·d]">:$value,
         I64Attr:$heads, I64Attr:$kv_heads)> {
  let summary = "takes a fused projection apart: for each kv head source has its heads/kv_heads query heads, its key, its value, d wide each";
}
def Plan_JoinQkvOp : Plan_Instruction<"join_qkv", 73, OnDevice,
    (ins OptionalReads<"f[T,heads·d]">:$query, OptionalReads<"f[T,kv_heads·d]">:$key, OptionalReads<"f[T,kv_heads·d]">:$value,
         Writes<"f[T,(heads+2·kv_heads)·d]">:$target, I64Attr:$heads, I64Attr:$kv_heads), [AttrSizedOperandSegments]> {
  let summary = "the inverse of split_qkv, and its gradient; what is absent is zero";
}

//===--- optimizer ------------------------------------------------------------===//

def Plan_SumSquaresOp : Plan_Instruction<"sum_squares", 60, OnDevice, (ins Reads<"f32[n]">:$source, Updates<"f64[1]">:$target)> {
  let summary = "adds the sum of squares (f64) into target";
}
def Plan_FinishStepOp : Plan_Instruction<"finish_step", 61, OnDevice,
    (ins Reads<"f64[1]">:$square_sum, Reads<"f64[1] or f64[2]">:$loss_sum, Reads<"u8">:$scalars, Writes<"f32[1]">:$coefficient,
         Writes<"f64[4] or f64[5]">:$metrics, F64Attr:$max_norm)> {
  let summary = "from sums to means: gradient norm, clipping coefficient and the step's metrics";
  let description = [{
    n = scalars.counted_labels (1 when 0), s = scalars.loss_scale; norm = sqrt(square_sum)/(n·s);
    clip = max_norm > 0 ? min(1, max_norm/(norm + 1e-6)) : 1; coefficient = clip/(n·s): what every summed gradient is multiplied by;
    0 when square_sum isn't finite, as when a gradient isn't. metrics = {loss_sum[0]/n, norm, clip, n} and, when loss_sum has
    two elements, loss_sum[1]/n.
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
  }];
}

//===--- generation ------------------------------------------------------------===//

def Plan_AppendCacheOp : Plan_Instruction<"append_cache", 64, OnDevice,
    (ins Reads<"f[T,D]">:$source, Reads<"i32[T]">:$positions, Updates<"f[R·L,D], R = T/length">:$cache, I64Attr:$length)> {
  let summary = "puts each token's row where its position says: cache[(t / length)·L + positions[t]] = source[t]";
  let description = [{ A token whose position is negative (padding) or L or more is left out. Of tokens of one place the last counts. }];
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
  }];
}
def Plan_ReorderCacheOp : Plan_Instruction<"reorder_cache", 77, OnDevice, (ins Reads<"i32[R]">:$rows, Updates<"f[R·L,D]">:$cache)> {
  let summary = "row r of the cache, L places, becomes what row rows[r] was; where that is none of the R rows, row r stays";
  let description = [{ R is at most kMaxCacheRows (runtime/schema/limits.h). }];
}

//===--- biases of attention ----------------------------------------------------===//

def Plan_RelativeBiasOp : Plan_Instruction<"relative_bias", 74, OnDevice,
    (ins Reads<"f[buckets,heads]">:$table, Writes<"f32[heads,length+key_length-1]">:$target,
         I64Attr:$length, I64Attr:$key_length, I64Attr:$max_distance, BoolAttr:$bidirectional)> {
  let summary = "T5's bias by distance: target[h][e] = table[bucket(e - (length - 1))][h]";
  let description = [{
    The argument is the key's place minus the query's. n = bidirectional ? buckets/2 : buckets, exact = n/2; the distance d is its absolute
    value or, not bidirectional, 0 for keys after the query. bucket = d when d < exact, else
    min(exact + trunc(log(d/exact) / log(max_distance/exact)·(n - exact)), n - 1) in f32; plus n when bidirectional and the key comes after.
  }];
}
def Plan_RelativeBiasGradientOp : Plan_Instruction<"relative_bias_gradient", 75, OnDevice,
    (ins Reads<"f32[heads,length+key_length-1]">:$grad_out, Writes<"f32[buckets,heads]">:$grad_table,
         I64Attr:$length, I64Attr:$key_length, I64Attr:$max_distance, BoolAttr:$bidirectional)> {
  let summary = "gradient of relative_bias: the sum over each bucket's distances";
}
def Plan_AlibiTableOp : Plan_Instruction<"alibi_table", 76, OnDevice,
    (ins OptionalReads<"i32[T]: 0, 1, … when absent">:$positions, Writes<"f32[heads,T]">:$target,
         DenseF32ArrayAttr:$slopes, F64Attr:$scale, BoolAttr:$round_bf16)> {
  let summary = "ALiBi's bias by key: target[h][t] = slopes[h]·positions[t]·scale";
  let description = [{
    The first product is rounded to f32; with round_bf16 its factors are rounded to bf16, and so is it. What is scaled is rounded to f32.
  }];
}

#endif // ZP_DIALECTS_PLAN_IR_PLANOPS_TD
