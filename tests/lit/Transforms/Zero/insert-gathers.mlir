// RUN: zp-opt %s --zero-insert-gathers | FileCheck %s
// RUN: zp-opt %s --zero-insert-gathers -o %t.after && zp-interpret --compare %s %t.after --ranks=2
// How many units come between decides who stays: at distance 0 the head alone, then the units before it; 256 bytes are one section.
// RUN: sed 's/prefetch_distance = 1/prefetch_distance = 0/' %s > %t.0 && zp-opt %t.0 --zero-insert-gathers -o %t.0.after && zp-interpret --compare %t.0 %t.0.after --ranks=2
// RUN: grep -c zero.all_gather %t.0.after | FileCheck %s --check-prefix=FIVE
// RUN: grep -c zero.all_gather %t.after | FileCheck %s --check-prefix=FOUR
// RUN: sed 's/prefetch_distance = 1/prefetch_distance = 2/' %s > %t.2 && zp-opt %t.2 --zero-insert-gathers -o %t.2.after && zp-interpret --compare %t.2 %t.2.after --ranks=2
// RUN: grep -c zero.all_gather %t.2.after | FileCheck %s --check-prefix=THREE
// RUN: sed 's/prefetch_distance = 1/prefetch_distance = 2 : i64, prefetch_bytes = 511/' %s | zp-opt --zero-insert-gathers | grep -c zero.all_gather | FileCheck %s --check-prefix=FOUR
// FIVE: 5
// FOUR: 4
// THREE: 3
// Losses and gradients of whole models on four ranks, some sections whole.
// RUN: sed 's/zp.settings = {/zp.settings = {num_processes = 4 : i64, rematerialize = "block", stage3_param_persistence_threshold = 300 : i64, /' %inputs/tiny-lora.mlir | zp-opt --nn-attach-adapters --nn-build-evaluation --nn-build-backward --nn-rematerialize -o %t.lora
// RUN: zp-opt %t.lora --zero-partition-state --zero-insert-gathers -o %t.lora.after && zp-interpret --compare %t.lora %t.lora.after --micro_batches=2
// RUN: sed 's/zp.settings = {/zp.settings = {num_processes = 4 : i64, stage3_param_persistence_threshold = 0 : i64, /' %inputs/tiny-full.mlir | zp-opt --nn-build-evaluation --nn-build-backward -o %t.full
// RUN: zp-opt %t.full --zero-partition-state --zero-insert-gathers -o %t.full.after && zp-interpret --compare %t.full %t.full.after

module attributes {zp.settings = {prefetch_distance = 1 : i64}} {
  nn.parameter @w : tensor<4x4xf32> initial checkpoint {unit = 1 : i64, checkpoint = "w"}
  nn.parameter @v : tensor<4xf32> initial checkpoint {unit = 1 : i64, checkpoint = "v"}
  nn.parameter @w2 : tensor<4x4xf32> initial checkpoint {unit = 2 : i64, checkpoint = "w2"}
  nn.parameter @w3 : tensor<4x4xf32> initial checkpoint {unit = 3 : i64, checkpoint = "w3"}
  nn.parameter @kept : tensor<4xf32> initial checkpoint {unit = 0 : i64, checkpoint = "kept"}
  zero.section @kept.s kind frozen {unit = 0 : i64, type = tensor<64xf32>, slots = [#zero.slot<@kept, 0>], ranks = 2 : i64}
  zero.section @s kind frozen {unit = 1 : i64, type = tensor<128xf32>, slots = [#zero.slot<@w, 0>, #zero.slot<@v, 64>], ranks = 2 : i64, values_sharded}
  zero.section @s2 kind frozen {unit = 2 : i64, type = tensor<64xf32>, slots = [#zero.slot<@w2, 0>], ranks = 2 : i64, values_sharded}
  zero.section @s3 kind frozen {unit = 3 : i64, type = tensor<64xf32>, slots = [#zero.slot<@w3, 0>], ranks = 2 : i64, values_sharded}

  // CHECK-LABEL: @train_step
  nn.program @train_step kind train_step {
    %x = nn.input "x" : tensor<8x4xf32>
    %w = nn.read @w : tensor<4x4xf32>
    %v = nn.read @v : tensor<4xf32>
    %w2 = nn.read @w2 : tensor<4x4xf32>
    %w3 = nn.read @w3 : tensor<4x4xf32>
    %k = nn.read @kept : tensor<4xf32>
    // CHECK-NOT: nn.read
    // A whole section needs no gather, at its first use and once.
    // CHECK: %[[K:.+]] = zero.values @kept.s {{.*}}: tensor<64xf32>
    // CHECK-NEXT: zero.slot %[[K]], @kept.s, @kept
    // CHECK-NEXT: nn.rms_norm
    %n, %r = nn.rms_norm %x, %k {epsilon = 1.0e-5 : f64, nn.unit = 1 : i64} : (tensor<8x4xf32>, tensor<4xf32>) -> (tensor<8x4xf32>, tensor<8xf32>)
    // One gather for the unit's forward ops, right before the first.
    // CHECK: %[[V:.+]] = zero.values @s {nn.unit = 1 : i64} : tensor<64xf32>
    // CHECK-NEXT: %[[F:.+]] = zero.all_gather %[[V]] {nn.unit = 1 : i64, ranks = 2 : i64}
    // CHECK-NEXT: %[[S:.+]] = zero.wait %[[F]] {nn.unit = 1 : i64}
    // CHECK-DAG: zero.slot %[[S]], @s, @w {nn.unit = 1 : i64} : (tensor<128xf32>) -> tensor<4x4xf32>
    // CHECK-DAG: zero.slot %[[S]], @s, @v {nn.unit = 1 : i64} : (tensor<128xf32>) -> tensor<4xf32>
    // CHECK: nn.linear
    // CHECK-NEXT: nn.linear
    %y = nn.linear %n, %w bias %v {nn.unit = 1 : i64} : (tensor<8x4xf32>, tensor<4x4xf32>, tensor<4xf32>) -> tensor<8x4xf32>
    %z = nn.linear %y, %w {nn.unit = 1 : i64} : (tensor<8x4xf32>, tensor<4x4xf32>) -> tensor<8x4xf32>
    // CHECK: zero.all_gather {{.*}} {nn.unit = 2 : i64, ranks = 2 : i64}
    %p = nn.linear %z, %w2 {nn.unit = 2 : i64} : (tensor<8x4xf32>, tensor<4x4xf32>) -> tensor<8x4xf32>
    // CHECK: zero.all_gather {{.*}} {nn.unit = 3 : i64, ranks = 2 : i64}
    %q = nn.linear %p, %w3 {nn.unit = 3 : i64} : (tensor<8x4xf32>, tensor<4x4xf32>) -> tensor<8x4xf32>
    // The head and the last unit before it stay.
    // CHECK-NOT: zero.all_gather
    // CHECK: nn.linear_input_gradient {{.*}}nn.unit = 3 : i64
    %dq = nn.linear_input_gradient %q, %w3 {nn.unit = 3 : i64, nn.backward} : (tensor<8x4xf32>, tensor<4x4xf32>) -> tensor<8x4xf32>
    // CHECK-NOT: zero.all_gather
    // CHECK: nn.linear_input_gradient {{.*}}nn.unit = 2 : i64
    %dz = nn.linear_input_gradient %dq, %w2 {nn.unit = 2 : i64, nn.backward} : (tensor<8x4xf32>, tensor<4x4xf32>) -> tensor<8x4xf32>
    // The backward ops of the first gather again.
    // CHECK: zero.all_gather %{{.*}} {nn.backward, nn.unit = 1 : i64, ranks = 2 : i64}
    // CHECK: nn.linear_input_gradient
    // CHECK-NEXT: nn.linear_input_gradient
    // CHECK-NOT: zero.all_gather
    %dy = nn.linear_input_gradient %dz, %w {nn.unit = 1 : i64, nn.backward} : (tensor<8x4xf32>, tensor<4x4xf32>) -> tensor<8x4xf32>
    %dx = nn.linear_input_gradient %dy, %w {nn.unit = 1 : i64, nn.backward} : (tensor<8x4xf32>, tensor<4x4xf32>) -> tensor<8x4xf32>
    nn.output "dx", %dx : tensor<8x4xf32>
  }
}
