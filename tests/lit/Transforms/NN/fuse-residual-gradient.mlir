// RUN: zp-opt %s --nn-fuse-residual-gradient -o %t.after && FileCheck %s --input-file=%t.after
// RUN: zp-interpret --compare %s %t.after
// RUN: zp-opt %inputs/tiny-lora.mlir --nn-attach-adapters --nn-build-backward --nn-insert-optimizer -o %t.lora
// RUN: zp-opt %t.lora --nn-fuse-residual-gradient -o %t.lora.after && zp-interpret --compare %t.lora %t.lora.after
// RUN: FileCheck %s --check-prefix=LORA --input-file=%t.lora.after
// LORA: nn.rms_norm_gradient %{{.*}} residual
// RUN: zp-opt %inputs/tiny-full.mlir --nn-build-backward --nn-insert-optimizer -o %t.full
// RUN: zp-opt %t.full --nn-fuse-residual-gradient -o %t.full.after && zp-interpret --compare %t.full %t.full.after

// CHECK-LABEL: @p
nn.program @p kind evaluate {
  %g = nn.input "g" : tensor<8x4xf32>
  %x = nn.input "x" : tensor<8x4xf32>
  %w = nn.input "w" : tensor<4xf32>
  %rstd = nn.input "rstd" : tensor<8xf32>
  // CHECK: %[[R:.+]] = nn.input "r"
  %r = nn.input "r" : tensor<8x4xf32>
  // CHECK: %[[A:.+]] = nn.rms_norm_gradient %{{.*}} residual %[[R]] :
  // CHECK-NEXT: nn.output "a", %[[A]]
  %n = nn.rms_norm_gradient %g, %x, %w, %rstd : (tensor<8x4xf32>, tensor<8x4xf32>, tensor<4xf32>, tensor<8xf32>) -> tensor<8x4xf32>
  %a = nn.add %r, %n : tensor<8x4xf32>
  nn.output "a", %a : tensor<8x4xf32>
  // The residual comes later than the norm's gradient: the gradient moves down to it.
  // CHECK: %[[L:.+]] = nn.scale
  // CHECK-NEXT: %[[B:.+]], %[[DW:.+]] = nn.rms_norm_gradient %{{.*}} residual %[[L]]
  // CHECK-NEXT: nn.output "b", %[[B]]
  // CHECK-NEXT: nn.output "dw", %[[DW]]
  %m, %dw = nn.rms_norm_gradient %g, %x, %w, %rstd : (tensor<8x4xf32>, tensor<8x4xf32>, tensor<4xf32>, tensor<8xf32>) -> (tensor<8x4xf32>, tensor<4xf32>)
  %late = nn.scale %g {factor = 3.0 : f64} : tensor<8x4xf32>
  %b = nn.add %m, %late : tensor<8x4xf32>
  nn.output "b", %b : tensor<8x4xf32>
  nn.output "dw", %dw : tensor<4xf32>
  // The gradient of layer_norm takes the residual as well; its bias' gradient is needed after it alone.
  // CHECK: %[[N:.+]], %[[DB:.+]] = nn.layer_norm_gradient %{{.*}} residual %[[R]]
  // CHECK-NEXT: nn.output "d", %[[N]]
  %ln, %db = nn.layer_norm_gradient %g, %x, %w, %rstd, %rstd {resultSegmentSizes = array<i32: 1, 0, 1>} : (tensor<8x4xf32>, tensor<8x4xf32>, tensor<4xf32>, tensor<8xf32>, tensor<8xf32>) -> (tensor<8x4xf32>, tensor<4xf32>)
  %d = nn.add %r, %ln : tensor<8x4xf32>
  nn.output "d", %d : tensor<8x4xf32>
  nn.output "db", %db : tensor<4xf32>
  // Used twice: it stays.
  // CHECK: %[[K:.+]] = nn.rms_norm_gradient
  // CHECK-NEXT: nn.add %[[R]], %[[K]]
  %k = nn.rms_norm_gradient %g, %x, %w, %rstd : (tensor<8x4xf32>, tensor<8x4xf32>, tensor<4xf32>, tensor<8xf32>) -> tensor<8x4xf32>
  %c = nn.add %r, %k : tensor<8x4xf32>
  nn.output "c", %c : tensor<8x4xf32>
  nn.output "k", %k : tensor<8x4xf32>
}
