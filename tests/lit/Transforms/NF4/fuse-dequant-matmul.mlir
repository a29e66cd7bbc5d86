// RUN: zp-opt %s --nf4-fuse-dequant-matmul -o %t.after && FileCheck %s --input-file=%t.after
// RUN: zp-interpret --compare %s %t.after
// The whole of phases train and fuse on two blocks, with and without recomputation: the same numbers, and no float copy.
// RUN: sed 's/zp.settings = {/zp.settings = {use_4bit_quantization = true, use_nested_quant = true, /' %inputs/tiny-lora.mlir > %t.lora
// RUN: zp-opt %t.lora --nn-attach-adapters --nf4-quantize-frozen-weights --nn-build-backward --nn-fuse-linear-epilogue -o %t.tiny
// RUN: zp-opt %t.tiny --nf4-fuse-dequant-matmul -o %t.tiny.after && zp-interpret --compare %t.tiny %t.tiny.after
// RUN: FileCheck %s --input-file=%t.tiny.after --check-prefix=NONE
// RUN: sed 's/zp.settings = {/zp.settings = {rematerialize = "block", /' %t.tiny | zp-opt --nn-rematerialize -o %t.block
// RUN: zp-opt %t.block --nf4-fuse-dequant-matmul -o %t.block.after && zp-interpret --compare %t.tiny %t.block.after
// RUN: FileCheck %s --input-file=%t.block.after --check-prefix=NONE

// NONE-NOT: nf4.dequantize
// NONE: nf4.linear {{.*}} bias
// NONE: nf4.linear_input_gradient
// NONE-NOT: nf4.dequantize

module {
  nn.parameter @w : tensor<8x4x!nf4.block<64>> initial checkpoint {unit = 1 : i64, checkpoint = "w"}
  nn.parameter @u : tensor<4x8x!nf4.block<64>> initial checkpoint {unit = 1 : i64, checkpoint = "u"}
  nn.parameter @table : tensor<5x4xf32> initial checkpoint {unit = 0 : i64, checkpoint = "table"}
  nn.parameter @bias : tensor<8xf32> initial checkpoint {unit = 1 : i64, checkpoint = "bias"}
  // CHECK-LABEL: @products
  nn.program @products kind train_step attributes {rows = 2 : i64, length = 4 : i64} {
    %ids = nn.input "input_ids" : tensor<8xi32>
    %table = nn.read @table : tensor<5x4xf32>
    %bias = nn.read @bias : tensor<8xf32>
    // CHECK-DAG: %[[Q:.+]] = nn.read @w
    %q = nn.read @w : tensor<8x4x!nf4.block<64>>
    // CHECK-DAG: %[[P:.+]] = nn.read @u
    %p = nn.read @u : tensor<4x8x!nf4.block<64>>
    // CHECK: %[[X:.+]] = nn.embedding
    %x = nn.embedding %ids, %table : (tensor<8xi32>, tensor<5x4xf32>) -> tensor<8x4xf32>
    %w = nf4.dequantize %q {nn.unit = 1 : i64} : (tensor<8x4x!nf4.block<64>>) -> tensor<8x4xf32>
    // Bias, addend, alpha, module and what other dialects wrote on the op move along.
    // CHECK-NEXT: %[[Y:.+]] = nf4.linear %[[X]], %[[Q]] bias %{{.+}} {alpha = 5.000000e-01 : f64, module = "m", nn.unit = 1 : i64}
    %y = nn.linear %x, %w bias %bias {alpha = 0.5 : f64, module = "m", nn.unit = 1 : i64} : (tensor<8x4xf32>, tensor<8x4xf32>, tensor<8xf32>) -> tensor<8x8xf32>
    // CHECK-NEXT: %[[Z:.+]] = nf4.linear %[[X]], %[[Q]] addend %[[Y]]
    %z = nn.linear %x, %w addend %y {alpha = 1.0 : f64, nn.unit = 1 : i64} : (tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x8xf32>) -> tensor<8x8xf32>
    // CHECK-NEXT: nf4.linear_input_gradient %[[Z]], %[[Q]] addend %[[X]] {alpha = 2.000000e+00 : f64, nn.backward, nn.unit = 1 : i64}
    %g = nn.linear_input_gradient %z, %w addend %x {alpha = 2.0 : f64, nn.backward, nn.unit = 1 : i64} : (tensor<8x8xf32>, tensor<8x4xf32>, tensor<8x4xf32>) -> tensor<8x4xf32>
    // Floats that something else reads too stay for it alone.
    // CHECK-NEXT: %[[V:.+]] = nf4.dequantize %[[P]]
    %v = nf4.dequantize %p : (tensor<4x8x!nf4.block<64>>) -> tensor<4x8xf32>
    // CHECK-NEXT: nf4.linear %[[Z]], %[[P]]
    %s = nn.linear %z, %v {alpha = 1.0 : f64} : (tensor<8x8xf32>, tensor<4x8xf32>) -> tensor<8x4xf32>
    %t = nn.add %g, %s : tensor<8x4xf32>
    nn.output "t", %t : tensor<8x4xf32>
    // CHECK: nn.output "v", %[[V]]
    nn.output "v", %v : tensor<4x8xf32>
  }
}
