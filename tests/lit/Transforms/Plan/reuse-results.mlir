// RUN: zp-opt %s --plan-reuse-results | FileCheck %s

module attributes {zp.settings = {}} {
plan.buffer @w tier device kind weights {bytes = 2048 : i64}
plan.buffer @state tier device kind working {bytes = 2048 : i64}

// CHECK-LABEL: plan.entry @train_step
plan.entry @train_step kind train_step {
  plan.buffer @x tier device kind working {bytes = 2048 : i64}
  plan.buffer @up tier device kind working {bytes = 2048 : i64}
  plan.buffer @h tier device kind working {bytes = 2048 : i64}
  plan.buffer @h2 tier device kind working {bytes = 2048 : i64}
  plan.buffer @h3 tier device kind working {bytes = 2048 : i64}
  plan.buffer @s tier device kind working {bytes = 2048 : i64}
  plan.buffer @q tier device kind working {bytes = 2048 : i64}
  plan.buffer @q2 tier device kind working {bytes = 2048 : i64}
  plan.buffer @o tier device kind working {bytes = 2048 : i64}
  plan.buffer @far tier device kind working {bytes = 2048 : i64}
  plan.buffer @far2 tier device kind working {bytes = 2048 : i64}
  plan.buffer @peak tier device kind working {bytes = 65536 : i64}
  plan.buffer @peak2 tier device kind working {bytes = 8192 : i64}
  plan.buffer @kept tier host kind checkpoints {bytes = 2048 : i64}
  plan.buffer @back tier device kind checkpoints {bytes = 2048 : i64}
  %w = plan.view @w[0] : memref<8x64xf32>
  %state = plan.view @state[0] : memref<8x64xf32>
  %x = plan.view @x[0] : memref<8x64xf32>
  %up = plan.view @up[0] : memref<8x64xf32>
  %h = plan.view @h[0] : memref<8x64xf32>
  %h2 = plan.view @h2[0] : memref<8x64xf32>
  %h3 = plan.view @h3[0] : memref<8x64xf32>
  %s = plan.view @s[0] : memref<8x64xf32>
  %q = plan.view @q[0] : memref<8x64xf32>
  %q2 = plan.view @q2[0] : memref<8x64xf32>
  %o = plan.view @o[0] : memref<8x64xf32>
  %far = plan.view @far[0] : memref<8x64xf32>
  %far2 = plan.view @far2[0] : memref<8x64xf32>
  %peak = plan.view @peak[0] : memref<16384xf32>
  %peak2 = plan.view @peak2[0] : memref<2048xf32>
  %peakRows = plan.view @peak[0] : memref<8x64xf32>
  %peak2Rows = plan.view @peak2[0] : memref<8x64xf32>
  %kept = plan.view @kept[0] : memref<8x64xf32>
  %back = plan.view @back[0] : memref<8x64xf32>
  plan.fill %x {value = 1.0 : f64} : memref<8x64xf32>
  plan.fill %up {value = 2.0 : f64} : memref<8x64xf32>
  plan.copy %x, %kept : memref<8x64xf32>, memref<8x64xf32>

  // Read again where it is.
  // CHECK: plan.silu_mul %[[X:.+]], %[[UP:.+]], %[[H:.+]] :
  // CHECK-NEXT: plan.scale %[[H]], %{{.+}} {factor = 1.000000e+01 : f64}
  // CHECK-NOT: plan.silu_mul
  // CHECK: %[[AGAIN:.+]] = plan.view @h[0]
  // CHECK-NEXT: plan.scale %[[AGAIN]], %{{.+}} {factor = 1.100000e+01 : f64}
  plan.silu_mul %x, %up, %h : memref<8x64xf32>, memref<8x64xf32>, memref<8x64xf32>
  plan.scale %h, %state {factor = 10.0 : f64} : memref<8x64xf32>, memref<8x64xf32>
  plan.silu_mul %x, %up, %h2 : memref<8x64xf32>, memref<8x64xf32>, memref<8x64xf32>
  plan.scale %h2, %state {factor = 11.0 : f64} : memref<8x64xf32>, memref<8x64xf32>

  // What was taken to another memory and back is the same value. Nobody wants @h behind the change in place of @h3, so it may be @h's.
  // CHECK: plan.copy %{{.+}}, %[[BACK:.+]] :
  // CHECK-NOT: plan.silu_mul
  // CHECK: plan.scale %[[IN:.+]], %[[IN]] {factor = 1.200000e+01 : f64}
  plan.copy %kept, %back : memref<8x64xf32>, memref<8x64xf32>
  plan.silu_mul %back, %up, %h3 : memref<8x64xf32>, memref<8x64xf32>, memref<8x64xf32>
  plan.scale %h3, %h3 {factor = 12.0 : f64} : memref<8x64xf32>, memref<8x64xf32>
  plan.scale %h3, %state {factor = 13.0 : f64} : memref<8x64xf32>, memref<8x64xf32>

  // The value isn't there any more: @h was changed.
  // CHECK: plan.silu_mul %{{.+}}, %{{.+}}, %[[S:.+]] :
  // CHECK-NEXT: plan.scale %[[S]], %{{.+}} {factor = 1.400000e+01 : f64}
  plan.silu_mul %x, %up, %s : memref<8x64xf32>, memref<8x64xf32>, memref<8x64xf32>
  plan.scale %s, %state {factor = 14.0 : f64} : memref<8x64xf32>, memref<8x64xf32>

  // A chain in place: its end is there, so its beginning isn't wanted.
  // CHECK: plan.add
  // CHECK-NEXT: plan.scale %[[Q:.+]], %[[Q]] {factor = 1.500000e+01 : f64}
  // CHECK-NEXT: plan.scale %[[Q]], %{{.+}} {factor = 1.600000e+01 : f64}
  // CHECK-NOT: plan.add
  // CHECK-NOT: factor = 1.500000e+01
  // CHECK: %[[Q2:.+]] = plan.view @q[0]
  // CHECK-NEXT: plan.scale %[[Q2]], %{{.+}} {factor = 1.700000e+01 : f64}
  plan.add %x, %up, %q : memref<8x64xf32>, memref<8x64xf32>, memref<8x64xf32>
  plan.scale %q, %q {factor = 15.0 : f64} : memref<8x64xf32>, memref<8x64xf32>
  plan.scale %q, %state {factor = 16.0 : f64} : memref<8x64xf32>, memref<8x64xf32>
  plan.add %x, %up, %q2 : memref<8x64xf32>, memref<8x64xf32>, memref<8x64xf32>
  plan.scale %q2, %q2 {factor = 15.0 : f64} : memref<8x64xf32>, memref<8x64xf32>
  plan.scale %q2, %state {factor = 17.0 : f64} : memref<8x64xf32>, memref<8x64xf32>

  // No room for it at the peak.
  // CHECK: plan.add %{{.+}}, %{{.+}}, %[[FAR:.+]] :
  // CHECK: plan.scale %{{.+}}, %{{.+}} {factor = 1.900000e+01 : f64}
  // CHECK: plan.add %{{.+}}, %{{.+}}, %[[FAR2:.+]] :
  // CHECK-NEXT: plan.scale %[[FAR2]], %{{.+}} {factor = 2.000000e+01 : f64}
  plan.add %up, %up, %far : memref<8x64xf32>, memref<8x64xf32>, memref<8x64xf32>
  plan.scale %far, %state {factor = 18.0 : f64} : memref<8x64xf32>, memref<8x64xf32>
  plan.fill %peak {value = 0.0 : f64} : memref<16384xf32>
  plan.fill %peak2 {value = 0.0 : f64} : memref<2048xf32>
  plan.scale %peakRows, %state {factor = 19.0 : f64} : memref<8x64xf32>, memref<8x64xf32>
  plan.scale %peak2Rows, %state {factor = 19.0 : f64} : memref<8x64xf32>, memref<8x64xf32>
  plan.add %up, %up, %far2 : memref<8x64xf32>, memref<8x64xf32>, memref<8x64xf32>
  plan.scale %far2, %state {factor = 20.0 : f64} : memref<8x64xf32>, memref<8x64xf32>

  // Of other values, or with other attributes: not the same.
  // CHECK: plan.fill %{{.+}} {value = 3.000000e+00 : f64}
  // CHECK: plan.add
  // CHECK-NEXT: plan.scale %{{.+}}, %{{.+}} {factor = 2.100000e+01 : f64}
  // CHECK-NEXT: plan.scale %{{.+}}, %{{.+}} {factor = 2.200000e+01 : f64}
  plan.fill %x {value = 3.0 : f64} : memref<8x64xf32>
  plan.add %x, %up, %o : memref<8x64xf32>, memref<8x64xf32>, memref<8x64xf32>
  plan.scale %o, %state {factor = 21.0 : f64} : memref<8x64xf32>, memref<8x64xf32>
  plan.scale %o, %state {factor = 22.0 : f64} : memref<8x64xf32>, memref<8x64xf32>
}

// CHECK-LABEL: plan.entry @evaluate
plan.entry @evaluate kind evaluate {
  plan.buffer @a tier device kind working {bytes = 2048 : i64}
  plan.buffer @b tier device kind working {bytes = 2048 : i64}
  %w = plan.view @w[0] : memref<8x64xf32>
  %state = plan.view @state[0] : memref<8x64xf32>
  %a = plan.view @a[0] : memref<8x64xf32>
  %b = plan.view @b[0] : memref<8x64xf32>
  // CHECK-COUNT-2: plan.add
  plan.add %w, %w, %a : memref<8x64xf32>, memref<8x64xf32>, memref<8x64xf32>
  plan.add %w, %w, %b : memref<8x64xf32>, memref<8x64xf32>, memref<8x64xf32>
  plan.add %a, %b, %state : memref<8x64xf32>, memref<8x64xf32>, memref<8x64xf32>
}
}
