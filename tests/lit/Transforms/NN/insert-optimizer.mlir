// RUN: zp-opt %s --nn-insert-optimizer -o %t.after && FileCheck %s --input-file=%t.after
// RUN: zp-interpret --compare %s %t.after --micro_batches=2
// RUN: zp-opt %inputs/tiny-full.mlir --nn-build-backward -o %t.full && zp-opt %t.full --nn-insert-optimizer -o %t.full.after
// RUN: zp-interpret --compare %t.full %t.full.after --ranks=2 --micro_batches=2
// Six targets that cost ln 5 each, as the hidden state is zero: their mean, no gradient, no clipping.
// RUN: zp-interpret --print %t.after --updates=1 --input=x=0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0 --input=labels=1,2,-100,3,4,0,1,2 | FileCheck %s --check-prefix=MEAN
// MEAN: output metrics
// MEAN-NEXT: 1.60943791 0 1 6

module attributes {zp.settings = {adam_beta1 = 0.8 : f64, adam_beta2 = 0.95 : f64, adam_epsilon = 1.0e-6 : f64, weight_decay = 0.1 : f64, max_grad_norm = 0.25 : f64}} {
  nn.parameter @a : tensor<2x2xf32> initial checkpoint {unit = 1 : i64, checkpoint = "a", saved_as = "a", trainable, decayed}
  nn.parameter @frozen : tensor<2x2xf32> initial checkpoint {unit = 1 : i64, checkpoint = "frozen"}
  nn.parameter @head : tensor<5x2xf32> initial checkpoint {unit = 2 : i64, checkpoint = "head", saved_as = "head", trainable}
  nn.state @loss_sum : tensor<1xf64>
  nn.program @train_step kind train_step attributes {rows = 1 : i64, length = 8 : i64} {
    %x = nn.input "x" : tensor<8x2xf32>
    %labels = nn.input "labels" : tensor<8xi32>
    %a = nn.read @a : tensor<2x2xf32>
    %head = nn.read @head : tensor<5x2xf32>
    %y = nn.linear %x, %a : (tensor<8x2xf32>, tensor<2x2xf32>) -> tensor<8x2xf32>
    %loss, %dy, %dhead = nn.linear_cross_entropy_gradient %y, %head, %labels {chunk = 8 : i64, length = 8 : i64} : (tensor<8x2xf32>, tensor<5x2xf32>, tensor<8xi32>) -> (tensor<1xf64>, tensor<8x2xf32>, tensor<5x2xf32>)
    nn.add_state @loss_sum, %loss : tensor<1xf64>
    nn.accumulate_gradient @head, %dhead : tensor<5x2xf32>
    %da = nn.linear_weight_gradient %dy, %x : (tensor<8x2xf32>, tensor<8x2xf32>) -> tensor<2x2xf32>
    nn.accumulate_gradient @a, %da : tensor<2x2xf32>
  }
}
// CHECK: nn.program @apply_gradients kind apply_gradients {
// CHECK: %[[S:.+]] = nn.input "scalars" : tensor<64xi8>
// CHECK: %[[A:.+]] = nn.gradient @a
// CHECK: %[[H:.+]] = nn.gradient @head
// CHECK: %[[Q:.+]] = nn.sum_squares %[[A]], %[[H]]
// CHECK: %[[L:.+]] = nn.load_state @loss_sum
// CHECK: %[[C:.+]], %[[M:.+]] = nn.finish_step %[[Q]], %[[L]], %[[S]] {max_norm = 2.500000e-01 : f64}
// CHECK: nn.adamw @a, %[[A]], %[[C]], %[[S]] {beta1 = 8.000000e-01 : f64, beta2 = 0.94999999999999996 : f64, epsilon = 9.9999999999999995E-7 : f64, weight_decay = 1.000000e-01 : f64}
// CHECK: nn.clear_gradient @a
// CHECK: nn.adamw @head, %[[H]]
// CHECK: nn.clear_gradient @head
// CHECK: nn.clear_state @loss_sum
// CHECK: nn.output "metrics", %[[M]] : tensor<4xf64>
// CHECK-NOT: @frozen
