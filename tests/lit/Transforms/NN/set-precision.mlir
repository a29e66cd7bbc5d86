// RUN: sed 's/SETTING/bf16 = true/' %s > %t.bf16 && sed 's/SETTING/bf16 = false/' %s > %t.f32
// RUN: zp-opt %t.bf16 --nn-set-precision -o %t.after && FileCheck %s --input-file=%t.after
// RUN: zp-opt %t.f32 --nn-set-precision | FileCheck %s --check-prefix=SAME
// RUN: sed 's/SETTING/fp16 = true/' %s | zp-opt --nn-set-precision | sed 's/xf16>/xbf16>/g' | FileCheck %s
// Types change, what they hold doesn't (the interpreter rounds nothing).
// RUN: zp-interpret --compare %t.bf16 %t.after
// RUN: sed 's/zp.settings = {/zp.settings = {bf16 = true, /' %inputs/tiny-lora.mlir | zp-opt --nn-attach-adapters -o %t.tiny
// RUN: zp-opt %t.tiny --nn-set-precision -o %t.tiny.after && zp-interpret --compare %t.tiny %t.tiny.after

// SAME-NOT: bf16>
// SAME: nn.program
// SAME-NOT: bf16>

module attributes {zp.settings = {SETTING}} {
  // Frozen ones are stored in bf16, trained ones keep f32 masters and are rounded when read.
  // CHECK: nn.parameter @w : tensor<4x6xbf16>
  nn.parameter @w : tensor<4x6xf32> initial checkpoint {unit = 1 : i64, checkpoint = "w"}
  // CHECK: nn.parameter @n : tensor<4xf32>
  nn.parameter @n : tensor<4xf32> initial checkpoint {unit = 1 : i64, checkpoint = "n", saved_as = "n", trainable}
  nn.parameter @head : tensor<5x4xf32> initial checkpoint {unit = 2 : i64, checkpoint = "head"}
  nn.state @loss_sum : tensor<1xf64>
  nn.program @train_step kind train_step attributes {rows = 2 : i64, length = 8 : i64} {
    // CHECK: nn.input "input_ids" : tensor<16xi32>
    %ids = nn.input "input_ids" : tensor<16xi32>
    %labels = nn.input "labels" : tensor<16xi32>
    // CHECK: nn.read @w : tensor<4x6xbf16>
    %w = nn.read @w : tensor<4x6xf32>
    // CHECK: nn.read @n : tensor<4xbf16>
    %n = nn.read @n : tensor<4xf32>
    %head = nn.read @head : tensor<5x4xf32>
    %e = nn.embedding %ids, %head : (tensor<16xi32>, tensor<5x4xf32>) -> tensor<16x4xf32>
    // Row statistics and the loss keep their types.
    // CHECK: nn.layer_norm {{.*}} -> (tensor<16x4xbf16>, tensor<16xf32>, tensor<16xf32>)
    %ln, %lnmean, %lnrstd = nn.layer_norm %e, %n, %n {epsilon = 1.0e-5 : f64} : (tensor<16x4xf32>, tensor<4xf32>, tensor<4xf32>) -> (tensor<16x4xf32>, tensor<16xf32>, tensor<16xf32>)
    // CHECK: nn.rms_norm {{.*}} -> (tensor<16x4xbf16>, tensor<16xf32>)
    %h, %rstd = nn.rms_norm %e, %n {epsilon = 1.0e-5 : f64} : (tensor<16x4xf32>, tensor<4xf32>) -> (tensor<16x4xf32>, tensor<16xf32>)
    // So do biases of attention, whatever their table is.
    // CHECK: nn.relative_bias {{.*}} : (tensor<4x6xbf16>) -> tensor<6x15xf32>
    %b = nn.relative_bias %w {length = 8 : i64, key_length = 8 : i64, max_distance = 9 : i64} : (tensor<4x6xf32>) -> tensor<6x15xf32>
    // CHECK: nn.alibi_table {{.*}} -> tensor<2x16xf32>
    %alibi = nn.alibi_table %ids {slopes = array<f32: 0.5, 0.25>} : (tensor<16xi32>) -> tensor<2x16xf32>
    // CHECK: nn.attention {{.*}} -> (tensor<16x4xbf16>, tensor<2x16xf32>)
    %o, %lse = nn.attention %h, %h, %h, %ids, %ids bias by_key %alibi {heads = 2 : i64, key_length = 8 : i64, kv_heads = 2 : i64, length = 8 : i64, scale = 0.7 : f64} : (tensor<16x4xf32>, tensor<16x4xf32>, tensor<16x4xf32>, tensor<16xi32>, tensor<16xi32>, tensor<2x16xf32>) -> (tensor<16x4xf32>, tensor<2x16xf32>)
    // CHECK: nn.linear_cross_entropy {{.*}} : (tensor<16x4xbf16>, tensor<5x4xbf16>, tensor<16xi32>) -> tensor<1xf64>
    %loss = nn.linear_cross_entropy %o, %head, %labels {chunk = 8 : i64, length = 8 : i64} : (tensor<16x4xf32>, tensor<5x4xf32>, tensor<16xi32>) -> tensor<1xf64>
    nn.add_state @loss_sum, %loss : tensor<1xf64>
  }
}
