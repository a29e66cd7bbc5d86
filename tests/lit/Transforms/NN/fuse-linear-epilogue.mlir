// RUN: zp-opt %s --nn-fuse-linear-epilogue -o %t.after && FileCheck %s --input-file=%t.after
// RUN: zp-interpret --compare %s %t.after
// RUN: zp-opt %inputs/tiny-lora.mlir --nn-attach-adapters --nn-build-evaluation --nn-build-backward --nn-insert-optimizer -o %t.lora
// RUN: zp-opt %t.lora --nn-fuse-linear-epilogue -o %t.lora.after && zp-interpret --compare %t.lora %t.lora.after
// RUN: FileCheck %s --check-prefix=LORA --input-file=%t.lora.after
// LORA-NOT: nn.scale
// RUN: zp-opt %inputs/tiny-full.mlir --nn-build-backward --nn-insert-optimizer -o %t.full
// RUN: zp-opt %t.full --nn-fuse-linear-epilogue -o %t.full.after && zp-interpret --compare %t.full %t.full.after

nn.parameter @w : tensor<4x4xf32> initial checkpoint {unit = 1 : i64, checkpoint = "w"}
nn.parameter @v : tensor<4xf32> initial checkpoint {unit = 1 : i64, checkpoint = "v"}

// CHECK-LABEL: @branch
nn.program @branch kind train_step {
  // CHECK: %[[X:.+]] = nn.input "x"
  %x = nn.input "x" : tensor<8x4xf32>
  %w = nn.read @w : tensor<4x4xf32>
  %v = nn.read @v : tensor<4xf32>
  // scale(linear) into alpha, add(base, ·) into the later of two products.
  // CHECK: %[[Y:.+]] = nn.linear %[[X]], %[[W:.+]] :
  // CHECK-NEXT: %[[Z:.+]] = nn.linear %[[X]], %[[W]] addend %[[Y]] {alpha = 6.000000e+00 : f64}
  %y = nn.linear %x, %w : (tensor<8x4xf32>, tensor<4x4xf32>) -> tensor<8x4xf32>
  %d = nn.linear %x, %w {alpha = 3.0 : f64} : (tensor<8x4xf32>, tensor<4x4xf32>) -> tensor<8x4xf32>
  %s = nn.scale %d {factor = 2.0 : f64} : tensor<8x4xf32>
  %z = nn.add %y, %s : tensor<8x4xf32>
  // CHECK-NEXT: nn.output "z", %[[Z]]
  nn.output "z", %z : tensor<8x4xf32>
  // A bias would be scaled too: it stays as it is.
  // CHECK: nn.linear %[[X]], %[[W]] bias
  // CHECK-NEXT: nn.scale
  %b = nn.linear %x, %w bias %v : (tensor<8x4xf32>, tensor<4x4xf32>, tensor<4xf32>) -> tensor<8x4xf32>
  %c = nn.scale %b {factor = 2.0 : f64} : tensor<8x4xf32>
  nn.output "c", %c : tensor<8x4xf32>
  // A product that is used elsewhere stays.
  // CHECK: %[[P:.+]] = nn.linear
  // CHECK-NEXT: %[[Q:.+]] = nn.scale %[[P]]
  // CHECK-NEXT: nn.add %[[P]], %[[Q]]
  %p = nn.linear %x, %w : (tensor<8x4xf32>, tensor<4x4xf32>) -> tensor<8x4xf32>
  %q = nn.scale %p {factor = 2.0 : f64} : tensor<8x4xf32>
  %r = nn.add %p, %q : tensor<8x4xf32>
  nn.output "r", %r : tensor<8x4xf32>
}

// CHECK-LABEL: @gradients
nn.program @gradients kind evaluate {
  %x = nn.input "x" : tensor<8x4xf32>
  // CHECK: %[[G:.+]] = nn.input "g"
  %g = nn.input "g" : tensor<8x4xf32>
  %w = nn.read @w : tensor<4x4xf32>
  // Both gradients of a linear take the factor of what comes from above.
  // CHECK-NOT: nn.scale
  // CHECK: nn.linear_weight_gradient %[[G]], %{{.*}} {alpha = 2.000000e+00 : f64}
  // CHECK: nn.linear_input_gradient %[[G]], %{{.*}} addend %{{.*}} {alpha = 2.000000e+00 : f64}
  %s = nn.scale %g {factor = 2.0 : f64} : tensor<8x4xf32>
  %dw = nn.linear_weight_gradient %s, %x : (tensor<8x4xf32>, tensor<8x4xf32>) -> tensor<4x4xf32>
  %dx = nn.linear_input_gradient %s, %w : (tensor<8x4xf32>, tensor<4x4xf32>) -> tensor<8x4xf32>
  %sum = nn.add %x, %dx : tensor<8x4xf32>
  nn.output "dw", %dw : tensor<4x4xf32>
  nn.output "sum", %sum : tensor<8x4xf32>
}
