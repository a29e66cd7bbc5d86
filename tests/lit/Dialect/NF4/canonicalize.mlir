// RUN: zp-opt %s --canonicalize | FileCheck %s

nn.parameter @w : tensor<64x32x!nf4.block<64>> initial checkpoint {unit = 1 : i64, checkpoint = "w"}
nn.parameter @v : tensor<64x32x!nf4.block<64, nested = 256>> initial checkpoint {unit = 1 : i64, checkpoint = "v"}

// f32 holds what 4 bits stand for: there and back is nothing.
// CHECK-LABEL: @there_and_back
nn.program @there_and_back kind evaluate {
  // CHECK: %[[W:.+]] = nn.read
  %w = nn.read @w : tensor<64x32x!nf4.block<64>>
  %f = nf4.dequantize %w : (tensor<64x32x!nf4.block<64>>) -> tensor<64x32xf32>
  %q = nf4.quantize %f : (tensor<64x32xf32>) -> tensor<64x32x!nf4.block<64>>
  // CHECK-NEXT: nn.output "q", %[[W]]
  nn.output "q", %q : tensor<64x32x!nf4.block<64>>
}

// bf16 rounds; another block size, and scales that are quantised in turn, come out otherwise.
// CHECK-LABEL: @not_back
nn.program @not_back kind evaluate {
  %w = nn.read @w : tensor<64x32x!nf4.block<64>>
  %v = nn.read @v : tensor<64x32x!nf4.block<64, nested = 256>>
  %b = nf4.dequantize %w : (tensor<64x32x!nf4.block<64>>) -> tensor<64x32xbf16>
  %f = nf4.dequantize %w : (tensor<64x32x!nf4.block<64>>) -> tensor<64x32xf32>
  %n = nf4.dequantize %v : (tensor<64x32x!nf4.block<64, nested = 256>>) -> tensor<64x32xf32>
  // CHECK-COUNT-3: nf4.quantize
  %1 = nf4.quantize %b : (tensor<64x32xbf16>) -> tensor<64x32x!nf4.block<64>>
  %2 = nf4.quantize %f : (tensor<64x32xf32>) -> tensor<64x32x!nf4.block<128>>
  %3 = nf4.quantize %n : (tensor<64x32xf32>) -> tensor<64x32x!nf4.block<64, nested = 256>>
  nn.output "1", %1 : tensor<64x32x!nf4.block<64>>
  nn.output "2", %2 : tensor<64x32x!nf4.block<128>>
  nn.output "3", %3 : tensor<64x32x!nf4.block<64, nested = 256>>
}
