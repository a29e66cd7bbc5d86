// RUN: zp-opt %s | zp-opt | FileCheck %s
// RUN: zp-opt %s --mlir-print-op-generic | zp-opt | FileCheck %s
// Every op and every instruction of the op table survives printing and parsing, with optional operands and without.

// CHECK: plan.buffer @weights tier device kind weights {bytes = 4096 : i64}
plan.buffer @weights tier device kind weights {bytes = 4096 : i64}
// CHECK: plan.buffer @adapters tier pinned kind adapters {bytes = 4096 : i64}
plan.buffer @adapters tier pinned kind adapters {bytes = 4096 : i64}
// CHECK: plan.buffer @gradients tier host kind gradients {bytes = 4096 : i64}
plan.buffer @gradients tier host kind gradients {bytes = 4096 : i64}
// CHECK: plan.buffer @optimizer tier disk kind optimizer {bytes = 4096 : i64}
plan.buffer @optimizer tier disk kind optimizer {bytes = 4096 : i64}
// CHECK: plan.buffer @checkpoints tier device kind checkpoints {bytes = 4096 : i64}
plan.buffer @checkpoints tier device kind checkpoints {bytes = 4096 : i64}
// CHECK: plan.buffer @gathered tier device kind gathered {bytes = 4096 : i64}
plan.buffer @gathered tier device kind gathered {bytes = 4096 : i64}
// CHECK: plan.buffer @communication tier device kind communication {bytes = 4096 : i64}
plan.buffer @communication tier device kind communication {bytes = 4096 : i64}
// CHECK: plan.buffer @cache tier device kind cache {bytes = 4096 : i64}
plan.buffer @cache tier device kind cache {bytes = 4096 : i64}
// CHECK: plan.buffer @all tier device kind working {bytes = 65536 : i64, offset = 256 : i64}
plan.buffer @all tier device kind working {bytes = 65536 : i64, offset = 256 : i64}

// CHECK: plan.entry @init kind init {
plan.entry @init kind init {
}
// CHECK: plan.entry @apply_gradients kind apply_gradients {
plan.entry @apply_gradients kind apply_gradients {
}
// CHECK: plan.entry @evaluate kind evaluate {
plan.entry @evaluate kind evaluate {
}
// CHECK: plan.entry @logits kind logits {
plan.entry @logits kind logits {
}
// CHECK: plan.entry @prefill kind prefill {
plan.entry @prefill kind prefill {
}
// CHECK: plan.entry @decode kind decode {
plan.entry @decode kind decode {
}
// CHECK: plan.entry @train_step kind train_step attributes {length = 4 : i64, rows = 2 : i64} {
plan.entry @train_step kind train_step attributes {rows = 2 : i64, length = 4 : i64} {
  // CHECK: plan.buffer @local tier device kind working {bytes = 512 : i64}
  plan.buffer @local tier device kind working {bytes = 512 : i64}
  // CHECK: %[[FA:.+]] = plan.view @all[0] : memref<256xf32>
  %fa = plan.view @all[0] : memref<256xf32>
  // CHECK: %[[FB:.+]] = plan.view @all[1024] : memref<256xf32>
  %fb = plan.view @all[1024] : memref<256xf32>
  // CHECK: %[[HA:.+]] = plan.view @all[2048] : memref<128xf32>
  %ha = plan.view @all[2048] : memref<128xf32>
  // CHECK: %[[FA16:.+]] = plan.view @all[3072] : memref<256xbf16>
  %fa16 = plan.view @all[3072] : memref<256xbf16>
  // CHECK: %[[HA16:.+]] = plan.view @all[4096] : memref<128xbf16>
  %ha16 = plan.view @all[4096] : memref<128xbf16>
  // CHECK: %[[M:.+]] = plan.view @all[5120] : memref<8x4xf32>
  %m = plan.view @all[5120] : memref<8x4xf32>
  // CHECK: %[[M2:.+]] = plan.view @all[6144] : memref<3x4xf32>
  %m2 = plan.view @all[6144] : memref<3x4xf32>
  // CHECK: %[[M6:.+]] = plan.view @all[7168] : memref<8x6xf32>
  %m6 = plan.view @all[7168] : memref<8x6xf32>
  // CHECK: %[[W:.+]] = plan.view @all[8192] : memref<6x4xf32>
  %w = plan.view @all[8192] : memref<6x4xf32>
  // CHECK: %[[TAB:.+]] = plan.view @all[9216] : memref<9x4xf32>
  %tab = plan.view @all[9216] : memref<9x4xf32>
  // CHECK: %[[IDS:.+]] = plan.view @all[10240] : memref<8xi32>
  %ids = plan.view @all[10240] : memref<8xi32>
  // CHECK: %[[V4:.+]] = plan.view @all[11264] : memref<4xf32>
  %v4 = plan.view @all[11264] : memref<4xf32>
  // CHECK: %[[V6:.+]] = plan.view @all[12288] : memref<6xf32>
  %v6 = plan.view @all[12288] : memref<6xf32>
  // CHECK: %[[V8:.+]] = plan.view @all[13312] : memref<8xf32>
  %v8 = plan.view @all[13312] : memref<8xf32>
  // CHECK: %[[HALF:.+]] = plan.view @all[14336] : memref<8x1xf32>
  %half = plan.view @all[14336] : memref<8x1xf32>
  // CHECK: %[[LSE:.+]] = plan.view @all[15360] : memref<2x8xf32>
  %lse = plan.view @all[15360] : memref<2x8xf32>
  // CHECK: %[[WS:.+]] = plan.view @all[16384] : memref<512xi8>
  %ws = plan.view @all[16384] : memref<512xi8>
  // CHECK: %[[SC:.+]] = plan.view @all[17408] : memref<64xi8>
  %sc = plan.view @all[17408] : memref<64xi8>
  // CHECK: %[[ONE:.+]] = plan.view @all[18432] : memref<1xf64>
  %one = plan.view @all[18432] : memref<1xf64>
  // CHECK: %[[C:.+]] = plan.view @all[19456] : memref<1xf32>
  %c = plan.view @all[19456] : memref<1xf32>
  // CHECK: %[[FOUR:.+]] = plan.view @all[20480] : memref<4xf64>
  %four = plan.view @all[20480] : memref<4xf64>
  // CHECK: plan.input "input_ids", %[[IDS]] : memref<8xi32>
  plan.input "input_ids", %ids : memref<8xi32>
  // CHECK: plan.record_event {event = 3 : i64, stream = 1 : i64}
  plan.record_event {event = 3 : i64, stream = 1 : i64}
  // CHECK: plan.wait_event {event = 3 : i64}
  plan.wait_event {event = 3 : i64}
  // CHECK: plan.copy %[[FA]], %[[FB]] : memref<256xf32>, memref<256xf32>
  plan.copy %fa, %fb : memref<256xf32>, memref<256xf32>
  // CHECK: plan.all_gather %[[HA]], %[[FA]] : memref<128xf32>, memref<256xf32>
  plan.all_gather %ha, %fa : memref<128xf32>, memref<256xf32>
  // CHECK: plan.reduce_scatter %[[FA]], %[[HA]] : memref<256xf32>, memref<128xf32>
  plan.reduce_scatter %fa, %ha : memref<256xf32>, memref<128xf32>
  // CHECK: plan.all_reduce %[[FA]] : memref<256xf32>
  plan.all_reduce %fa : memref<256xf32>
  // CHECK: plan.load_section %[[FA]] {section = 2 : i64} : memref<256xf32>
  plan.load_section %fa {section = 2 : i64} : memref<256xf32>
  // CHECK: plan.load_quantized %[[WS]] {section = 1 : i64} : memref<512xi8>
  plan.load_quantized %ws {section = 1 : i64} : memref<512xi8>
  // CHECK: plan.load_quantized %[[WS]], %[[FA]] {section = 1 : i64} : memref<512xi8>, memref<256xf32>
  plan.load_quantized %ws, %fa {section = 1 : i64} : memref<512xi8>, memref<256xf32>
  // CHECK: plan.nest_scales %[[FA]], %[[WS]] {section = 1 : i64} : memref<256xf32>, memref<512xi8>
  plan.nest_scales %fa, %ws {section = 1 : i64} : memref<256xf32>, memref<512xi8>
  // CHECK: plan.nf4_matmul %[[M]], %[[WS]], %[[M]] {accumulate = false, alpha = 1.000000e+00 : f64, block_size = 64 : i64, branch_alpha = 1.000000e+00 : f64, columns = 4 : i64, nested = true, operandSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 0, 1>, quant_type = 0 : i64, rows = 4 : i64, transpose = true}
  plan.nf4_matmul %m, %ws, %m {accumulate = false, alpha = 1.0 : f64, branch_alpha = 1.0 : f64, block_size = 64 : i64, columns = 4 : i64, nested = true, operandSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 0, 1>, quant_type = 0 : i64, rows = 4 : i64, transpose = true} : memref<8x4xf32>, memref<512xi8>, memref<8x4xf32>
  // CHECK: plan.nf4_dequantize %[[WS]], %[[M]] {block_size = 64 : i64, nested = false, quant_type = 1 : i64} : memref<512xi8>, memref<8x4xf32>
  plan.nf4_dequantize %ws, %m {block_size = 64 : i64, nested = false, quant_type = 1 : i64} : memref<512xi8>, memref<8x4xf32>
  // CHECK: plan.fill %[[FA]] {value = 5.000000e-01 : f64} : memref<256xf32>
  plan.fill %fa {value = 0.5 : f64} : memref<256xf32>
  // CHECK: plan.cast %[[FA]], %[[FA16]] : memref<256xf32>, memref<256xbf16>
  plan.cast %fa, %fa16 : memref<256xf32>, memref<256xbf16>
  // CHECK: plan.add %[[M]], %[[M]], %[[M]] : memref<8x4xf32>, memref<8x4xf32>, memref<8x4xf32>
  plan.add %m, %m, %m : memref<8x4xf32>, memref<8x4xf32>, memref<8x4xf32>
  // CHECK: plan.accumulate %[[FA]], %[[FB]] {scale = 2.000000e+00 : f64} : memref<256xf32>, memref<256xf32>
  plan.accumulate %fa, %fb {scale = 2.0 : f64} : memref<256xf32>, memref<256xf32>
  // CHECK: plan.scale %[[M]], %[[M]] {factor = 2.000000e+00 : f64} : memref<8x4xf32>, memref<8x4xf32>
  plan.scale %m, %m {factor = 2.0 : f64} : memref<8x4xf32>, memref<8x4xf32>
  // CHECK: plan.dropout %[[M]], %[[SC]], %[[M]] {length = 4 : i64, probability = 5.000000e-01 : f64, site = 1 : i64} : memref<8x4xf32>, memref<64xi8>, memref<8x4xf32>
  plan.dropout %m, %sc, %m {length = 4 : i64, probability = 0.5 : f64, site = 1 : i64} : memref<8x4xf32>, memref<64xi8>, memref<8x4xf32>
  // CHECK: plan.copy_rows %[[M]], %[[SC]], %[[M2]] : memref<8x4xf32>, memref<64xi8>, memref<3x4xf32>
  plan.copy_rows %m, %sc, %m2 : memref<8x4xf32>, memref<64xi8>, memref<3x4xf32>
  // CHECK: plan.embedding %[[TAB]], %[[IDS]], %[[M]] {offset = 2 : i64} : memref<9x4xf32>, memref<8xi32>, memref<8x4xf32>
  plan.embedding %tab, %ids, %m {offset = 2 : i64} : memref<9x4xf32>, memref<8xi32>, memref<8x4xf32>
  // CHECK: plan.embedding_gradient %[[IDS]], %[[M]], %[[TAB]] {offset = 0 : i64, padding = -1 : i64} : memref<8xi32>, memref<8x4xf32>, memref<9x4xf32>
  plan.embedding_gradient %ids, %m, %tab {offset = 0 : i64, padding = -1 : i64} : memref<8xi32>, memref<8x4xf32>, memref<9x4xf32>
  // CHECK: plan.matmul %[[M]], %[[W]], %[[M6]] {accumulate = false, alpha = 1.000000e+00 : f64, branch_alpha = 1.000000e+00 : f64, operandSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 1>, transpose_a = false, transpose_b = true} : memref<8x4xf32>, memref<6x4xf32>, memref<8x6xf32>
  plan.matmul %m, %w, %m6 {accumulate = false, alpha = 1.0 : f64, branch_alpha = 1.0 : f64, operandSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 1>, transpose_a = false, transpose_b = true} : memref<8x4xf32>, memref<6x4xf32>, memref<8x6xf32>
  // CHECK: plan.matmul %[[M]], %[[W]], %[[V6]], %[[M]], %[[W]], %[[WS]], %[[M6]] {accumulate = true, alpha = 2.000000e+00 : f64, branch_alpha = 3.000000e+00 : f64, operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 1>, transpose_a = true, transpose_b = false} : memref<8x4xf32>, memref<6x4xf32>, memref<6xf32>, memref<8x4xf32>, memref<6x4xf32>, memref<512xi8>, memref<8x6xf32>
  plan.matmul %m, %w, %v6, %m, %w, %ws, %m6 {accumulate = true, alpha = 2.0 : f64, branch_alpha = 3.0 : f64, operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 1>, transpose_a = true, transpose_b = false} : memref<8x4xf32>, memref<6x4xf32>, memref<6xf32>, memref<8x4xf32>, memref<6x4xf32>, memref<512xi8>, memref<8x6xf32>
  // CHECK: plan.column_sum %[[M]], %[[V4]] : memref<8x4xf32>, memref<4xf32>
  plan.column_sum %m, %v4 : memref<8x4xf32>, memref<4xf32>
  // CHECK: plan.rms_norm %[[M]], %[[V4]], %[[M]], %[[V8]] {epsilon = 5.000000e-01 : f64} : memref<8x4xf32>, memref<4xf32>, memref<8x4xf32>, memref<8xf32>
  plan.rms_norm %m, %v4, %m, %v8 {epsilon = 0.5 : f64} : memref<8x4xf32>, memref<4xf32>, memref<8x4xf32>, memref<8xf32>
  // CHECK: plan.rms_norm_gradient %[[M]], %[[M]], %[[V4]], %[[V8]], %[[M]] {operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 1, 0>} : memref<8x4xf32>, memref<8x4xf32>, memref<4xf32>, memref<8xf32>, memref<8x4xf32>
  plan.rms_norm_gradient %m, %m, %v4, %v8, %m {operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 1, 0>} : memref<8x4xf32>, memref<8x4xf32>, memref<4xf32>, memref<8xf32>, memref<8x4xf32>
  // CHECK: plan.rms_norm_gradient %[[M]], %[[M]], %[[V4]], %[[V8]], %[[M]], %[[M]], %[[V4]] {operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 1>} : memref<8x4xf32>, memref<8x4xf32>, memref<4xf32>, memref<8xf32>, memref<8x4xf32>, memref<8x4xf32>, memref<4xf32>
  plan.rms_norm_gradient %m, %m, %v4, %v8, %m, %m, %v4 {operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 1>} : memref<8x4xf32>, memref<8x4xf32>, memref<4xf32>, memref<8xf32>, memref<8x4xf32>, memref<8x4xf32>, memref<4xf32>
  // CHECK: plan.rope_table %[[IDS]], %[[HALF]], %[[HALF]] {inverse_frequencies = array<f32: 1.000000e+00>, scaling = 1.000000e+00 : f64} : memref<8xi32>, memref<8x1xf32>, memref<8x1xf32>
  plan.rope_table %ids, %half, %half {inverse_frequencies = array<f32: 1.000000e+00>, scaling = 1.0 : f64} : memref<8xi32>, memref<8x1xf32>, memref<8x1xf32>
  // CHECK: plan.rope %[[M]], %[[HALF]], %[[HALF]], %[[M]] {head_dim = 2 : i64, inverse = true} : memref<8x4xf32>, memref<8x1xf32>, memref<8x1xf32>, memref<8x4xf32>
  plan.rope %m, %half, %half, %m {head_dim = 2 : i64, inverse = true} : memref<8x4xf32>, memref<8x1xf32>, memref<8x1xf32>, memref<8x4xf32>
  // CHECK: plan.attention %[[M]], %[[M]], %[[M]], %[[IDS]], %[[IDS]], %[[M]], %[[LSE]] {bias_by_distance = false, causal = true, dropout = 0.000000e+00 : f64, heads = 2 : i64, key_length = 4 : i64, kv_heads = 2 : i64, length = 4 : i64, operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 0, 0, 0, 1, 1>, scale = 5.000000e-01 : f64, site = 0 : i64, window = 0 : i64} : memref<8x4xf32>, memref<8x4xf32>, memref<8x4xf32>, memref<8xi32>, memref<8xi32>, memref<8x4xf32>, memref<2x8xf32>
  plan.attention %m, %m, %m, %ids, %ids, %m, %lse {bias_by_distance = false, causal = true, dropout = 0.0 : f64, heads = 2 : i64, key_length = 4 : i64, kv_heads = 2 : i64, length = 4 : i64, operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 0, 0, 0, 1, 1>, scale = 0.5 : f64, site = 0 : i64, window = 0 : i64} : memref<8x4xf32>, memref<8x4xf32>, memref<8x4xf32>, memref<8xi32>, memref<8xi32>, memref<8x4xf32>, memref<2x8xf32>
  // CHECK: plan.attention_gradient %[[M]], %[[M]], %[[M]], %[[M]], %[[M]], %[[LSE]], %[[IDS]], %[[IDS]], %[[LSE]], %[[SC]], %[[WS]], %[[M]], %[[M]], %[[M]] {bias_by_distance = false, causal = false, dropout = 2.500000e-01 : f64, heads = 2 : i64, key_length = 4 : i64, kv_heads = 2 : i64, length = 4 : i64, operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0>, scale = 5.000000e-01 : f64, site = 7 : i64, window = 0 : i64} : memref<8x4xf32>, memref<8x4xf32>, memref<8x4xf32>, memref<8x4xf32>, memref<8x4xf32>, memref<2x8xf32>, memref<8xi32>, memref<8xi32>, memref<2x8xf32>, memref<64xi8>, memref<512xi8>, memref<8x4xf32>, memref<8x4xf32>, memref<8x4xf32>
  plan.attention_gradient %m, %m, %m, %m, %m, %lse, %ids, %ids, %lse, %sc, %ws, %m, %m, %m {bias_by_distance = false, causal = false, dropout = 0.25 : f64, heads = 2 : i64, key_length = 4 : i64, kv_heads = 2 : i64, length = 4 : i64, operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0>, scale = 0.5 : f64, site = 7 : i64, window = 0 : i64} : memref<8x4xf32>, memref<8x4xf32>, memref<8x4xf32>, memref<8x4xf32>, memref<8x4xf32>, memref<2x8xf32>, memref<8xi32>, memref<8xi32>, memref<2x8xf32>, memref<64xi8>, memref<512xi8>, memref<8x4xf32>, memref<8x4xf32>, memref<8x4xf32>
  // CHECK: plan.silu_mul %[[M]], %[[M]], %[[M]] : memref<8x4xf32>, memref<8x4xf32>, memref<8x4xf32>
  plan.silu_mul %m, %m, %m : memref<8x4xf32>, memref<8x4xf32>, memref<8x4xf32>
  // CHECK: plan.silu_mul_gradient %[[M]], %[[M]], %[[M]], %[[M]], %[[M]] : memref<8x4xf32>, memref<8x4xf32>, memref<8x4xf32>, memref<8x4xf32>, memref<8x4xf32>
  plan.silu_mul_gradient %m, %m, %m, %m, %m : memref<8x4xf32>, memref<8x4xf32>, memref<8x4xf32>, memref<8x4xf32>, memref<8x4xf32>
  // CHECK: plan.layer_norm %[[M]], %[[V4]], %[[V4]], %[[M]], %[[V8]], %[[V8]] {epsilon = 5.000000e-01 : f64} : memref<8x4xf32>, memref<4xf32>, memref<4xf32>, memref<8x4xf32>, memref<8xf32>, memref<8xf32>
  plan.layer_norm %m, %v4, %v4, %m, %v8, %v8 {epsilon = 5.000000e-01 : f64} : memref<8x4xf32>, memref<4xf32>, memref<4xf32>, memref<8x4xf32>, memref<8xf32>, memref<8xf32>
  // CHECK: plan.layer_norm_gradient %[[M]], %[[M]], %[[V4]], %[[V8]], %[[V8]], %[[M]] {operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 0, 1, 0, 0>} : memref<8x4xf32>, memref<8x4xf32>, memref<4xf32>, memref<8xf32>, memref<8xf32>, memref<8x4xf32>
  plan.layer_norm_gradient %m, %m, %v4, %v8, %v8, %m {operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 0, 1, 0, 0>} : memref<8x4xf32>, memref<8x4xf32>, memref<4xf32>, memref<8xf32>, memref<8xf32>, memref<8x4xf32>
  // CHECK: plan.layer_norm_gradient %[[M]], %[[M]], %[[V4]], %[[V8]], %[[V8]], %[[M]], %[[M]], %[[V4]], %[[V4]] {operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 1, 1, 1>} : memref<8x4xf32>, memref<8x4xf32>, memref<4xf32>, memref<8xf32>, memref<8xf32>, memref<8x4xf32>, memref<8x4xf32>, memref<4xf32>, memref<4xf32>
  plan.layer_norm_gradient %m, %m, %v4, %v8, %v8, %m, %m, %v4, %v4 {operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 1, 1, 1>} : memref<8x4xf32>, memref<8x4xf32>, memref<4xf32>, memref<8xf32>, memref<8xf32>, memref<8x4xf32>, memref<8x4xf32>, memref<4xf32>, memref<4xf32>
  // CHECK: plan.activation %[[M]], %[[M]] {kind = 1 : i64} : memref<8x4xf32>, memref<8x4xf32>
  plan.activation %m, %m {kind = 1 : i64} : memref<8x4xf32>, memref<8x4xf32>
  // CHECK: plan.activation_gradient %[[M]], %[[M]], %[[M]] {kind = 2 : i64} : memref<8x4xf32>, memref<8x4xf32>, memref<8x4xf32>
  plan.activation_gradient %m, %m, %m {kind = 2 : i64} : memref<8x4xf32>, memref<8x4xf32>, memref<8x4xf32>
  // CHECK: plan.gated_activation %[[M]], %[[M]], %[[M]] {kind = 2 : i64} : memref<8x4xf32>, memref<8x4xf32>, memref<8x4xf32>
  plan.gated_activation %m, %m, %m {kind = 2 : i64} : memref<8x4xf32>, memref<8x4xf32>, memref<8x4xf32>
  // CHECK: plan.gated_activation_gradient %[[M]], %[[M]], %[[M]], %[[M]], %[[M]] {kind = 0 : i64} : memref<8x4xf32>, memref<8x4xf32>, memref<8x4xf32>, memref<8x4xf32>, memref<8x4xf32>
  plan.gated_activation_gradient %m, %m, %m, %m, %m {kind = 0 : i64} : memref<8x4xf32>, memref<8x4xf32>, memref<8x4xf32>, memref<8x4xf32>, memref<8x4xf32>
  // CHECK: plan.clamp_half %[[M]], %[[M]] : memref<8x4xf32>, memref<8x4xf32>
  plan.clamp_half %m, %m : memref<8x4xf32>, memref<8x4xf32>
  // CHECK: plan.clamp_half_gradient %[[M]], %[[M]], %[[M]] : memref<8x4xf32>, memref<8x4xf32>, memref<8x4xf32>
  plan.clamp_half_gradient %m, %m, %m : memref<8x4xf32>, memref<8x4xf32>, memref<8x4xf32>
  // CHECK: plan.split_qkv %[[M6]], %[[M]], %[[M]], %[[M]] {heads = 1 : i64, kv_heads = 1 : i64} : memref<8x6xf32>, memref<8x4xf32>, memref<8x4xf32>, memref<8x4xf32>
  plan.split_qkv %m6, %m, %m, %m {heads = 1 : i64, kv_heads = 1 : i64} : memref<8x6xf32>, memref<8x4xf32>, memref<8x4xf32>, memref<8x4xf32>
  // CHECK: plan.join_qkv %[[M]], %[[M]], %[[M]], %[[M6]] {heads = 1 : i64, kv_heads = 1 : i64, operandSegmentSizes = array<i32: 1, 1, 1, 1>} : memref<8x4xf32>, memref<8x4xf32>, memref<8x4xf32>, memref<8x6xf32>
  plan.join_qkv %m, %m, %m, %m6 {heads = 1 : i64, kv_heads = 1 : i64, operandSegmentSizes = array<i32: 1, 1, 1, 1>} : memref<8x4xf32>, memref<8x4xf32>, memref<8x4xf32>, memref<8x6xf32>
  // CHECK: plan.join_qkv %[[M]], %[[M6]] {heads = 1 : i64, kv_heads = 1 : i64, operandSegmentSizes = array<i32: 0, 1, 0, 1>} : memref<8x4xf32>, memref<8x6xf32>
  plan.join_qkv %m, %m6 {heads = 1 : i64, kv_heads = 1 : i64, operandSegmentSizes = array<i32: 0, 1, 0, 1>} : memref<8x4xf32>, memref<8x6xf32>
  // CHECK: plan.linear_cross_entropy %[[M]], %[[TAB]], %[[IDS]], %[[WS]], %[[ONE]] {chunk = 4 : i64, length = 4 : i64, operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 0, 0, 0>} : memref<8x4xf32>, memref<9x4xf32>, memref<8xi32>, memref<512xi8>, memref<1xf64>
  plan.linear_cross_entropy %m, %tab, %ids, %ws, %one {chunk = 4 : i64, length = 4 : i64, operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 0, 0, 0>} : memref<8x4xf32>, memref<9x4xf32>, memref<8xi32>, memref<512xi8>, memref<1xf64>
  // CHECK: plan.linear_cross_entropy %[[M]], %[[TAB]], %[[IDS]], %[[WS]], %[[ONE]], %[[M]], %[[TAB]] {chunk = 4 : i64, length = 4 : i64, operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 1, 0>} : memref<8x4xf32>, memref<9x4xf32>, memref<8xi32>, memref<512xi8>, memref<1xf64>, memref<8x4xf32>, memref<9x4xf32>
  plan.linear_cross_entropy %m, %tab, %ids, %ws, %one, %m, %tab {chunk = 4 : i64, length = 4 : i64, operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 1, 0>} : memref<8x4xf32>, memref<9x4xf32>, memref<8xi32>, memref<512xi8>, memref<1xf64>, memref<8x4xf32>, memref<9x4xf32>
  // CHECK: plan.linear_cross_entropy %[[M]], %[[TAB]], %[[IDS]], %[[WS]], %[[ONE]], %[[M]], %[[TAB]], %[[SC]] {chunk = 4 : i64, length = 4 : i64, operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 1, 1>} : memref<8x4xf32>, memref<9x4xf32>, memref<8xi32>, memref<512xi8>, memref<1xf64>, memref<8x4xf32>, memref<9x4xf32>, memref<64xi8>
  plan.linear_cross_entropy %m, %tab, %ids, %ws, %one, %m, %tab, %sc {chunk = 4 : i64, length = 4 : i64, operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 1, 1>} : memref<8x4xf32>, memref<9x4xf32>, memref<8xi32>, memref<512xi8>, memref<1xf64>, memref<8x4xf32>, memref<9x4xf32>, memref<64xi8>
  // CHECK: plan.append_cache %[[M]], %[[IDS]], %[[M]] {length = 4 : i64} : memref<8x4xf32>, memref<8xi32>, memref<8x4xf32>
  plan.append_cache %m, %ids, %m {length = 4 : i64} : memref<8x4xf32>, memref<8xi32>, memref<8x4xf32>
  // CHECK: plan.cached_attention %[[M]], %[[M]], %[[M]], %[[IDS]], %[[LSE]], %[[M]] {bias_by_distance = true, heads = 2 : i64, kv_heads = 2 : i64, length = 4 : i64, scale = 5.000000e-01 : f64, window = 3 : i64} : memref<8x4xf32>, memref<8x4xf32>, memref<8x4xf32>, memref<8xi32>, memref<2x8xf32>, memref<8x4xf32>
  plan.cached_attention %m, %m, %m, %ids, %lse, %m {bias_by_distance = true, heads = 2 : i64, kv_heads = 2 : i64, length = 4 : i64, scale = 0.5 : f64, window = 3 : i64} : memref<8x4xf32>, memref<8x4xf32>, memref<8x4xf32>, memref<8xi32>, memref<2x8xf32>, memref<8x4xf32>
  // CHECK: plan.relative_bias %[[M]], %[[LSE]] {bidirectional = false, key_length = 6 : i64, length = 3 : i64, max_distance = 9 : i64} : memref<8x4xf32>, memref<2x8xf32>
  plan.relative_bias %m, %lse {bidirectional = false, key_length = 6 : i64, length = 3 : i64, max_distance = 9 : i64} : memref<8x4xf32>, memref<2x8xf32>
  // CHECK: plan.relative_bias_gradient %[[LSE]], %[[M]] {bidirectional = true, key_length = 6 : i64, length = 3 : i64, max_distance = 9 : i64} : memref<2x8xf32>, memref<8x4xf32>
  plan.relative_bias_gradient %lse, %m {bidirectional = true, key_length = 6 : i64, length = 3 : i64, max_distance = 9 : i64} : memref<2x8xf32>, memref<8x4xf32>
  // CHECK: plan.alibi_table %[[IDS]], %[[LSE]] {round_bf16 = true, scale = 1.000000e+00 : f64, slopes = array<f32: 5.000000e-01, 2.500000e-01>} : memref<8xi32>, memref<2x8xf32>
  plan.alibi_table %ids, %lse {round_bf16 = true, scale = 1.0 : f64, slopes = array<f32: 0.5, 0.25>} : memref<8xi32>, memref<2x8xf32>
  // CHECK: plan.alibi_table %[[LSE]] {round_bf16 = false,
  plan.alibi_table %lse {round_bf16 = false, scale = 1.0 : f64, slopes = array<f32: 0.5, 0.25>} : memref<2x8xf32>
  // CHECK: plan.reorder_cache %[[IDS]], %[[M]] : memref<8xi32>, memref<8x4xf32>
  plan.reorder_cache %ids, %m : memref<8xi32>, memref<8x4xf32>
  // CHECK: plan.sum_squares %[[FA]], %[[ONE]] : memref<256xf32>, memref<1xf64>
  plan.sum_squares %fa, %one : memref<256xf32>, memref<1xf64>
  // CHECK: plan.finish_step %[[ONE]], %[[ONE]], %[[SC]], %[[C]], %[[FOUR]] {max_norm = 1.000000e+00 : f64} : memref<1xf64>, memref<1xf64>, memref<64xi8>, memref<1xf32>, memref<4xf64>
  plan.finish_step %one, %one, %sc, %c, %four {max_norm = 1.0 : f64} : memref<1xf64>, memref<1xf64>, memref<64xi8>, memref<1xf32>, memref<4xf64>
  // CHECK: plan.adamw %[[HA]], %[[C]], %[[SC]], %[[HA]], %[[HA]], %[[HA]] {beta1 = 5.000000e-01 : f64, beta2 = 7.500000e-01 : f64, decay_end = 64 : i64, epsilon = 5.000000e-01 : f64, operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 0>, sharded = true, weight_decay = 2.500000e-01 : f64} : memref<128xf32>, memref<1xf32>, memref<64xi8>, memref<128xf32>, memref<128xf32>, memref<128xf32>
  plan.adamw %ha, %c, %sc, %ha, %ha, %ha {beta1 = 0.5 : f64, beta2 = 0.75 : f64, decay_end = 64 : i64, epsilon = 0.5 : f64, operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 0>, sharded = true, weight_decay = 0.25 : f64} : memref<128xf32>, memref<1xf32>, memref<64xi8>, memref<128xf32>, memref<128xf32>, memref<128xf32>
  // CHECK: plan.adamw %[[HA]], %[[C]], %[[SC]], %[[HA]], %[[HA]], %[[HA]], %[[HA16]] {beta1 = 5.000000e-01 : f64, beta2 = 7.500000e-01 : f64, decay_end = 64 : i64, epsilon = 5.000000e-01 : f64, operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 1>, sharded = false, weight_decay = 2.500000e-01 : f64} : memref<128xf32>, memref<1xf32>, memref<64xi8>, memref<128xf32>, memref<128xf32>, memref<128xf32>, memref<128xbf16>
  plan.adamw %ha, %c, %sc, %ha, %ha, %ha, %ha16 {beta1 = 0.5 : f64, beta2 = 0.75 : f64, decay_end = 64 : i64, epsilon = 0.5 : f64, operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 1>, sharded = false, weight_decay = 0.25 : f64} : memref<128xf32>, memref<1xf32>, memref<64xi8>, memref<128xf32>, memref<128xf32>, memref<128xf32>, memref<128xbf16>
  // CHECK: plan.output "metrics", %[[FOUR]] : memref<4xf64>
  plan.output "metrics", %four : memref<4xf64>
}
