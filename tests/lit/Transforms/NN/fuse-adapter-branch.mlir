// RUN: zp-opt %s --nn-fuse-adapter-branch -o %t.after && FileCheck %s --input-file=%t.after
// RUN: zp-interpret --compare %s %t.after
// Two blocks with adapters, forward and backward: the same numbers. With dropout only the forward branch is fused.
// RUN: zp-opt %inputs/tiny-lora.mlir --nn-attach-adapters --nn-build-evaluation --nn-build-backward --nn-insert-optimizer --nn-fuse-linear-epilogue -o %t.lora
// RUN: zp-opt %t.lora --nn-fuse-adapter-branch -o %t.lora.after && zp-interpret --compare %t.lora %t.lora.after
// RUN: FileCheck %s --check-prefix=LORA --input-file=%t.lora.after
// LORA: nn.linear {{.*}} bias {{.*}} branch
// LORA: nn.linear_input_gradient {{.*}} branch
// 4-bit weights keep the branch.
// RUN: sed 's/zp.settings = {/zp.settings = {use_4bit_quantization = true, use_nested_quant = true, /' %inputs/tiny-lora.mlir > %t.codes
// RUN: zp-opt %t.codes --nn-attach-adapters --nf4-quantize-frozen-weights --nn-build-backward --nn-fuse-linear-epilogue -o %t.nf4
// RUN: zp-opt %t.nf4 --nn-fuse-adapter-branch --nf4-fuse-dequant-matmul -o %t.nf4.after && zp-interpret --compare %t.nf4 %t.nf4.after
// RUN: FileCheck %s --check-prefix=NF4 --input-file=%t.nf4.after
// NF4: nf4.linear {{.*}} branch
// NF4: nf4.linear_input_gradient {{.*}} branch

nn.parameter @w : tensor<6x4xf32> initial checkpoint {unit = 1 : i64, checkpoint = "w"}
nn.parameter @v : tensor<6xf32> initial checkpoint {unit = 1 : i64, checkpoint = "v"}
nn.parameter @b : tensor<6x2xf32> initial checkpoint {unit = 1 : i64, checkpoint = "b"}
nn.parameter @a : tensor<2x4xf32> initial checkpoint {unit = 1 : i64, checkpoint = "a"}

// CHECK-LABEL: @forward
nn.program @forward kind train_step {
  // CHECK: %[[X:.+]] = nn.input "x"
  %x = nn.input "x" : tensor<8x4xf32>
  // CHECK: %[[H:.+]] = nn.input "h"
  %h = nn.input "h" : tensor<8x2xf32>
  // CHECK: %[[Z:.+]] = nn.input "z"
  %z = nn.input "z" : tensor<8x6xf32>
  %w = nn.read @w : tensor<6x4xf32>
  %v = nn.read @v : tensor<6xf32>
  %b = nn.read @b : tensor<6x2xf32>
  // The adapter's product comes second, or first: the base takes it, with its own addend.
  // CHECK: %[[P:.+]] = nn.linear %[[X]], %{{.+}} bias %{{.+}} addend %[[Z]] branch %[[H]], %{{.+}} {alpha = 3.000000e+00 : f64, branch_alpha = 2.000000e+00 : f64, module = "m"}
  // CHECK-NEXT: nn.output "p", %[[P]]
  %y = nn.linear %x, %w bias %v addend %z {alpha = 3.0 : f64, module = "m"} : (tensor<8x4xf32>, tensor<6x4xf32>, tensor<6xf32>, tensor<8x6xf32>) -> tensor<8x6xf32>
  %p = nn.linear %h, %b addend %y {alpha = 2.0 : f64} : (tensor<8x2xf32>, tensor<6x2xf32>, tensor<8x6xf32>) -> tensor<8x6xf32>
  nn.output "p", %p : tensor<8x6xf32>
  // CHECK-NEXT: %[[Q:.+]] = nn.linear %[[X]], %{{.+}} bias %{{.+}} branch %[[H]], %{{.+}} {branch_alpha = 5.000000e-01 : f64}
  // CHECK-NEXT: nn.output "q", %[[Q]]
  %d = nn.linear %h, %b {alpha = 0.5 : f64} : (tensor<8x2xf32>, tensor<6x2xf32>) -> tensor<8x6xf32>
  %q = nn.linear %x, %w bias %v addend %d : (tensor<8x4xf32>, tensor<6x4xf32>, tensor<6xf32>, tensor<8x6xf32>) -> tensor<8x6xf32>
  nn.output "q", %q : tensor<8x6xf32>
  // A base that somebody else reads stays.
  // CHECK-NEXT: %[[S:.+]] = nn.linear %[[X]]
  // CHECK-NEXT: nn.linear %[[H]], %{{.+}} addend %[[S]]
  %s = nn.linear %x, %w : (tensor<8x4xf32>, tensor<6x4xf32>) -> tensor<8x6xf32>
  %t = nn.linear %h, %b addend %s : (tensor<8x2xf32>, tensor<6x2xf32>, tensor<8x6xf32>) -> tensor<8x6xf32>
  nn.output "s", %s : tensor<8x6xf32>
  nn.output "t", %t : tensor<8x6xf32>
  // Neither of two equally long sums is a branch; a branch has no bias.
  // CHECK: %[[E:.+]] = nn.linear %[[X]]
  // CHECK-NEXT: %[[F:.+]] = nn.linear %[[X]], %{{.+}} addend %[[E]]
  // CHECK-NEXT: nn.linear %[[H]], %{{.+}} bias %{{.+}} addend %[[F]]
  %e = nn.linear %x, %w : (tensor<8x4xf32>, tensor<6x4xf32>) -> tensor<8x6xf32>
  %f = nn.linear %x, %w addend %e : (tensor<8x4xf32>, tensor<6x4xf32>, tensor<8x6xf32>) -> tensor<8x6xf32>
  %g = nn.linear %h, %b bias %v addend %f : (tensor<8x2xf32>, tensor<6x2xf32>, tensor<6xf32>, tensor<8x6xf32>) -> tensor<8x6xf32>
  nn.output "g", %g : tensor<8x6xf32>
}

// CHECK-LABEL: @gradients
nn.program @gradients kind evaluate {
  // CHECK: %[[G:.+]] = nn.input "g"
  %g = nn.input "g" : tensor<8x6xf32>
  // CHECK: %[[D:.+]] = nn.input "d"
  %d = nn.input "d" : tensor<8x2xf32>
  %w = nn.read @w : tensor<6x4xf32>
  %a = nn.read @a : tensor<2x4xf32>
  // A chain of bases and branches: each base takes the branch next to it.
  // CHECK: %[[ONE:.+]] = nn.linear_input_gradient %[[G]], %{{.+}} branch %[[D]], %{{.+}} {branch_alpha = 2.000000e+00 : f64}
  // CHECK-NEXT: %[[TWO:.+]] = nn.linear_input_gradient %[[G]], %{{.+}} addend %[[ONE]] branch %[[D]], %{{.+}} {branch_alpha = 4.000000e+00 : f64}
  // CHECK-NEXT: nn.output "dx", %[[TWO]]
  %1 = nn.linear_input_gradient %d, %a {alpha = 2.0 : f64} : (tensor<8x2xf32>, tensor<2x4xf32>) -> tensor<8x4xf32>
  %2 = nn.linear_input_gradient %g, %w addend %1 : (tensor<8x6xf32>, tensor<6x4xf32>, tensor<8x4xf32>) -> tensor<8x4xf32>
  %3 = nn.linear_input_gradient %d, %a addend %2 {alpha = 4.0 : f64} : (tensor<8x2xf32>, tensor<2x4xf32>, tensor<8x4xf32>) -> tensor<8x4xf32>
  %4 = nn.linear_input_gradient %g, %w addend %3 : (tensor<8x6xf32>, tensor<6x4xf32>, tensor<8x4xf32>) -> tensor<8x4xf32>
  nn.output "dx", %4 : tensor<8x4xf32>
}
