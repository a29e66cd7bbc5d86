// RUN: sed 's/SETTING/bf16 = true/' %s > %t.bf16 && sed 's/SETTING/bf16 = false/' %s > %t.f32
// RUN: zp-opt %t.bf16 --nn-set-precision -o %t.after && FileCheck %s --input-file=%t.after
// RUN: zp-opt %t.f32 --nn-set-precision | FileCheck %s --check-prefix=SAME
// RUN: sed 's/SETTING/fp16 = true/' %s | zp-opt --nn-set-precision | sed 's/xf16>/xbf16>/g' | FileCheck %s
// Types change, what they hold doesn't (the interpreter rounds nothing).
// RUN: zp-interpret --compare %t.bf16 %t.after
// What stays in f32, of a residual stream as T5 has it.
// RUN: zp-opt %S/Inputs/in-f32.mlir --nn-set-precision -o %t.wide && FileCheck %s --check-prefix=WIDE --input-file=%t.wide
// RUN: sed 's/fp16 = true/fp16 = false/' %S/Inputs/in-f32.mlir > %t.plain && zp-interpret --compare %t.plain %t.wide
// RUN: zp-opt %t.wide --nn-build-backward -o %t.wide.trained && FileCheck %s --check-prefix=BACK --input-file=%t.wide.trained
// RUN: zp-interpret --check_gradients %t.wide.trained
// RUN: zp-opt %t.plain --nn-set-precision | FileCheck %s --check-prefix=PLAIN
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

// A linear takes x as its weight is, and the stream follows; a norm of f32 is rounded behind it. Clamps stay where there is f16.
// WIDE: nn.parameter @wo : tensor<4x6xf32> initial checkpoint {checkpoint = "wo", in_f32, unit = 1 : i64}
// WIDE: nn.parameter @wi : tensor<6x4xf16>
// WIDE: %[[X:.+]] = nn.embedding {{.*}} -> tensor<16x4xf16>
// WIDE: %[[C:.+]] = nn.clamp_half %[[X]] {nn.unit = 1 : i64} : tensor<16x4xf16>
// WIDE: %[[U:.+]] = nn.linear %{{.+}}, %{{.+}} {nn.unit = 1 : i64} : (tensor<16x4xf16>, tensor<6x4xf16>) -> tensor<16x6xf16>
// WIDE: %[[A:.+]] = nn.activation gelu %[[U]] {{.*}}xf16>
// WIDE: %[[WO:.+]] = nn.read @wo {nn.unit = 1 : i64} : tensor<4x6xf32>
// WIDE-NEXT: %[[A32:.+]] = nn.cast %[[A]] {nn.unit = 1 : i64} : (tensor<16x6xf16>) -> tensor<16x6xf32>
// WIDE-NEXT: %[[D:.+]] = nn.linear %[[A32]], %[[WO]] {{.*}} -> tensor<16x4xf32>
// WIDE-NEXT: %[[C32:.+]] = nn.cast %[[C]] {nn.unit = 1 : i64} : (tensor<16x4xf16>) -> tensor<16x4xf32>
// WIDE-NEXT: %[[Y:.+]] = nn.add %[[C32]], %[[D]] {nn.unit = 1 : i64} : tensor<16x4xf32>
// WIDE-NOT: nn.clamp_half
// WIDE: %[[N:.+]] = nn.read @n {nn.unit = 2 : i64} : tensor<4xf16>
// WIDE-NEXT: %[[N32:.+]] = nn.cast %[[N]] {nn.unit = 2 : i64} : (tensor<4xf16>) -> tensor<4xf32>
// WIDE-NEXT: %[[H32:.+]], %{{.+}} = nn.rms_norm %[[Y]], %[[N32]] {{.*}} -> (tensor<16x4xf32>, tensor<16xf32>)
// WIDE-NEXT: %[[H:.+]] = nn.cast %[[H32]] {nn.unit = 2 : i64} : (tensor<16x4xf32>) -> tensor<16x4xf16>
// WIDE: nn.linear_cross_entropy %[[H]],

// Gradients are as their values are, but a parameter's is f32 whatever was read of it.
// BACK: nn.accumulate_gradient @n, %{{.+}} : tensor<4xf32>
// BACK: nn.clamp_half_gradient %{{.+}}, %{{.+}} {nn.backward, nn.unit = 1 : i64} : tensor<16x4xf16>

// PLAIN-NOT: nn.cast
// PLAIN-NOT: nn.clamp_half
// PLAIN: nn.linear_cross_entropy
