// RUN: sed 's/SETTING/rematerialize = "block"/' %s > %t.block && sed 's/SETTING/rematerialize = "none"/' %s > %t.none
// RUN: zp-opt %t.block --nn-rematerialize -o %t.after && FileCheck %s --input-file=%t.after
// RUN: zp-opt %t.none --nn-rematerialize | FileCheck %s --check-prefix=NONE
// RUN: zp-interpret --compare %t.block %t.after
// RUN: sed 's/SETTING/rematerialize = "selective"/' %s > %t.selective && zp-opt %t.selective --nn-rematerialize -o %t.cheap && FileCheck %s --check-prefix=CHEAP --input-file=%t.cheap
// RUN: zp-interpret --compare %t.selective %t.cheap
// With no block to recompute wholly, block is selective; one step less than that is nothing.
// RUN: sed 's/SETTING/rematerialize = "block", rematerialize_blocks = 0 : i64/' %s | zp-opt --nn-rematerialize | FileCheck %s --check-prefix=CHEAP
// RUN: sed 's/SETTING/rematerialize = "selective", rematerialize_blocks = 0 : i64/' %s | zp-opt --nn-rematerialize | FileCheck %s --check-prefix=NONE
// Whole models, with dropout: masks are the same when recomputed.
// RUN: sed 's/zp.settings = {/zp.settings = {rematerialize = "block", /' %inputs/tiny-lora.mlir | zp-opt --nn-attach-adapters --nn-build-backward --nn-insert-optimizer -o %t.lora
// RUN: zp-opt %t.lora --nn-rematerialize -o %t.lora.after && zp-interpret --compare %t.lora %t.lora.after --micro_batches=2
// RUN: FileCheck %s --check-prefix=LORA --input-file=%t.lora.after
// RUN: sed 's/zp.settings = {/zp.settings = {rematerialize = "block", /' %inputs/tiny-full.mlir | zp-opt --nn-build-backward --nn-insert-optimizer -o %t.full
// RUN: zp-opt %t.full --nn-rematerialize -o %t.full.after && zp-interpret --compare %t.full %t.full.after

// Whole models again, selectively: attention is done once, norms and gated products twice; in the first block only, or in full.
// RUN: sed 's/rematerialize = "block"/rematerialize = "selective"/' %t.lora > %t.lora.selective && zp-opt %t.lora.selective --nn-rematerialize -o %t.lora.cheap && zp-interpret --compare %t.lora %t.lora.cheap --micro_batches=2
// RUN: FileCheck %s --check-prefix=ONCE --input-file=%t.lora.cheap
// RUN: sed 's/rematerialize = "block"/rematerialize = "block", rematerialize_blocks = 1 : i64/' %t.lora > %t.lora.first && zp-opt %t.lora.first --nn-rematerialize -o %t.lora.mixed && zp-interpret --compare %t.lora %t.lora.mixed --micro_batches=2
// RUN: FileCheck %s --check-prefix=MIXED --input-file=%t.lora.mixed
// RUN: sed 's/rematerialize = "block"/rematerialize = "selective"/' %t.full | zp-opt --nn-rematerialize -o %t.full.cheap && zp-interpret --compare %t.full %t.full.cheap
// ONCE-COUNT-2: nn.attention %
// ONCE-NOT: nn.attention %
// ONCE: nn.silu_mul %{{.*}}nn.backward, nn.unit = 2 : i64
// ONCE: nn.rms_norm %{{.*}}nn.backward{{.*}}nn.unit = 2 : i64
// ONCE: nn.silu_mul %{{.*}}nn.backward, nn.unit = 1 : i64
// MIXED-COUNT-2: nn.attention %
// MIXED-NOT: nn.attention %
// MIXED: nn.silu_mul %{{.*}}nn.backward, nn.unit = 2 : i64
// MIXED: nn.attention %{{.*}}nn.backward, nn.unit = 1 : i64

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
    // CHEAP: %[[Y:.+]] = nn.linear
    %y = nn.linear %x, %a {nn.unit = 1 : i64} : (tensor<16x4xf32>, tensor<4x4xf32>) -> tensor<16x4xf32>
    %s = nn.scale %y {factor = 2.0, nn.unit = 1 : i64} : tensor<16x4xf32>
    %z = nn.silu_mul %s, %y {nn.unit = 1 : i64} : tensor<16x4xf32>
    %head = nn.read @head {nn.unit = 2 : i64} : tensor<5x4xf32>
    %loss, %dz = nn.linear_cross_entropy_gradient %z, %head, %labels {nn.unit = 2 : i64, nn.backward, chunk = 8 : i64, length = 8 : i64} : (tensor<16x4xf32>, tensor<5x4xf32>, tensor<16xi32>) -> (tensor<1xf64>, tensor<16x4xf32>)
    nn.add_state @loss_sum, %loss {nn.unit = 2 : i64} : tensor<1xf64>
    // Only what is needed is repeated (not silu_mul), from the block's input, right before its first backward op.
    // CHECK: nn.add_state
    // CHECK-NEXT: %[[Y2:.+]] = nn.linear %[[X]], %[[A]] {nn.backward, nn.unit = 1 : i64}
    // CHECK-NEXT: %[[S2:.+]] = nn.scale %[[Y2]] {{.*}}nn.backward, nn.unit = 1 : i64
    // CHECK-NEXT: nn.silu_mul_gradient %{{.+}}, %[[S2]], %[[Y2]]
    // A product is kept, what is cheap to compute from it is repeated right before its use.
    // CHEAP: nn.add_state
    // CHEAP-NEXT: %[[S2:.+]] = nn.scale %[[Y]] {{.*}}nn.backward, nn.unit = 1 : i64
    // CHEAP-NEXT: nn.silu_mul_gradient %{{.+}}, %[[S2]], %[[Y]]
    // NONE: nn.add_state
    // NONE-NEXT: nn.silu_mul_gradient
    %ds, %dy = nn.silu_mul_gradient %dz, %s, %y {nn.unit = 1 : i64, nn.backward} : tensor<16x4xf32>
    %da = nn.linear_weight_gradient %dy, %x {nn.unit = 1 : i64, nn.backward} : (tensor<16x4xf32>, tensor<16x4xf32>) -> tensor<4x4xf32>
    nn.accumulate_gradient @a, %da {nn.unit = 1 : i64, nn.backward} : tensor<4x4xf32>
  }
}
