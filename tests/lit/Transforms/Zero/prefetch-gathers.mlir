// RUN: zp-opt %s --zero-prefetch-gathers | FileCheck %s
// RUN: sed 's/zp.settings = {/zp.settings = {num_processes = 2 : i64, rematerialize = "block", stage3_param_persistence_threshold = 0 : i64, /' %inputs/tiny-lora.mlir | zp-opt --nn-attach-adapters --nn-build-evaluation --nn-build-backward --nn-insert-optimizer --nn-rematerialize -o %t.nn
// RUN: zp-opt %t.nn --zero-partition-state --zero-insert-gathers --zero-insert-reductions -o %t.before
// RUN: zp-opt %t.before --zero-prefetch-gathers --zero-verify-partition -o %t.after
// RUN: zp-interpret --compare %t.before %t.after --micro_batches=2
// RUN: zp-interpret --compare %t.nn %t.after --micro_batches=2
// RUN: not diff %t.before %t.after > /dev/null

nn.parameter @v : tensor<4xf32> initial checkpoint {unit = 1 : i64, checkpoint = "v"}
nn.parameter @w : tensor<4xf32> initial checkpoint {unit = 2 : i64, checkpoint = "w"}
zero.section @s1 kind frozen {unit = 1 : i64, type = tensor<64xf32>, slots = [#zero.slot<@v, 0>], ranks = 2 : i64, values_sharded}
zero.section @s2 kind frozen {unit = 2 : i64, type = tensor<64xf32>, slots = [#zero.slot<@w, 0>], ranks = 2 : i64, values_sharded}

// The second unit's gather starts when the first's has arrived, before the first is computed.
// CHECK-LABEL: @train_step
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
  // CHECK-NEXT: zero.slot
  // CHECK-NEXT: nn.rms_norm
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
  nn.output "z", %z : tensor<8x4xf32>
}
