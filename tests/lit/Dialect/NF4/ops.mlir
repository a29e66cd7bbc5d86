// RUN: zp-opt %s | zp-opt | FileCheck %s
// RUN: zp-opt %s --mlir-print-op-generic | zp-opt | FileCheck %s

// CHECK-LABEL: nn.parameter @w : tensor<64x32x!nf4.block<64>>
nn.parameter @w : tensor<64x32x!nf4.block<64>> initial checkpoint {unit = 1 : i64, checkpoint = "w"}
// CHECK: nn.parameter @v : tensor<64x32x!nf4.block<128, nested = 256>>
nn.parameter @v : tensor<64x32x!nf4.block<128, nested = 256>> initial checkpoint {unit = 1 : i64, checkpoint = "v"}
// CHECK: nn.parameter @u : tensor<64x32x!nf4.block<4096, fp4, nested = 256>>
nn.parameter @u : tensor<64x32x!nf4.block<4096, fp4, nested = 256>> initial checkpoint {unit = 1 : i64, checkpoint = "u"}

// CHECK-LABEL: @ops
nn.program @ops kind evaluate {
  %x = nn.input "x" : tensor<16x32xbf16>
  %g = nn.input "g" : tensor<16x64xbf16>
  %b = nn.input "b" : tensor<64xbf16>
  %s = nn.input "s" : tensor<64x64xbf16>
  %r = nn.input "r" : tensor<64x32xbf16>
  // CHECK: %[[W:.+]] = nn.read @w : tensor<64x32x!nf4.block<64>>
  %w = nn.read @w : tensor<64x32x!nf4.block<64>>
  // CHECK: %[[F:.+]] = nf4.dequantize %[[W]] : (tensor<64x32x!nf4.block<64>>) -> tensor<64x32xf32>
  %f = nf4.dequantize %w : (tensor<64x32x!nf4.block<64>>) -> tensor<64x32xf32>
  // CHECK: nf4.quantize %[[F]] : (tensor<64x32xf32>) -> tensor<64x32x!nf4.block<32, fp4>>
  %q = nf4.quantize %f : (tensor<64x32xf32>) -> tensor<64x32x!nf4.block<32, fp4>>
  // CHECK: %[[Y:.+]] = nf4.linear %{{.+}}, %[[W]] : (tensor<16x32xbf16>, tensor<64x32x!nf4.block<64>>) -> tensor<16x64xbf16>
  %y = nf4.linear %x, %w {alpha = 1.0 : f64} : (tensor<16x32xbf16>, tensor<64x32x!nf4.block<64>>) -> tensor<16x64xbf16>
  // CHECK: nf4.linear %{{.+}}, %[[W]] bias %{{.+}} addend %[[Y]] {alpha = 5.000000e-01 : f64, module = "m"}
  %z = nf4.linear %x, %w bias %b addend %y {alpha = 0.5 : f64, module = "m"} : (tensor<16x32xbf16>, tensor<64x32x!nf4.block<64>>, tensor<64xbf16>, tensor<16x64xbf16>) -> tensor<16x64xbf16>
  // CHECK: nf4.linear %{{.+}}, %[[W]] branch %{{.+}}, %{{.+}} {branch_alpha = 2.000000e+00 : f64}
  %z2 = nf4.linear %x, %w branch %g, %s {branch_alpha = 2.0 : f64} : (tensor<16x32xbf16>, tensor<64x32x!nf4.block<64>>, tensor<16x64xbf16>, tensor<64x64xbf16>) -> tensor<16x64xbf16>
  // CHECK: nf4.linear_input_gradient %{{.+}}, %[[W]] branch %{{.+}}, %{{.+}} {branch_alpha = 2.000000e+00 : f64}
  %dx2 = nf4.linear_input_gradient %g, %w branch %g, %r {branch_alpha = 2.0 : f64} : (tensor<16x64xbf16>, tensor<64x32x!nf4.block<64>>, tensor<16x64xbf16>, tensor<64x32xbf16>) -> tensor<16x32xbf16>
  // CHECK: nf4.linear_input_gradient %{{.+}}, %[[W]] addend %{{.+}} {alpha = 2.000000e+00 : f64}
  %dx = nf4.linear_input_gradient %g, %w addend %x {alpha = 2.0 : f64} : (tensor<16x64xbf16>, tensor<64x32x!nf4.block<64>>, tensor<16x32xbf16>) -> tensor<16x32xbf16>
  nn.output "z", %z : tensor<16x64xbf16>
  nn.output "dx", %dx : tensor<16x32xbf16>
}
