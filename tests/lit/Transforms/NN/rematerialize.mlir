// RUN: sed 's/SETTING/rematerialize = "block"/' %s > %t.block && sed 's/SETTING/rematerialize = "none"/' %s > %t.none
// RUN: zp-opt %t.block --nn-rematerialize -o %t.after && FileCheck %s --input-file=%t.after
// RUN: zp-opt %t.none --nn-rematerialize | FileCheck %s --check-prefix=NONE
// RUN: zp-interpret --compare %t.block %t.after
// Whole models, with dropout: masks are the same when recomputed.
// RUN: sed 's/zp.settings = {/zp.settings = {rematerialize = "block", /' %inputs/tiny-lora.mlir | zp-opt --nn-attach-adapters --nn-build-backward --nn-insert-optimizer -o %t.lora
// RUN: zp-opt %t.lora --nn-rematerialize -o %t.lora.after && zp-interpret --compare %t.lora %t.lora.after --micro_batches=2
// RUN: FileCheck %s --check-prefix=LORA --input-file=%t.lora.after
// RUN: sed 's/zp.settings = {/zp.settings = {rematerialize = "block", /' %inputs/tiny-full.mlir | zp-opt --nn-build-backward --nn-insert-optimizer -o %t.full
// RUN: zp-opt %t.full --nn-rematerialize -o %t.full.after && zp-interpret --compare %t.full %t.full.after

// Attention is done again for each of the two blocks, before its gradient.
// LORA-COUNT-2: nn.attention %
// LORA: nn.attention %{{.*}}nn.backward, nn.unit = 2 : i64
// LORA: nn.attention_gradient
// LORA: nn.attention %{{.*}}nn.backward, nn.unit = 1 : i64
// LORA: nn.attention_gradient

module attributes {zp.settings = {SETTING}} {
  nn.parameter @a : tensor<4x4xf32> initial checkpoint {unit = 1 : i64, checkpoint = "a", saved_as = "a", trainable}
  nn.parameter @head : tensor<5x4xf32> initial checkpoint {unit = 2 : i64, checkpoint = "head"}
  nn.state @loss_sum : tensor<1xf64>
  nn.program @train_step kind train_step attributes {rows = 2 : i64, length = 8 : i64} {
    // CHECK: %[[X:.+]] = nn.input "x"
    // CHECK: %[[A:.+]] = nn.read @a
    %x = nn.input "x" {nn.unit = 0 : i64} : tensor<16x4xf32>
    %labels = nn.input "labels" {nn.unit = 0 : i64} : tensor<16xi32>
    %a = nn.read @a {nn.unit = 1 : i64} : tensor<4x4xf32>
    // CHECK: %[[Y:.+]] = nn.linear %[[X]], %[[A]] {nn.unit = 1 : i64}
    %y = nn.linear %x, %a {nn.unit = 1 : i64} : (tensor<16x4xf32>, tensor<4x4xf32>) -> tensor<16x4xf32>
    %z = nn.silu_mul %y, %x {nn.unit = 1 : i64} : tensor<16x4xf32>
    %head = nn.read @head {nn.unit = 2 : i64} : tensor<5x4xf32>
    %loss, %dz = nn.linear_cross_entropy_gradient %z, %head, %labels {nn.unit = 2 : i64, nn.backward, chunk = 8 : i64, length = 8 : i64} : (tensor<16x4xf32>, tensor<5x4xf32>, tensor<16xi32>) -> (tensor<1xf64>, tensor<16x4xf32>)
    nn.add_state @loss_sum, %loss {nn.unit = 2 : i64} : tensor<1xf64>
    // Only what is needed is repeated (not silu_mul), from the block's input, right before its first backward op.
    // CHECK: nn.add_state
    // CHECK-NEXT: %[[Y2:.+]] = nn.linear %[[X]], %[[A]] {nn.backward, nn.unit = 1 : i64}
    // CHECK-NEXT: nn.silu_mul_gradient %{{.+}}, %[[Y2]], %[[X]]
    // NONE: nn.add_state
    // NONE-NEXT: nn.silu_mul_gradient
    %dy, %dx = nn.silu_mul_gradient %dz, %y, %x {nn.unit = 1 : i64, nn.backward} : tensor<16x4xf32>
    %da = nn.linear_weight_gradient %dy, %x {nn.unit = 1 : i64, nn.backward} : (tensor<16x4xf32>, tensor<16x4xf32>) -> tensor<4x4xf32>
    nn.accumulate_gradient @a, %da {nn.unit = 1 : i64, nn.backward} : tensor<4x4xf32>
  }
}
