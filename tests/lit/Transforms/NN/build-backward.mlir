// RUN: zp-opt %s --nn-build-backward -o %t.after && FileCheck %s --input-file=%t.after
// RUN: zp-interpret --compare %s %t.after
// RUN: zp-interpret --check_gradients %t.after --micro_batches=2
// The gradients of whole models: adapters over frozen weights, and every parameter of a tied one.
// RUN: zp-opt %inputs/tiny-lora.mlir --nn-attach-adapters -o %t.lora && zp-opt %t.lora --nn-build-backward -o %t.lora.after
// RUN: zp-interpret --compare %t.lora %t.lora.after --micro_batches=2
// RUN: zp-interpret --check_gradients %t.lora.after | FileCheck %s --check-prefix=LORA
// LORA: gradients agree: 18 parameters
// RUN: zp-opt %inputs/tiny-full.mlir --nn-build-backward -o %t.full.after
// RUN: zp-interpret --check_gradients %t.full.after | FileCheck %s --check-prefix=FULL
// FULL: gradients agree: 25 parameters
// A trained bias of attention, beside one that isn't.
// RUN: sed -f %inputs/biased.sed %inputs/tiny-lora.mlir | sed 's/checkpoint = "relative",/saved_as = "relative", trainable, &/' | zp-opt --nn-attach-adapters --nn-build-backward -o %t.biased
// RUN: zp-interpret --check_gradients %t.biased | FileCheck %s --check-prefix=BIASED
// BIASED: gradients agree: 19 parameters
// RUN: FileCheck %s --check-prefix=BIAS --input-file=%t.biased
// BIAS: nn.attention_gradient {{.*}} bias by_key {{.*}} -> (tensor<12x8xf32>, tensor<12x4xf32>, tensor<12x4xf32>)
// BIAS: %{{.*}}, %{{.*}}, %{{.*}}, %[[G:.*]] = nn.attention_gradient {{.*}} bias by_distance {{.*}} tensor<4x11xf32>)
// BIAS: %[[T:.*]] = nn.relative_bias_gradient %[[G]]
// BIAS: nn.accumulate_gradient @relative, %[[T]] {{.*}} : tensor<8x4xf32>

nn.parameter @w : tensor<4x6xf32> initial checkpoint {unit = 1 : i64, checkpoint = "w"}
nn.parameter @a : tensor<4x4xf32> initial checkpoint {unit = 1 : i64, checkpoint = "a", saved_as = "a", trainable}
nn.parameter @head : tensor<5x4xf32> initial checkpoint {unit = 2 : i64, checkpoint = "head"}
nn.state @loss_sum : tensor<1xf64>
nn.program @train_step kind train_step attributes {rows = 2 : i64, length = 8 : i64} {
  %x = nn.input "x" : tensor<16x6xf32>
  %labels = nn.input "labels" : tensor<16xi32>
  %w = nn.read @w : tensor<4x6xf32>
  %a = nn.read @a : tensor<4x4xf32>
  %head = nn.read @head : tensor<5x4xf32>
  %y = nn.linear %x, %w {nn.unit = 1 : i64} : (tensor<16x6xf32>, tensor<4x6xf32>) -> tensor<16x4xf32>
  %z = nn.linear %y, %a {nn.unit = 1 : i64} : (tensor<16x4xf32>, tensor<4x4xf32>) -> tensor<16x4xf32>
  %s = nn.add %z, %y {nn.unit = 1 : i64} : tensor<16x4xf32>
  %loss = nn.linear_cross_entropy %s, %head, %labels {chunk = 8 : i64, length = 8 : i64, nn.unit = 2 : i64} : (tensor<16x4xf32>, tensor<5x4xf32>, tensor<16xi32>) -> tensor<1xf64>
  nn.add_state @loss_sum, %loss : tensor<1xf64>
}
// Nothing below the lowest trainable parameter, no gradient of a frozen weight.
// CHECK: %[[Y:.+]] = nn.linear
// CHECK: nn.add_state @loss_sum
// CHECK-NEXT: %{{.+}}, %[[G:.+]] = nn.linear_cross_entropy_gradient {{.*}}nn.backward, nn.unit = 2 : i64{{.*}} -> (tensor<1xf64>, tensor<16x4xf32>)
// CHECK-NEXT: %[[DA:.+]] = nn.linear_weight_gradient %[[G]], %[[Y]] {{.*}}nn.backward, nn.unit = 1 : i64
// CHECK-NEXT: nn.accumulate_gradient @a, %[[DA]] {nn.backward
// CHECK-NEXT: {{^  }$}}
