// Numbers that can be followed by hand.
// RUN: zp-interpret --print %s --updates=1 --input=x=3,4,0,0,6,8,0,0 --value=w=1,0,0,1 --value=n=2,-1 | FileCheck %s

// CHECK: output linear: norm
// CHECK-NEXT: {{^}}  3 4 0 0 6 8 0 0
// CHECK: output norm: norm
// CHECK-NEXT: {{^}}  1.2 -0.8
// CHECK: output rows
// CHECK-NEXT: {{^}}  3 4 0 0 6 8
// CHECK: output sum: norm 16.7705098
nn.parameter @w : tensor<2x2xf32> initial checkpoint {unit = 1 : i64, checkpoint = "w"}
nn.parameter @n : tensor<2xf32> initial checkpoint {unit = 1 : i64, checkpoint = "n"}
nn.program @train_step kind train_step attributes {rows = 1 : i64, length = 4 : i64} {
  %x = nn.input "x" : tensor<4x2xf32>
  %scalars = nn.input "scalars" : tensor<64xi8>
  %w = nn.read @w : tensor<2x2xf32>
  %n = nn.read @n : tensor<2xf32>
  %y = nn.linear %x, %w : (tensor<4x2xf32>, tensor<2x2xf32>) -> tensor<4x2xf32>
  nn.output "linear", %y : tensor<4x2xf32>
  // 1/sqrt(12.5 + 12.5): the row (3, 4) becomes (0.6, 0.8).
  %z, %r = nn.rms_norm %x, %n {epsilon = 12.5 : f64} : (tensor<4x2xf32>, tensor<2xf32>) -> (tensor<4x2xf32>, tensor<4xf32>)
  nn.output "norm", %z : tensor<4x2xf32>
  %c = nn.rows %x, %scalars : (tensor<4x2xf32>, tensor<64xi8>) -> tensor<3x2xf32>
  nn.output "rows", %c : tensor<3x2xf32>
  %h = nn.scale %x {factor = 0.5 : f64} : tensor<4x2xf32>
  // Half as much again: a norm of 1.5·sqrt(9 + 16 + 36 + 64).
  %t = nn.add %x, %h : tensor<4x2xf32>
  nn.output "sum", %t : tensor<4x2xf32>
}
