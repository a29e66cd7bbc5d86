// Numbers that can be followed by hand.
// RUN: zp-interpret --print %s --updates=1 --input=x=3,4,0,0,6,8,0,0 --input=i=1,2 --value=w=1,0,0,1 --value=n=2,-1 | FileCheck %s

// CHECK: output embedding
// CHECK-NEXT: {{^}}  6 8 0 0
// CHECK: output layer_norm
// CHECK-NEXT: {{^}}  1 -1.5 2 -1
// CHECK: output linear: norm
// CHECK-NEXT: {{^}}  3 4 0 0 6 8 0 0
// CHECK: output norm: norm
// CHECK-NEXT: {{^}}  1.2 -0.8
// CHECK: output query
// CHECK-NEXT: {{^}}  3 4 6 8
// CHECK: output relu
// CHECK-NEXT: {{^}}  1 0 2 0
// CHECK: output rows
// CHECK-NEXT: {{^}}  3 4 0 0 6 8
// CHECK: output sum: norm 16.7705098
// CHECK: output value
// CHECK-NEXT: {{^}}  0 0
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
  // Mean 3.5, variance 1/4, epsilon 3/4: the row (3, 4) becomes (-1/2, 1/2), then 2·(-1/2) + 2 and -1·(1/2) - 1.
  %v, %mean, %rs = nn.layer_norm %x, %n, %n {epsilon = 0.75 : f64} : (tensor<4x2xf32>, tensor<2xf32>, tensor<2xf32>) -> (tensor<4x2xf32>, tensor<4xf32>, tensor<4xf32>)
  nn.output "layer_norm", %v : tensor<4x2xf32>
  %a = nn.activation relu %v : tensor<4x2xf32>
  nn.output "relu", %a : tensor<4x2xf32>
  %i = nn.input "i" : tensor<2xi32>
  %e = nn.embedding %i, %x {offset = 1 : i64} : (tensor<2xi32>, tensor<4x2xf32>) -> tensor<2x2xf32>
  nn.output "embedding", %e : tensor<2x2xf32>
  // Rows (3, 4, 0, 0) and (6, 8, 0, 0) of two query heads, a key and a value, each one wide.
  %f = nn.reshape %x : (tensor<4x2xf32>) -> tensor<2x4xf32>
  %q, %k, %w0 = nn.split_qkv %f {heads = 2 : i64, kv_heads = 1 : i64} : (tensor<2x4xf32>) -> (tensor<2x2xf32>, tensor<2x1xf32>, tensor<2x1xf32>)
  nn.output "query", %q : tensor<2x2xf32>
  nn.output "value", %w0 : tensor<2x1xf32>
}
