// Four elements over two ranks: what each collective gives, and who stores what.
// RUN: zp-interpret --print %s --value=w=1,2,3,4 | FileCheck %s

nn.parameter @w : tensor<4xf32> initial checkpoint {unit = 1 : i64, checkpoint = "w"}
zero.section @s kind frozen {unit = 1 : i64, type = tensor<6xf32>, slots = [#zero.slot<@w, 1>], ranks = 2 : i64, values_sharded}
nn.program @init kind init {
  zero.load @s
}
// Slices of (0, 1, 2, 3, 4, 0).
// CHECK: update 0: train_step micro-batch 0: output gathered
// CHECK-NEXT: {{^}}  0 1 2 3 4 0{{$}}
// CHECK-NEXT: update 0: train_step micro-batch 0: output mine
// CHECK-NEXT: {{^}}  0 1 2{{$}}
// CHECK-NEXT: update 0: train_step micro-batch 0: output scattered
// CHECK-NEXT: {{^}}  0 2 4{{$}}
// CHECK-NEXT: update 0: train_step micro-batch 0: output summed
// CHECK-NEXT: {{^}}  3 5 2{{$}}
// CHECK-NEXT: update 0: train_step micro-batch 0: output w
// CHECK-NEXT: {{^}}  1 2 3 4{{$}}
// CHECK: update 0: train_step micro-batch 1: output mine
// CHECK-NEXT: {{^}}  3 4 0{{$}}
// CHECK-NEXT: update 0: train_step micro-batch 1: output scattered
// CHECK-NEXT: {{^}}  6 8 0{{$}}
// CHECK-NEXT: update 0: train_step micro-batch 1: output summed
// CHECK-NEXT: {{^}}  3 5 2{{$}}
nn.program @train_step kind train_step {
  %mine = zero.values @s : tensor<3xf32>
  nn.output "mine", %mine : tensor<3xf32>
  %f = zero.all_gather %mine {ranks = 2 : i64} : tensor<3xf32> -> !zero.future<tensor<6xf32>>
  %g = zero.wait %f : !zero.future<tensor<6xf32>> -> tensor<6xf32>
  nn.output "gathered", %g : tensor<6xf32>
  %w = zero.slot %g, @s, @w : (tensor<6xf32>) -> tensor<4xf32>
  nn.output "w", %w : tensor<4xf32>
  %r = zero.reduce_scatter %g {ranks = 2 : i64} : tensor<6xf32> -> !zero.future<tensor<3xf32>>
  %scattered = zero.wait %r : !zero.future<tensor<3xf32>> -> tensor<3xf32>
  nn.output "scattered", %scattered : tensor<3xf32>
  %a = zero.all_reduce %mine {ranks = 2 : i64} : tensor<3xf32> -> !zero.future<tensor<3xf32>>
  %summed = zero.wait %a : !zero.future<tensor<3xf32>> -> tensor<3xf32>
  nn.output "summed", %summed : tensor<3xf32>
}
