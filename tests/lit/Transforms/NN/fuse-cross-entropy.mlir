// RUN: zp-opt %s --nn-fuse-cross-entropy -o %t.after && FileCheck %s --input-file=%t.after
// RUN: zp-interpret --compare %s %t.after
// RUN: zp-opt %inputs/tiny-lora.mlir --nn-attach-adapters --nn-build-evaluation --nn-build-backward --nn-insert-optimizer -o %t.lora
// RUN: zp-opt %t.lora --nn-fuse-cross-entropy -o %t.lora.after && zp-interpret --compare %t.lora %t.lora.after
// RUN: FileCheck %s --check-prefix=LORA --input-file=%t.lora.after

// Evaluation has no gradient and keeps its op.
// LORA-LABEL: @train_step
// LORA-NOT: nn.linear_cross_entropy %
// LORA: nn.linear_cross_entropy_gradient
// LORA-LABEL: @evaluate
// LORA: nn.linear_cross_entropy %

nn.parameter @head : tensor<5x4xf32> initial checkpoint {unit = 2 : i64, checkpoint = "head", saved_as = "head", trainable}
nn.state @loss_sum : tensor<1xf64>
// CHECK-LABEL: @train_step
nn.program @train_step kind train_step attributes {rows = 2 : i64, length = 8 : i64} {
  %x = nn.input "x" : tensor<16x4xf32>
  %labels = nn.input "labels" : tensor<16xi32>
  %head = nn.read @head : tensor<5x4xf32>
  // CHECK-NOT: nn.linear_cross_entropy %
  // CHECK: %[[L:.+]], %{{.+}}, %[[G:.+]] = nn.linear_cross_entropy_gradient
  // CHECK-NEXT: nn.add_state @loss_sum, %[[L]]
  // CHECK-NEXT: nn.accumulate_gradient @head, %[[G]]
  %loss = nn.linear_cross_entropy %x, %head, %labels {chunk = 8 : i64, length = 8 : i64} : (tensor<16x4xf32>, tensor<5x4xf32>, tensor<16xi32>) -> tensor<1xf64>
  nn.add_state @loss_sum, %loss : tensor<1xf64>
  %again, %dx, %dhead = nn.linear_cross_entropy_gradient %x, %head, %labels {chunk = 8 : i64, length = 8 : i64} : (tensor<16x4xf32>, tensor<5x4xf32>, tensor<16xi32>) -> (tensor<1xf64>, tensor<16x4xf32>, tensor<5x4xf32>)
  nn.accumulate_gradient @head, %dhead : tensor<5x4xf32>
}
