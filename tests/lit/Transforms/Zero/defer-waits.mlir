// RUN: zp-opt %s --zero-defer-waits | FileCheck %s
// RUN: sed 's/prefetch_distance = 1/prefetch_distance = 0/' %s | zp-opt --zero-defer-waits | FileCheck %s --check-prefix=AT_ONCE
// Whole models: gradients that are reduced in the train step (stage 3), values that are gathered after the update (stage 1).
// RUN: sed 's/zp.settings = {/zp.settings = {num_processes = 2 : i64, rematerialize = "block", stage3_param_persistence_threshold = 0 : i64, /' %inputs/tiny-lora.mlir | zp-opt --nn-attach-adapters --nn-build-evaluation --nn-build-backward --nn-insert-optimizer --nn-rematerialize -o %t.nn
// RUN: zp-opt %t.nn --zero-partition-state --zero-insert-gathers --zero-insert-reductions --zero-prefetch-gathers -o %t.3
// RUN: zp-opt %t.3 --zero-defer-waits --zero-verify-partition -o %t.3.after && not diff %t.3 %t.3.after > /dev/null
// RUN: zp-interpret --compare %t.nn %t.3.after --micro_batches=2 --updates=3
// RUN: sed 's/zp.settings = {/zp.settings = {zero_stage = 1 : i64, /' %t.nn | zp-opt --zero-partition-state --zero-insert-gathers --zero-insert-reductions -o %t.1
// RUN: zp-opt %t.1 --zero-defer-waits --zero-verify-partition -o %t.1.after && not diff %t.1 %t.1.after > /dev/null
// RUN: zp-interpret --compare %t.nn %t.1.after --micro_batches=2 --updates=3

module attributes {zp.settings = {prefetch_distance = 1 : i64}} {
  nn.parameter @a : tensor<64xf32> initial checkpoint {unit = 1 : i64, checkpoint = "a", saved_as = "a", trainable}
  nn.parameter @b : tensor<64xf32> initial checkpoint {unit = 2 : i64, checkpoint = "b", saved_as = "b", trainable}
  zero.section @s1 kind trainable {unit = 1 : i64, type = tensor<128xf32>, slots = [#zero.slot<@a, 0>], ranks = 2 : i64, gradient_sharded, optimizer_sharded}
  zero.section @s2 kind trainable {unit = 2 : i64, type = tensor<128xf32>, slots = [#zero.slot<@b, 0>], ranks = 2 : i64, gradient_sharded, optimizer_sharded}

  // CHECK-LABEL: @train_step
  // AT_ONCE-LABEL: @train_step
  nn.program @train_step kind train_step {
    %da = nn.input "da" : tensor<64xf32>
    %db = nn.input "db" : tensor<64xf32>
    // CHECK: %[[F:.+]] = zero.reduce_scatter
    // CHECK-NEXT: nn.scale
    // CHECK-NEXT: zero.pack @s1
    // The first is stored when the second starts, the second at the end.
    // CHECK-NEXT: %[[G:.+]] = zero.wait %[[F]]
    // CHECK-NEXT: zero.accumulate_gradient @s2, %[[G]]
    // CHECK-NEXT: %[[E:.+]] = zero.reduce_scatter
    // CHECK-NEXT: nn.output
    // CHECK-NEXT: %[[H:.+]] = zero.wait %[[E]]
    // CHECK-NEXT: zero.accumulate_gradient @s1, %[[H]]
    // AT_ONCE: zero.reduce_scatter
    // AT_ONCE-NEXT: zero.wait
    // AT_ONCE-NEXT: zero.accumulate_gradient @s2
    // AT_ONCE-NEXT: nn.scale
    %p = zero.pack @s2, [@b](%db) : (tensor<64xf32>) -> tensor<128xf32>
    %f = zero.reduce_scatter %p {ranks = 2 : i64, nn.unit = 2 : i64} : tensor<128xf32> -> !zero.future<tensor<64xf32>>
    %g = zero.wait %f : !zero.future<tensor<64xf32>> -> tensor<64xf32>
    zero.accumulate_gradient @s2, %g : tensor<64xf32>
    %d = nn.scale %da {factor = 2.0, nn.unit = 1 : i64} : tensor<64xf32>
    %q = zero.pack @s1, [@a](%d) : (tensor<64xf32>) -> tensor<128xf32>
    %e = zero.reduce_scatter %q {ranks = 2 : i64, nn.unit = 1 : i64} : tensor<128xf32> -> !zero.future<tensor<64xf32>>
    %h = zero.wait %e : !zero.future<tensor<64xf32>> -> tensor<64xf32>
    zero.accumulate_gradient @s1, %h : tensor<64xf32>
    nn.output "d", %d : tensor<64xf32>
  }
}
