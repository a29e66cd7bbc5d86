// RUN: zp-opt %s | zp-opt | FileCheck %s
// RUN: zp-opt %s --mlir-print-op-generic | zp-opt | FileCheck %s
// Every op, and every optional part of one, survives printing and parsing.

// CHECK: nn.parameter @w : tensor<6x4xf32> initial checkpoint {checkpoint = "base.w", decayed, saved_as = "w", trainable, unit = 1 : i64}
nn.parameter @w : tensor<6x4xf32> initial checkpoint {unit = 1 : i64, checkpoint = "base.w", saved_as = "w", trainable, decayed}
// CHECK: nn.parameter @a : tensor<2x4xf32> initial uniform {bound = 5.000000e-01 : f64, generator_offset = 12 : i64, saved_as = "a", trainable, unit = 1 : i64}
nn.parameter @a : tensor<2x4xf32> initial uniform {unit = 1 : i64, saved_as = "a", trainable, bound = 0.5 : f64, generator_offset = 12 : i64}
// CHECK: nn.parameter @n : tensor<2x4xf32> initial normal {bound = 2.500000e-01 : f64
nn.parameter @n : tensor<2x4xf32> initial normal {unit = 1 : i64, saved_as = "n", trainable, bound = 0.25 : f64}
// CHECK: nn.parameter @wide : tensor<2x4xf32> initial checkpoint {checkpoint = "wide", in_f32, unit = 1 : i64}
nn.parameter @wide : tensor<2x4xf32> initial checkpoint {unit = 1 : i64, checkpoint = "wide", in_f32}
// CHECK: nn.parameter @z : tensor<6x2xbf16> initial zero {unit = 1 : i64}
nn.parameter @z : tensor<6x2xbf16> initial zero {unit = 1 : i64}
// CHECK: nn.state @loss_sum : tensor<1xf64>
nn.state @loss_sum : tensor<1xf64>
// CHECK: nn.state @kept : tensor<8x4xf32>
nn.state @kept : tensor<8x4xf32>

// CHECK: nn.program @forward kind train_step attributes {length = 4 : i64, rows = 2 : i64} {
nn.program @forward kind train_step attributes {rows = 2 : i64, length = 4 : i64} {
  // CHECK: nn.input "ids" : tensor<8xi32>
  %ids = nn.input "ids" : tensor<8xi32>
  %scalars = nn.input "scalars" : tensor<64xi8>
  %x = nn.input "x" : tensor<8x4xf32>
  %v = nn.input "v" : tensor<4xf32>
  %table = nn.input "table" : tensor<9x4xf32>
  %bias = nn.input "bias" : tensor<6xf32>
  // CHECK: %[[W:.+]] = nn.read @w : tensor<6x4xf32>
  %w = nn.read @w : tensor<6x4xf32>
  // CHECK: nn.read @w : tensor<6x4xbf16>
  %w16 = nn.read @w : tensor<6x4xbf16>
  // CHECK: nn.embedding %{{.*}}, %{{.*}} : (tensor<8xi32>, tensor<9x4xf32>) -> tensor<8x4xf32>
  %e = nn.embedding %ids, %table : (tensor<8xi32>, tensor<9x4xf32>) -> tensor<8x4xf32>
  // CHECK: %[[Y:.+]] = nn.linear %{{.*}}, %[[W]] {module = "m", nn.unit = 1 : i64} : (tensor<8x4xf32>, tensor<6x4xf32>) -> tensor<8x6xf32>
  %y = nn.linear %x, %w {module = "m", nn.unit = 1 : i64} : (tensor<8x4xf32>, tensor<6x4xf32>) -> tensor<8x6xf32>
  // CHECK: nn.linear %{{.*}}, %[[W]] bias %{{.*}} addend %[[Y]] {adapter = {rank = 4 : i64}, alpha = 2.000000e+00 : f64} :
  %y2 = nn.linear %x, %w bias %bias addend %y {alpha = 2.0 : f64, adapter = {rank = 4 : i64}} : (tensor<8x4xf32>, tensor<6x4xf32>, tensor<6xf32>, tensor<8x6xf32>) -> tensor<8x6xf32>
  // CHECK: nn.linear %{{.*}}, %[[W]] addend %[[Y]] :
  %y3 = nn.linear %x, %w addend %y : (tensor<8x4xf32>, tensor<6x4xf32>, tensor<8x6xf32>) -> tensor<8x6xf32>
  // CHECK: nn.linear %{{.*}}, %[[W]] bias %{{.*}} addend %[[Y]] branch %{{.*}}, %[[W]] {branch_alpha = 2.000000e+00 : f64} :
  %y4 = nn.linear %x, %w bias %bias addend %y branch %x, %w {branch_alpha = 2.0 : f64} : (tensor<8x4xf32>, tensor<6x4xf32>, tensor<6xf32>, tensor<8x6xf32>, tensor<8x4xf32>, tensor<6x4xf32>) -> tensor<8x6xf32>
  // CHECK: nn.add %{{.*}}, %{{.*}} : tensor<8x6xf32>
  %s = nn.add %y, %y2 : tensor<8x6xf32>
  // CHECK: nn.scale %{{.*}} {factor = 5.000000e-01 : f64} : tensor<8x6xf32>
  %h = nn.scale %s {factor = 0.5 : f64} : tensor<8x6xf32>
  // CHECK: nn.cast %{{.*}} : (tensor<8x6xf32>) -> tensor<8x6xbf16>
  %c = nn.cast %h : (tensor<8x6xf32>) -> tensor<8x6xbf16>
  // CHECK: nn.reshape %{{.*}} : (tensor<8x6xf32>) -> tensor<24x2xf32>
  %r = nn.reshape %h : (tensor<8x6xf32>) -> tensor<24x2xf32>
  // CHECK: nn.dropout %{{.*}}, %{{.*}} {length = 4 : i64, probability = 1.000000e-01 : f64, site = 3 : i64} : (tensor<8x6xf32>, tensor<64xi8>) -> tensor<8x6xf32>
  %d = nn.dropout %h, %scalars {probability = 0.1 : f64, site = 3 : i64, length = 4 : i64} : (tensor<8x6xf32>, tensor<64xi8>) -> tensor<8x6xf32>
  // CHECK: nn.silu_mul %{{.*}}, %{{.*}} : tensor<8x6xf32>
  %m = nn.silu_mul %d, %h : tensor<8x6xf32>
  // CHECK: nn.embedding %{{.*}}, %{{.*}} {offset = 1 : i64} :
  %eo = nn.embedding %ids, %table {offset = 1 : i64} : (tensor<8xi32>, tensor<9x4xf32>) -> tensor<8x4xf32>
  // CHECK: nn.activation relu %{{.*}} : tensor<8x6xf32>
  %a0 = nn.activation relu %d : tensor<8x6xf32>
  // CHECK: nn.activation gelu %{{.*}} : tensor<8x6xf32>
  %a1 = nn.activation gelu %d : tensor<8x6xf32>
  // CHECK: nn.activation gelu_tanh %{{.*}} : tensor<8x6xf32>
  %a2 = nn.activation gelu_tanh %d : tensor<8x6xf32>
  // CHECK: nn.activation_gradient gelu %{{.*}}, %{{.*}} : tensor<8x6xf32>
  %a3 = nn.activation_gradient gelu %d, %h : tensor<8x6xf32>
  // CHECK: nn.gated_activation gelu_tanh %{{.*}}, %{{.*}} : tensor<8x6xf32>
  %a4 = nn.gated_activation gelu_tanh %d, %h : tensor<8x6xf32>
  // CHECK: %{{.+}}, %{{.+}} = nn.gated_activation_gradient gelu_tanh %{{.*}}, %{{.*}}, %{{.*}} : tensor<8x6xf32>
  %a5, %a6 = nn.gated_activation_gradient gelu_tanh %a4, %d, %h : tensor<8x6xf32>
  // CHECK: %[[CLAMPED:.+]] = nn.clamp_half %{{.*}} : tensor<8x6xf32>
  %clamped = nn.clamp_half %d : tensor<8x6xf32>
  // CHECK: nn.clamp_half_gradient %{{.*}}, %[[CLAMPED]] : tensor<8x6xf32>
  %dclamped = nn.clamp_half_gradient %d, %clamped : tensor<8x6xf32>
  // CHECK: %[[QQ:.+]], %[[KK:.+]], %[[VV:.+]] = nn.split_qkv %{{.*}} {heads = 1 : i64, kv_heads = 1 : i64} : (tensor<8x6xf32>) -> (tensor<8x2xf32>, tensor<8x2xf32>, tensor<8x2xf32>)
  %qq, %kk, %vv = nn.split_qkv %d {heads = 1 : i64, kv_heads = 1 : i64} : (tensor<8x6xf32>) -> (tensor<8x2xf32>, tensor<8x2xf32>, tensor<8x2xf32>)
  // CHECK: nn.join_qkv query %[[QQ]] key %[[KK]] value %[[VV]] {heads = 1 : i64, kv_heads = 1 : i64} :
  %jq = nn.join_qkv query %qq key %kk value %vv {heads = 1 : i64, kv_heads = 1 : i64} : (tensor<8x2xf32>, tensor<8x2xf32>, tensor<8x2xf32>) -> tensor<8x6xf32>
  // CHECK: nn.join_qkv value %[[VV]] {heads = 1 : i64, kv_heads = 1 : i64} : (tensor<8x2xf32>) -> tensor<8x6xf32>
  %jv = nn.join_qkv value %vv {heads = 1 : i64, kv_heads = 1 : i64} : (tensor<8x2xf32>) -> tensor<8x6xf32>
  // CHECK: %{{.+}}, %[[MEAN:.+]], %[[RS:.+]] = nn.layer_norm %{{.*}}, %{{.*}}, %{{.*}} {epsilon = 1.000000e-05 : f64} : (tensor<8x6xf32>, tensor<6xf32>, tensor<6xf32>) -> (tensor<8x6xf32>, tensor<8xf32>, tensor<8xf32>)
  %ln, %lmean, %lrstd = nn.layer_norm %d, %bias, %bias {epsilon = 1.0e-5 : f64} : (tensor<8x6xf32>, tensor<6xf32>, tensor<6xf32>) -> (tensor<8x6xf32>, tensor<8xf32>, tensor<8xf32>)
  // CHECK: nn.layer_norm_gradient %{{.*}}, %{{.*}}, %{{.*}}, %[[MEAN]], %[[RS]] {resultSegmentSizes = array<i32: 1, 0, 0>} :
  %lg = nn.layer_norm_gradient %ln, %d, %bias, %lmean, %lrstd {resultSegmentSizes = array<i32: 1, 0, 0>} : (tensor<8x6xf32>, tensor<8x6xf32>, tensor<6xf32>, tensor<8xf32>, tensor<8xf32>) -> tensor<8x6xf32>
  // CHECK: nn.layer_norm_gradient %{{.*}}, %{{.*}}, %{{.*}}, %[[MEAN]], %[[RS]] residual %{{.*}} {resultSegmentSizes = array<i32: 1, 0, 1>} :
  %lh, %lb = nn.layer_norm_gradient %ln, %d, %bias, %lmean, %lrstd residual %lg {resultSegmentSizes = array<i32: 1, 0, 1>} : (tensor<8x6xf32>, tensor<8x6xf32>, tensor<6xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8x6xf32>) -> (tensor<8x6xf32>, tensor<6xf32>)
  // CHECK: nn.rows %{{.*}}, %{{.*}} : (tensor<8x6xf32>, tensor<64xi8>) -> tensor<3x6xf32>
  %rows = nn.rows %m, %scalars : (tensor<8x6xf32>, tensor<64xi8>) -> tensor<3x6xf32>
  // CHECK: %{{.+}}, %{{.+}} = nn.rms_norm %{{.*}}, %{{.*}} {epsilon = 1.000000e-05 : f64} : (tensor<8x4xf32>, tensor<4xf32>) -> (tensor<8x4xf32>, tensor<8xf32>)
  %norm, %rstd = nn.rms_norm %x, %v {epsilon = 1.0e-5 : f64} : (tensor<8x4xf32>, tensor<4xf32>) -> (tensor<8x4xf32>, tensor<8xf32>)
  // CHECK: nn.rope_table %{{.*}} {inverse_frequencies = array<f32: 1.000000e+00>, scaling = 1.250000e+00 : f64} : (tensor<8xi32>) -> (tensor<8x1xf32>, tensor<8x1xf32>)
  %cos, %sin = nn.rope_table %ids {inverse_frequencies = array<f32: 1.0>, scaling = 1.25 : f64} : (tensor<8xi32>) -> (tensor<8x1xf32>, tensor<8x1xf32>)
  // CHECK: nn.rope %{{.*}}, %{{.*}}, %{{.*}} {head_dim = 2 : i64} : (tensor<8x4xf32>, tensor<8x1xf32>, tensor<8x1xf32>) -> tensor<8x4xf32>
  %q = nn.rope %norm, %cos, %sin {head_dim = 2 : i64} : (tensor<8x4xf32>, tensor<8x1xf32>, tensor<8x1xf32>) -> tensor<8x4xf32>
  // CHECK: nn.rope %{{.*}}, %{{.*}}, %{{.*}} {head_dim = 2 : i64, inverse} :
  %k = nn.rope %q, %cos, %sin {head_dim = 2 : i64, inverse} : (tensor<8x4xf32>, tensor<8x1xf32>, tensor<8x1xf32>) -> tensor<8x4xf32>
  // CHECK: nn.attention %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} {heads = 2 : i64, key_length = 4 : i64, kv_heads = 2 : i64, length = 4 : i64, scale = 5.000000e-01 : f64, window = 3 : i64} :
  %o, %lse = nn.attention %q, %k, %norm, %ids, %ids {heads = 2 : i64, key_length = 4 : i64, kv_heads = 2 : i64, length = 4 : i64, window = 3 : i64, scale = 0.5 : f64} : (tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x4xf32>, tensor<8xi32>, tensor<8xi32>) -> (tensor<8x4xf32>, tensor<2x8xf32>)
  // CHECK: nn.alibi_table %{{.*}} {round_bf16, scale = 5.000000e-01 : f64, slopes = array<f32: 5.000000e-01, 2.500000e-01>} : (tensor<8xi32>) -> tensor<2x8xf32>
  %alibi = nn.alibi_table %ids {slopes = array<f32: 0.5, 0.25>, scale = 0.5 : f64, round_bf16} : (tensor<8xi32>) -> tensor<2x8xf32>
  // CHECK: nn.alibi_table {slopes = array<f32: 5.000000e-01, 2.500000e-01>} : () -> tensor<2x4xf32>
  %of_places = nn.alibi_table {slopes = array<f32: 0.5, 0.25>} : () -> tensor<2x4xf32>
  // CHECK: nn.relative_bias %{{.*}} {bidirectional, key_length = 2 : i64, length = 4 : i64, max_distance = 20 : i64} : (tensor<8x4xf32>) -> tensor<4x5xf32>
  %relative = nn.relative_bias %x {length = 4 : i64, key_length = 2 : i64, max_distance = 20 : i64, bidirectional} : (tensor<8x4xf32>) -> tensor<4x5xf32>
  // CHECK: nn.attention %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} bias by_key %{{.*}} {causal = false, heads = 2 : i64, key_length = 4 : i64, kv_heads = 2 : i64, length = 4 : i64, scale = 5.000000e-01 : f64} :
  %ob, %lseb = nn.attention %q, %k, %norm, %ids, %ids bias by_key %alibi {heads = 2 : i64, kv_heads = 2 : i64, length = 4 : i64, key_length = 4 : i64, causal = false, scale = 0.5 : f64} : (tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x4xf32>, tensor<8xi32>, tensor<8xi32>, tensor<2x8xf32>) -> (tensor<8x4xf32>, tensor<2x8xf32>)
  %drops = nn.input "scalars" : tensor<64xi8>
  // CHECK: nn.attention %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} drops_by %{{.*}} {dropout = 2.500000e-01 : f64, heads = 2 : i64, key_length = 4 : i64, kv_heads = 2 : i64, length = 4 : i64, scale = 5.000000e-01 : f64, site = 7 : i64} :
  %od, %lsed = nn.attention %q, %k, %norm, %ids, %ids drops_by %drops {heads = 2 : i64, kv_heads = 2 : i64, length = 4 : i64, key_length = 4 : i64, scale = 0.5 : f64, dropout = 0.25 : f64, site = 7 : i64} : (tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x4xf32>, tensor<8xi32>, tensor<8xi32>, tensor<64xi8>) -> (tensor<8x4xf32>, tensor<2x8xf32>)
  // CHECK: nn.attention %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} bias by_key %{{.*}} drops_by %{{.*}} {dropout = 2.500000e-01 : f64, heads = 2 : i64,
  %obd, %lsebd = nn.attention %q, %k, %norm, %ids, %ids bias by_key %alibi drops_by %drops {heads = 2 : i64, kv_heads = 2 : i64, length = 4 : i64, key_length = 4 : i64, scale = 0.5 : f64, dropout = 0.25 : f64} : (tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x4xf32>, tensor<8xi32>, tensor<8xi32>, tensor<2x8xf32>, tensor<64xi8>) -> (tensor<8x4xf32>, tensor<2x8xf32>)
  // CHECK: nn.cached_attention %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} bias by_key %{{.*}} {heads = 2 : i64, kv_heads = 2 : i64, length = 4 : i64, scale = 5.000000e-01 : f64} :
  %cachedb = nn.cached_attention %q, %k, %norm, %ids bias by_key %of_places {heads = 2 : i64, kv_heads = 2 : i64, length = 4 : i64, scale = 0.5 : f64} : (tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x4xf32>, tensor<8xi32>, tensor<2x4xf32>) -> tensor<8x4xf32>
  // CHECK: nn.reorder_cache @kept, %{{.*}} : tensor<8xi32>
  nn.reorder_cache @kept, %ids : tensor<8xi32>
  // CHECK: nn.append_cache @kept, %{{.*}}, %{{.*}} {length = 4 : i64} : tensor<8x4xf32>, tensor<8xi32>
  nn.append_cache @kept, %k, %ids {length = 4 : i64} : tensor<8x4xf32>, tensor<8xi32>
  // CHECK: nn.cached_attention %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} {heads = 2 : i64, kv_heads = 2 : i64, length = 4 : i64, scale = 5.000000e-01 : f64, window = 3 : i64} :
  %cached = nn.cached_attention %q, %k, %norm, %ids {heads = 2 : i64, kv_heads = 2 : i64, length = 4 : i64, window = 3 : i64, scale = 0.5 : f64} : (tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x4xf32>, tensor<8xi32>) -> tensor<8x4xf32>
  // CHECK: nn.linear_cross_entropy %{{.*}}, %{{.*}}, %{{.*}} {chunk = 4 : i64, length = 4 : i64} : (tensor<8x4xf32>, tensor<9x4xf32>, tensor<8xi32>) -> tensor<1xf64>
  %loss = nn.linear_cross_entropy %o, %table, %ids {chunk = 4 : i64, length = 4 : i64} : (tensor<8x4xf32>, tensor<9x4xf32>, tensor<8xi32>) -> tensor<1xf64>
  // CHECK: nn.add_state @loss_sum, %{{.*}} : tensor<1xf64>
  nn.add_state @loss_sum, %loss : tensor<1xf64>
  // CHECK: nn.linear_cross_entropy {{.*}} -> tensor<2xf64>
  %sums = nn.linear_cross_entropy %o, %table, %ids {chunk = 4 : i64, length = 4 : i64} : (tensor<8x4xf32>, tensor<9x4xf32>, tensor<8xi32>) -> tensor<2xf64>
  // CHECK: nn.store_state @kept, %{{.*}} : tensor<8x4xf32>
  nn.store_state @kept, %o : tensor<8x4xf32>
  // CHECK: nn.output "hidden", %{{.*}} : tensor<8x4xf32>
  nn.output "hidden", %o : tensor<8x4xf32>
}

// CHECK: nn.program @backward kind evaluate {
nn.program @backward kind evaluate {
  %ids = nn.input "ids" : tensor<8xi32>
  %x = nn.input "x" : tensor<8x4xf32>
  %v = nn.input "v" : tensor<4xf32>
  %rstd = nn.input "rstd" : tensor<8xf32>
  %lse = nn.input "lse" : tensor<2x8xf32>
  %lse4 = nn.input "lse4" : tensor<4x8xf32>
  %table = nn.input "table" : tensor<9x4xf32>
  %g = nn.input "g" : tensor<8x6xf32>
  %w = nn.read @w : tensor<6x4xf32>
  // CHECK: nn.linear_input_gradient %{{.*}}, %{{.*}} {nn.backward} : (tensor<8x6xf32>, tensor<6x4xf32>) -> tensor<8x4xf32>
  %dx = nn.linear_input_gradient %g, %w {nn.backward} : (tensor<8x6xf32>, tensor<6x4xf32>) -> tensor<8x4xf32>
  // CHECK: nn.linear_input_gradient %{{.*}}, %{{.*}} addend %{{.*}} {alpha = 3.000000e+00 : f64} :
  %dx2 = nn.linear_input_gradient %g, %w addend %dx {alpha = 3.0 : f64} : (tensor<8x6xf32>, tensor<6x4xf32>, tensor<8x4xf32>) -> tensor<8x4xf32>
  // CHECK: nn.linear_input_gradient %{{.*}}, %{{.*}} branch %{{.*}}, %{{.*}} {branch_alpha = 3.000000e+00 : f64} :
  %dx3 = nn.linear_input_gradient %g, %w branch %g, %w {branch_alpha = 3.0 : f64} : (tensor<8x6xf32>, tensor<6x4xf32>, tensor<8x6xf32>, tensor<6x4xf32>) -> tensor<8x4xf32>
  // CHECK: nn.linear_weight_gradient %{{.*}}, %{{.*}} : (tensor<8x6xf32>, tensor<8x4xf32>) -> tensor<6x4xf32>
  %dw = nn.linear_weight_gradient %g, %x : (tensor<8x6xf32>, tensor<8x4xf32>) -> tensor<6x4xf32>
  // CHECK: nn.column_sum %{{.*}} : (tensor<8x6xf32>) -> tensor<6xf32>
  %db = nn.column_sum %g : (tensor<8x6xf32>) -> tensor<6xf32>
  // CHECK: nn.embedding_gradient %{{.*}}, %{{.*}} : (tensor<8xi32>, tensor<8x4xf32>) -> tensor<9x4xf32>
  %de = nn.embedding_gradient %ids, %x : (tensor<8xi32>, tensor<8x4xf32>) -> tensor<9x4xf32>
  // CHECK: %{{.+}}, %{{.+}} = nn.silu_mul_gradient %{{.*}}, %{{.*}}, %{{.*}} : tensor<8x4xf32>
  %dg, %du = nn.silu_mul_gradient %dx, %x, %x : tensor<8x4xf32>
  // CHECK: nn.rms_norm_gradient %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} : (tensor<8x4xf32>, tensor<8x4xf32>, tensor<4xf32>, tensor<8xf32>) -> tensor<8x4xf32>
  %dn = nn.rms_norm_gradient %dx, %x, %v, %rstd : (tensor<8x4xf32>, tensor<8x4xf32>, tensor<4xf32>, tensor<8xf32>) -> tensor<8x4xf32>
  // CHECK: %{{.+}}, %{{.+}} = nn.rms_norm_gradient %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} residual %{{.*}} : {{.*}} -> (tensor<8x4xf32>, tensor<4xf32>)
  %dn2, %dv = nn.rms_norm_gradient %dx, %x, %v, %rstd residual %dn : (tensor<8x4xf32>, tensor<8x4xf32>, tensor<4xf32>, tensor<8xf32>, tensor<8x4xf32>) -> (tensor<8x4xf32>, tensor<4xf32>)
  // CHECK: nn.attention_gradient
  // CHECK-SAME: {heads = 2 : i64, key_length = 4 : i64, kv_heads = 2 : i64, length = 4 : i64, scale = 5.000000e-01 : f64} :
  %dq, %dk, %dvalue = nn.attention_gradient %dx, %x, %x, %x, %x, %lse, %ids, %ids {heads = 2 : i64, key_length = 4 : i64, kv_heads = 2 : i64, length = 4 : i64, scale = 0.5 : f64} : (tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x4xf32>, tensor<2x8xf32>, tensor<8xi32>, tensor<8xi32>) -> (tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x4xf32>)
  %relative = nn.relative_bias %x {length = 4 : i64, key_length = 4 : i64, max_distance = 20 : i64} : (tensor<8x4xf32>) -> tensor<4x7xf32>
  // CHECK: %{{.*}}, %{{.*}}, %{{.*}}, %[[DB:.*]] = nn.attention_gradient {{.*}} bias by_distance %{{.*}} {heads = 4 : i64, {{.*}} -> (tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x4xf32>, tensor<4x7xf32>)
  %dqb, %dkb, %dvb, %dbias = nn.attention_gradient %dx, %x, %x, %x, %x, %lse4, %ids, %ids bias by_distance %relative {heads = 4 : i64, kv_heads = 4 : i64, length = 4 : i64, key_length = 4 : i64, scale = 0.5 : f64} : (tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x4xf32>, tensor<4x8xf32>, tensor<8xi32>, tensor<8xi32>, tensor<4x7xf32>) -> (tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x4xf32>, tensor<4x7xf32>)
  %drops = nn.input "scalars" : tensor<64xi8>
  // CHECK: nn.attention_gradient {{.*}} bias by_distance %{{.*}} drops_by %{{.*}} {dropout = 2.500000e-01 : f64, heads = 4 : i64, {{.*}}site = 7 : i64} :
  %dqd, %dkd, %dvd = nn.attention_gradient %dx, %x, %x, %x, %x, %lse4, %ids, %ids bias by_distance %relative drops_by %drops {heads = 4 : i64, kv_heads = 4 : i64, length = 4 : i64, key_length = 4 : i64, scale = 0.5 : f64, dropout = 0.25 : f64, site = 7 : i64} : (tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x4xf32>, tensor<4x8xf32>, tensor<8xi32>, tensor<8xi32>, tensor<4x7xf32>, tensor<64xi8>) -> (tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x4xf32>)
  // CHECK: nn.relative_bias_gradient %[[DB]] {key_length = 4 : i64, length = 4 : i64, max_distance = 20 : i64} : (tensor<4x7xf32>) -> tensor<8x4xf32>
  %drelative = nn.relative_bias_gradient %dbias {length = 4 : i64, key_length = 4 : i64, max_distance = 20 : i64} : (tensor<4x7xf32>) -> tensor<8x4xf32>
  // CHECK: %{{.+}}, %{{.+}} = nn.linear_cross_entropy_gradient {{.*}} -> (tensor<1xf64>, tensor<8x4xf32>)
  %loss, %dh = nn.linear_cross_entropy_gradient %x, %table, %ids {chunk = 4 : i64, length = 4 : i64} : (tensor<8x4xf32>, tensor<9x4xf32>, tensor<8xi32>) -> (tensor<1xf64>, tensor<8x4xf32>)
  // CHECK: nn.linear_cross_entropy_gradient {{.*}} -> (tensor<1xf64>, tensor<8x4xf32>, tensor<9x4xf32>)
  %loss2, %dh2, %dtable = nn.linear_cross_entropy_gradient %x, %table, %ids {chunk = 4 : i64, length = 4 : i64} : (tensor<8x4xf32>, tensor<9x4xf32>, tensor<8xi32>) -> (tensor<1xf64>, tensor<8x4xf32>, tensor<9x4xf32>)
  %scalars = nn.input "scalars" : tensor<64xi8>
  // CHECK: nn.linear_cross_entropy_gradient %{{.*}}, %{{.*}}, %{{.*}} scaled_by %{{.*}} {chunk = 4 : i64, length = 4 : i64} : (tensor<8x4xf32>, tensor<9x4xf32>, tensor<8xi32>, tensor<64xi8>) -> (tensor<1xf64>, tensor<8x4xf32>)
  %loss3, %dh3 = nn.linear_cross_entropy_gradient %x, %table, %ids scaled_by %scalars {chunk = 4 : i64, length = 4 : i64} : (tensor<8x4xf32>, tensor<9x4xf32>, tensor<8xi32>, tensor<64xi8>) -> (tensor<1xf64>, tensor<8x4xf32>)
  // CHECK: nn.accumulate_gradient @w, %{{.*}} : tensor<6x4xf32>
  nn.accumulate_gradient @w, %dw : tensor<6x4xf32>
}

// CHECK: nn.program @update kind apply_gradients {
nn.program @update kind apply_gradients {
  %scalars = nn.input "scalars" : tensor<64xi8>
  // CHECK: nn.gradient @w : tensor<6x4xf32>
  %dw = nn.gradient @w : tensor<6x4xf32>
  // CHECK: nn.sum_squares %{{.*}}, %{{.*}} : (tensor<6x4xf32>, tensor<6x4xf32>) -> tensor<1xf64>
  %squares = nn.sum_squares %dw, %dw : (tensor<6x4xf32>, tensor<6x4xf32>) -> tensor<1xf64>
  // CHECK: nn.load_state @loss_sum : tensor<1xf64>
  %loss = nn.load_state @loss_sum : tensor<1xf64>
  // CHECK: nn.finish_step %{{.*}}, %{{.*}}, %{{.*}} {max_norm = 1.000000e+00 : f64} : (tensor<1xf64>, tensor<1xf64>, tensor<64xi8>) -> (tensor<1xf32>, tensor<4xf64>)
  %coefficient, %metrics = nn.finish_step %squares, %loss, %scalars {max_norm = 1.0 : f64} : (tensor<1xf64>, tensor<1xf64>, tensor<64xi8>) -> (tensor<1xf32>, tensor<4xf64>)
  // CHECK: nn.adamw @w, %{{.*}}, %{{.*}}, %{{.*}} {beta1 = 9.000000e-01 : f64, beta2 = 0.99899999999999999 : f64, epsilon = 1.000000e-08 : f64, weight_decay = 1.000000e-02 : f64} : tensor<6x4xf32>, tensor<1xf32>, tensor<64xi8>
  nn.adamw @w, %dw, %coefficient, %scalars {beta1 = 0.9 : f64, beta2 = 0.999 : f64, epsilon = 1.0e-8 : f64, weight_decay = 0.01 : f64} : tensor<6x4xf32>, tensor<1xf32>, tensor<64xi8>
  // CHECK: nn.clear_gradient @w
  nn.clear_gradient @w
  // CHECK: nn.clear_state @loss_sum
  nn.clear_state @loss_sum
}

// CHECK: nn.program @chunk kind logits {
nn.program @chunk kind logits {
}
// CHECK: nn.program @begin kind init {
nn.program @begin kind init {
}
