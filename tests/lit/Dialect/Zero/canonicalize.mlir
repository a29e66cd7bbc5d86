// RUN: zp-opt %s --canonicalize --cse | FileCheck %s
// zero has no folders: what matters here is what must not go. A collective is issued by every rank in the same order, so an
// unused one stays, and two alike are two.

nn.parameter @w : tensor<8xf32> initial checkpoint {unit = 1 : i64, checkpoint = "w"}
zero.section @s kind frozen {unit = 1 : i64, type = tensor<8xf32>, slots = [#zero.slot<@w, 0>], ranks = 2 : i64, values_sharded}

// CHECK-LABEL: @unused_collectives_stay
nn.program @unused_collectives_stay kind train_step {
  %v = zero.values @s : tensor<4xf32>
  // CHECK-COUNT-2: zero.all_gather
  %f = zero.all_gather %v {ranks = 2 : i64} : tensor<4xf32> -> !zero.future<tensor<8xf32>>
  %g = zero.all_gather %v {ranks = 2 : i64} : tensor<4xf32> -> !zero.future<tensor<8xf32>>
  // CHECK-COUNT-2: zero.wait
  %a = zero.wait %f : !zero.future<tensor<8xf32>> -> tensor<8xf32>
  %b = zero.wait %g : !zero.future<tensor<8xf32>> -> tensor<8xf32>
}

// CHECK-LABEL: @unused_views_go
nn.program @unused_views_go kind train_step {
  // CHECK-NEXT: %[[X:.+]] = nn.input
  %x = nn.input "x" : tensor<8xf32>
  %w = zero.slot %x, @s, @w : (tensor<8xf32>) -> tensor<8xf32>
  // CHECK-NEXT: nn.output "x", %[[X]]
  nn.output "x", %x : tensor<8xf32>
}
