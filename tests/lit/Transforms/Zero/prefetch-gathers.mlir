// RUN: zp-opt %s --zero-prefetch-gathers | FileCheck %s
// RUN: sed 's/zp.settings = {/zp.settings = {num_processes = 2 : i64, rematerialize = "block", stage3_param_persistence_threshold = 0 : i64, /' %inputs/tiny-lora.mlir | zp-opt --nn-attach-adapters --nn-build-evaluation --nn-build-backward --nn-insert-optimizer --nn-rematerialize -o %t.nn
// RUN: zp-opt %t.nn --zero-partition-state --zero-insert-gathers --zero-insert-reductions -o %t.before
// RUN: zp-opt %t.before --zero-prefetch-gathers --zero-verify-partition -o %t.after
// RUN: zp-interpret --compare %t.before %t.after --micro_batches=2
// RUN: zp-interpret --compare %t.nn %t.after --micro_batches=2
// RUN: not diff %t.before %t.after > /dev/null
// Two units ahead, and as many as 2000 bytes take; at distance 0 nothing moves.
// RUN: sed 's/zp.settings = {/zp.settings = {prefetch_distance = 2 : i64, /' %t.nn | zp-opt --zero-partition-state --zero-insert-gathers --zero-insert-reductions --zero-prefetch-gathers --zero-verify-partition -o %t.two
// RUN: zp-interpret --compare %t.nn %t.two --micro_batches=2
// RUN: not diff %t.after %t.two > /dev/null
// RUN: sed 's/zp.settings = {/zp.settings = {prefetch_distance = 2 : i64, prefetch_bytes = 2000 : i64, /' %t.nn | zp-opt --zero-partition-state --zero-insert-gathers --zero-insert-reductions --zero-prefetch-gathers --zero-verify-partition -o %t.bytes
// RUN: zp-interpret --compare %t.nn %t.bytes --micro_batches=2
// RUN: sed 's/prefetch_distance = 1/prefetch_distance = 0/' %s | zp-opt --zero-prefetch-gathers | FileCheck %s --check-prefixes=LATE
// RUN: sed 's/prefetch_distance = 1/prefetch_distance = 2/' %s | zp-opt --zero-prefetch-gathers | FileCheck %s --check-prefixes=TWO
// RUN: sed 's/prefetch_distance = 1/prefetch_distance = 2 : i64, prefetch_bytes = 300/' %s | zp-opt --zero-prefetch-gathers | FileCheck %s --check-prefixes=CHECK
// RUN: sed 's/prefetch_distance = 1/prefetch_distance = 2 : i64, prefetch_bytes = 200/' %s | zp-opt --zero-prefetch-gathers | FileCheck %s --check-prefixes=LATE

module attributes {zp.settings = {prefetch_distance = 1 : i64}} {
  nn.parameter @v : tensor<4xf32> initial checkpoint {unit = 1 : i64, checkpoint = "v"}
  nn.parameter @w : tensor<4xf32> initial checkpoint {unit = 2 : i64, checkpoint = "w"}
  nn.parameter @u : tensor<4xf32> initial checkpoint {unit = 3 : i64, checkpoint = "u"}
  zero.section @s1 kind frozen {unit = 1 : i64, type = tensor<64xf32>, slots = [#zero.slot<@v, 0>], ranks = 2 : i64, values_sharded}
  zero.section @s2 kind frozen {unit = 2 : i64, type = tensor<64xf32>, slots = [#zero.slot<@w, 0>], ranks = 2 : i64, values_sharded}
  zero.section @s3 kind frozen {unit = 3 : i64, type = tensor<64xf32>, slots = [#zero.slot<@u, 0>], ranks = 2 : i64, values_sharded}

  // The second unit's gather starts when the first's has arrived, before the first is computed; the third's, one unit later.
  // CHECK-LABEL: @train_step
  // LATE-LABEL: @train_step
  // TWO-LABEL: @train_step
  nn.program @train_step kind train_step {
    %x = nn.input "x" : tensor<8x4xf32>
    // CHECK: zero.values @s1
    // CHECK-NEXT: zero.all_gather
    // CHECK-NEXT: zero.wait
    // CHECK-NEXT: zero.values @s2
    // CHECK-NEXT: %[[F:.+]] = zero.all_gather
    // CHECK-NEXT: zero.slot
    // CHECK-NEXT: nn.rms_norm
    // CHECK-NEXT: zero.wait %[[F]]
    // CHECK-NEXT: zero.values @s3
    // CHECK-NEXT: %[[G:.+]] = zero.all_gather
    // CHECK-NEXT: zero.slot
    // CHECK-NEXT: nn.rms_norm
    // CHECK-NEXT: zero.wait %[[G]]
    // CHECK-NEXT: zero.slot
    // CHECK-NEXT: nn.rms_norm
    // LATE-COUNT-2: nn.rms_norm
    // LATE-NEXT: zero.values @s3
    // LATE-NEXT: %[[F:.+]] = zero.all_gather
    // LATE-NEXT: zero.wait %[[F]]
    // TWO: zero.wait
    // TWO-NEXT: zero.values @s2
    // TWO-NEXT: %[[F:.+]] = zero.all_gather
    // TWO-NEXT: zero.values @s3
    // TWO-NEXT: %[[G:.+]] = zero.all_gather
    // TWO-NEXT: zero.slot
    // TWO-NEXT: nn.rms_norm
    // TWO-NEXT: zero.wait %[[F]]
    // TWO-NEXT: zero.slot
    // TWO-NEXT: nn.rms_norm
    // TWO-NEXT: zero.wait %[[G]]
    %v1 = zero.values @s1 {nn.unit = 1 : i64} : tensor<32xf32>
    %f1 = zero.all_gather %v1 {ranks = 2 : i64, nn.unit = 1 : i64} : tensor<32xf32> -> !zero.future<tensor<64xf32>>
    %g1 = zero.wait %f1 {nn.unit = 1 : i64} : !zero.future<tensor<64xf32>> -> tensor<64xf32>
    %v = zero.slot %g1, @s1, @v {nn.unit = 1 : i64} : (tensor<64xf32>) -> tensor<4xf32>
    %y, %r = nn.rms_norm %x, %v {epsilon = 1.0e-5 : f64, nn.unit = 1 : i64} : (tensor<8x4xf32>, tensor<4xf32>) -> (tensor<8x4xf32>, tensor<8xf32>)
    %v2 = zero.values @s2 {nn.unit = 2 : i64} : tensor<32xf32>
    %f2 = zero.all_gather %v2 {ranks = 2 : i64, nn.unit = 2 : i64} : tensor<32xf32> -> !zero.future<tensor<64xf32>>
    %g2 = zero.wait %f2 {nn.unit = 2 : i64} : !zero.future<tensor<64xf32>> -> tensor<64xf32>
    %w = zero.slot %g2, @s2, @w {nn.unit = 2 : i64} : (tensor<64xf32>) -> tensor<4xf32>
    %z, %q = nn.rms_norm %y, %w {epsilon = 1.0e-5 : f64, nn.unit = 2 : i64} : (tensor<8x4xf32>, tensor<4xf32>) -> (tensor<8x4xf32>, tensor<8xf32>)
    %v3 = zero.values @s3 {nn.unit = 3 : i64} : tensor<32xf32>
    %f3 = zero.all_gather %v3 {ranks = 2 : i64, nn.unit = 3 : i64} : tensor<32xf32> -> !zero.future<tensor<64xf32>>
    %g3 = zero.wait %f3 {nn.unit = 3 : i64} : !zero.future<tensor<64xf32>> -> tensor<64xf32>
    %u = zero.slot %g3, @s3, @u {nn.unit = 3 : i64} : (tensor<64xf32>) -> tensor<4xf32>
    %a, %b = nn.rms_norm %z, %u {epsilon = 1.0e-5 : f64, nn.unit = 3 : i64} : (tensor<8x4xf32>, tensor<4xf32>) -> (tensor<8x4xf32>, tensor<8xf32>)
    nn.output "a", %a : tensor<8x4xf32>
  }
}
