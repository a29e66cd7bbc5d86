// Memory that is free anyway, as soon as any was set aside.
// RUN: sed 's/BYTES/1/' %s | zp-opt --plan-share-dequantized | FileCheck %s --check-prefixes=CHECK,FREE
// 16384 bytes more: room for the floats beside the peak too.
// RUN: sed 's/BYTES/16384/' %s | zp-opt --plan-share-dequantized | FileCheck %s --check-prefixes=CHECK,MORE
// What is kept for good counts.
// RUN: sed 's/BYTES/16384/;s/kind weights {bytes = 4608/kind dequantized {bytes = 4608/' %s | zp-opt --plan-share-dequantized | FileCheck %s --check-prefixes=CHECK,FREE
// RUN: sed 's/BYTES/0/' %s | zp-opt --plan-share-dequantized | FileCheck %s --check-prefix=OFF
// A CPU's kernels have their tiles on the stack.
// RUN: sed 's/BYTES/8192/;s/"cuda"/"cpu"/' %s | zp-opt --plan-share-dequantized | FileCheck %s --check-prefix=OFF
// OFF-NOT: dequantized
// OFF-COUNT-8: plan.nf4_matmul
// OFF-NOT: plan.matmul

module attributes {zp.target = "cuda", zp.settings = {dequant_cache_bytes = BYTES : i64}} {
plan.buffer @codes tier device kind weights {bytes = 4608 : i64}

// CHECK-LABEL: plan.entry @train_step
plan.entry @train_step kind train_step {
  plan.buffer @gathered tier device kind gathered {bytes = 4608 : i64}
  plan.buffer @x tier device kind working {bytes = 2048 : i64}
  plan.buffer @y tier device kind working {bytes = 2048 : i64}
  plan.buffer @panel tier device kind working {bytes = 8192 : i64}
  plan.buffer @peak tier device kind working {bytes = 65536 : i64}
  %w = plan.view @codes[0] : memref<2304xi8>
  %v = plan.view @codes[2304] : memref<2304xi8>
  %g = plan.view @gathered[0] : memref<2304xi8>
  %x = plan.view @x[0] : memref<16x64xbf16>
  %y = plan.view @y[0] : memref<16x64xbf16>
  %panel = plan.view @panel[0] : memref<8192xi8>
  %peak = plan.view @peak[0] : memref<16384xf32>
  // The floats take the place of the panel.
  // CHECK: plan.buffer @floats0 tier device kind dequantized {bytes = 8192 : i64}
  // CHECK-NEXT: %[[F:.+]] = plan.view @floats0[0] : memref<64x64xbf16>
  // CHECK-NEXT: plan.nf4_matmul %[[X:.+]], %[[W:.+]], %[[F]], %[[Y:.+]] {{{.*}}operandSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 1, 1>{{.*}}transpose = true}
  plan.nf4_matmul %x, %w, %panel, %y {accumulate = false, alpha = 1.0 : f64, branch_alpha = 1.0 : f64, block_size = 64 : i64, columns = 64 : i64, nested = false, operandSegmentSizes = array<i32: 1, 1, 0, 0, 0, 1, 0, 1>, quant_type = 0 : i64, rows = 64 : i64, transpose = true} : memref<16x64xbf16>, memref<2304xi8>, memref<8192xi8>, memref<16x64xbf16>
  // Another weight of the same buffer, whose two products have the peak between them.
  // FREE-NEXT: plan.nf4_matmul
  // MORE-NEXT: plan.buffer @floats1
  // MORE-NEXT: %[[G:.+]] = plan.view @floats1[0]
  // MORE-NEXT: plan.nf4_matmul %[[X]], %[[V:.+]], %[[G]], %[[Y]]
  plan.nf4_matmul %x, %v, %panel, %y {accumulate = false, alpha = 1.0 : f64, branch_alpha = 1.0 : f64, block_size = 64 : i64, columns = 64 : i64, nested = false, operandSegmentSizes = array<i32: 1, 1, 0, 0, 0, 1, 0, 1>, quant_type = 0 : i64, rows = 64 : i64, transpose = true} : memref<16x64xbf16>, memref<2304xi8>, memref<8192xi8>, memref<16x64xbf16>
  // The second product keeps its finish: what it adds, and adds to.
  // CHECK-NEXT: plan.matmul %[[Y]], %[[F]], %[[X]] {accumulate = true, alpha = 2.000000e+00 : f64, branch_alpha = 1.000000e+00 : f64, operandSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 1>, transpose_a = false, transpose_b = false} : memref<16x64xbf16>, memref<64x64xbf16>, memref<16x64xbf16>
  plan.nf4_matmul %y, %w, %panel, %x {accumulate = true, alpha = 2.0 : f64, branch_alpha = 1.0 : f64, block_size = 64 : i64, columns = 64 : i64, nested = false, operandSegmentSizes = array<i32: 1, 1, 0, 0, 0, 1, 0, 1>, quant_type = 0 : i64, rows = 64 : i64, transpose = false} : memref<16x64xbf16>, memref<2304xi8>, memref<8192xi8>, memref<16x64xbf16>
  plan.fill %peak {value = 0.0 : f64} : memref<16384xf32>
  // CHECK: plan.scale
  // FREE-NEXT: plan.nf4_matmul
  // MORE-NEXT: plan.matmul %[[Y]], %[[G]], %[[X]]
  plan.scale %peak, %peak {factor = 2.0 : f64} : memref<16384xf32>, memref<16384xf32>
  plan.nf4_matmul %y, %v, %panel, %x {accumulate = false, alpha = 1.0 : f64, branch_alpha = 1.0 : f64, block_size = 64 : i64, columns = 64 : i64, nested = false, operandSegmentSizes = array<i32: 1, 1, 0, 0, 0, 1, 0, 1>, quant_type = 0 : i64, rows = 64 : i64, transpose = false} : memref<16x64xbf16>, memref<2304xi8>, memref<8192xi8>, memref<16x64xbf16>
  // Other codes come between, or the same are read as other floats: nothing is shared.
  // CHECK: plan.nf4_matmul
  // CHECK: plan.copy
  // CHECK-NEXT: plan.nf4_matmul
  // CHECK-NEXT: plan.nf4_matmul
  // CHECK-NEXT: plan.nf4_matmul
  plan.nf4_matmul %x, %g, %panel, %y {accumulate = false, alpha = 1.0 : f64, branch_alpha = 1.0 : f64, block_size = 64 : i64, columns = 64 : i64, nested = false, operandSegmentSizes = array<i32: 1, 1, 0, 0, 0, 1, 0, 1>, quant_type = 0 : i64, rows = 64 : i64, transpose = true} : memref<16x64xbf16>, memref<2304xi8>, memref<8192xi8>, memref<16x64xbf16>
  plan.copy %w, %g : memref<2304xi8>, memref<2304xi8>
  plan.nf4_matmul %y, %g, %panel, %x {accumulate = false, alpha = 1.0 : f64, branch_alpha = 1.0 : f64, block_size = 64 : i64, columns = 64 : i64, nested = false, operandSegmentSizes = array<i32: 1, 1, 0, 0, 0, 1, 0, 1>, quant_type = 0 : i64, rows = 64 : i64, transpose = false} : memref<16x64xbf16>, memref<2304xi8>, memref<8192xi8>, memref<16x64xbf16>
  plan.nf4_matmul %y, %g, %panel, %x {accumulate = false, alpha = 1.0 : f64, branch_alpha = 1.0 : f64, block_size = 64 : i64, columns = 64 : i64, nested = true, operandSegmentSizes = array<i32: 1, 1, 0, 0, 0, 1, 0, 1>, quant_type = 0 : i64, rows = 64 : i64, transpose = false} : memref<16x64xbf16>, memref<2304xi8>, memref<8192xi8>, memref<16x64xbf16>
  plan.nf4_matmul %y, %g, %panel, %x {accumulate = false, alpha = 1.0 : f64, branch_alpha = 1.0 : f64, block_size = 32 : i64, columns = 64 : i64, nested = true, operandSegmentSizes = array<i32: 1, 1, 0, 0, 0, 1, 0, 1>, quant_type = 0 : i64, rows = 64 : i64, transpose = false} : memref<16x64xbf16>, memref<2304xi8>, memref<8192xi8>, memref<16x64xbf16>
}
}
