// RUN: rm -rf %t && split-file %s %t
// RUN: zp-opt %t/before.mlir --nn-attach-adapters -o %t/after.mlir && FileCheck %s --input-file=%t/after.mlir
// The branch is scaling·(dropout(x)·Aᵀ)·Bᵀ: equal to the one spelt by hand, and nothing while B is zero.
// RUN: zp-interpret --compare %t/expected.mlir %t/after.mlir --micro_batches=2
// RUN: zp-interpret --compare --keep_zero %t/before.mlir %t/after.mlir
// RUN: not zp-interpret --compare %t/before.mlir %t/after.mlir
// RUN: zp-opt %inputs/tiny-lora.mlir --nn-attach-adapters -o %t/tiny.mlir
// RUN: zp-interpret --compare --keep_zero %inputs/tiny-lora.mlir %t/tiny.mlir --ranks=2
// RUN: FileCheck %s --check-prefix=TINY --input-file=%t/tiny.mlir
// The adapter of a weight that stays in f32 does, too.
// RUN: sed 's/checkpoint = "w"}/checkpoint = "w", in_f32}/' %t/before.mlir | zp-opt --nn-attach-adapters | FileCheck %s --check-prefix=WIDE
// WIDE: nn.parameter @m.lora_A.weight : tensor<2x6xf32> initial uniform {{{.*}}in_f32, saved_as
// WIDE: nn.parameter @m.lora_B.weight : tensor<4x2xf32> initial zero {{{.*}}in_f32, saved_as

// TINY-COUNT-18: nn.parameter @{{.*}}lora_
// TINY-NOT: adapter =
// TINY-COUNT-5: nn.dropout
// TINY-NOT: nn.dropout

// A of kaiming's bound sqrt(3)·sqrt(1/3)/sqrt(6), B zero; both decayed, in the linear's unit, named as PEFT names them.
// CHECK: nn.parameter @m.lora_A.weight : tensor<2x6xf32> initial uniform {bound = 0.408248{{[0-9]+}} : f64, decayed, generator_offset = 5 : i64, saved_as = "base_model.model.m.lora_A.weight", trainable, unit = 1 : i64}
// CHECK: nn.parameter @m.lora_B.weight : tensor<4x2xf32> initial zero {{{.*}}saved_as = "base_model.model.m.lora_B.weight", trainable, unit = 1 : i64}
// CHECK: %[[X:.+]] = nn.input "x"
// CHECK: %[[Y:.+]] = nn.linear %[[X]], %{{.+}} {module = "m", nn.unit = 1 : i64}
// CHECK: %[[D:.+]] = nn.dropout %[[X]], %{{.+}} {length = 8 : i64, nn.unit = 1 : i64, probability = 2.500000e-01 : f64, site = 3 : i64}
// CHECK: %[[A:.+]] = nn.read @m.lora_A.weight {nn.unit = 1 : i64} : tensor<2x6xf32>
// CHECK: %[[H:.+]] = nn.linear %[[D]], %[[A]] {nn.unit = 1 : i64}
// CHECK: %[[B:.+]] = nn.read @m.lora_B.weight {nn.unit = 1 : i64} : tensor<4x2xf32>
// CHECK: %[[O:.+]] = nn.linear %[[H]], %[[B]] {nn.unit = 1 : i64}
// CHECK: %[[S:.+]] = nn.scale %[[O]] {factor = 2.000000e+00 : f64, nn.unit = 1 : i64}
// CHECK: %[[Z:.+]] = nn.add %[[Y]], %[[S]] {nn.unit = 1 : i64}
// CHECK: nn.linear_cross_entropy %[[Z]],

//--- before.mlir
nn.parameter @w : tensor<4x6xf32> initial checkpoint {unit = 1 : i64, checkpoint = "w"}
nn.parameter @head : tensor<5x4xf32> initial checkpoint {unit = 2 : i64, checkpoint = "head"}
nn.state @loss_sum : tensor<1xf64>
nn.program @train_step kind train_step attributes {rows = 2 : i64, length = 8 : i64} {
  %x = nn.input "x" : tensor<16x6xf32>
  %labels = nn.input "labels" : tensor<16xi32>
  %scalars = nn.input "scalars" : tensor<64xi8>
  %w = nn.read @w : tensor<4x6xf32>
  %head = nn.read @head : tensor<5x4xf32>
  %y = nn.linear %x, %w {nn.unit = 1 : i64, module = "m", adapter = {rank = 2 : i64, scaling = 2.0 : f64, dropout = 0.25 : f64, site = 3 : i64, generator_offset = 5 : i64, initial = "uniform"}} : (tensor<16x6xf32>, tensor<4x6xf32>) -> tensor<16x4xf32>
  %loss = nn.linear_cross_entropy %y, %head, %labels {chunk = 8 : i64, length = 8 : i64} : (tensor<16x4xf32>, tensor<5x4xf32>, tensor<16xi32>) -> tensor<1xf64>
  nn.add_state @loss_sum, %loss : tensor<1xf64>
  nn.output "y", %y : tensor<16x4xf32>
}
//--- expected.mlir
nn.parameter @w : tensor<4x6xf32> initial checkpoint {unit = 1 : i64, checkpoint = "w"}
nn.parameter @head : tensor<5x4xf32> initial checkpoint {unit = 2 : i64, checkpoint = "head"}
nn.parameter @m.lora_A.weight : tensor<2x6xf32> initial uniform {unit = 1 : i64, saved_as = "a", trainable, bound = 0.4 : f64}
nn.parameter @m.lora_B.weight : tensor<4x2xf32> initial zero {unit = 1 : i64, saved_as = "b", trainable}
nn.state @loss_sum : tensor<1xf64>
nn.program @train_step kind train_step attributes {rows = 2 : i64, length = 8 : i64} {
  %x = nn.input "x" : tensor<16x6xf32>
  %labels = nn.input "labels" : tensor<16xi32>
  %scalars = nn.input "scalars" : tensor<64xi8>
  %w = nn.read @w : tensor<4x6xf32>
  %a = nn.read @m.lora_A.weight : tensor<2x6xf32>
  %b = nn.read @m.lora_B.weight : tensor<4x2xf32>
  %head = nn.read @head : tensor<5x4xf32>
  %base = nn.linear %x, %w : (tensor<16x6xf32>, tensor<4x6xf32>) -> tensor<16x4xf32>
  %d = nn.dropout %x, %scalars {probability = 0.25 : f64, site = 3 : i64, length = 8 : i64} : (tensor<16x6xf32>, tensor<64xi8>) -> tensor<16x6xf32>
  %h = nn.linear %d, %a : (tensor<16x6xf32>, tensor<2x6xf32>) -> tensor<16x2xf32>
  %y = nn.linear %h, %b addend %base {alpha = 2.0 : f64} : (tensor<16x2xf32>, tensor<4x2xf32>, tensor<16x4xf32>) -> tensor<16x4xf32>
  %loss = nn.linear_cross_entropy %y, %head, %labels {chunk = 8 : i64, length = 8 : i64} : (tensor<16x4xf32>, tensor<5x4xf32>, tensor<16xi32>) -> tensor<1xf64>
  nn.add_state @loss_sum, %loss : tensor<1xf64>
  nn.output "y", %y : tensor<16x4xf32>
}
