// RUN: zp-opt %s --plan-legalize-tiers | FileCheck %s

plan.buffer @m tier host kind optimizer {bytes = 256 : i64}
plan.buffer @p tier device kind adapters {bytes = 256 : i64}
plan.buffer @d tier disk kind optimizer {bytes = 256 : i64}
plan.buffer @h tier device kind adapters {bytes = 128 : i64}
plan.buffer @s tier device kind working {bytes = 8 : i64}

// CHECK-LABEL: plan.entry @apply_gradients
plan.entry @apply_gradients kind apply_gradients {
  plan.buffer @t0 tier device kind gradients {bytes = 256 : i64}
  %m = plan.view @m[0] : memref<64xf32>
  %p = plan.view @p[0] : memref<64xf32>
  %d = plan.view @d[0] : memref<64xf32>
  %s = plan.view @s[0] : memref<1xf64>
  %g = plan.view @t0[0] : memref<64xf32>
  // All on the device: left alone.
  // CHECK: plan.fill %[[G:[0-9]+]] {
  // CHECK-NOT: plan.copy
  plan.fill %g {value = 1.0 : f64} : memref<64xf32>
  // The state is on the host: the CPU adds, and the gradient comes to it.
  // CHECK: plan.buffer @[[H:tier[0-9]+]] tier host kind communication {bytes = 256 : i64}
  // CHECK-NEXT: %[[HG:.+]] = plan.view @[[H]][0] : memref<64xf32>
  // CHECK-NEXT: plan.copy %[[G]], %[[HG]]
  // CHECK-NEXT: plan.accumulate %[[HG]], %[[M:[0-9]+]] {
  plan.accumulate %g, %m {scale = 1.0 : f64} : memref<64xf32>, memref<64xf32>
  // A small result goes there and back.
  // CHECK: %[[HS:.+]] = plan.view @tier{{[0-9]+}}[0] : memref<1xf64>
  // CHECK-NEXT: plan.copy %[[S:[0-9]+]], %[[HS]]
  // CHECK-NEXT: plan.sum_squares %[[M]], %[[HS]]
  // CHECK-NEXT: plan.copy %[[HS]], %[[S]]
  plan.sum_squares %m, %s : memref<64xf32>, memref<1xf64>
  // Nothing works on a disk.
  // CHECK: %[[HD:.+]] = plan.view @tier{{[0-9]+}}[0] : memref<64xf32>
  // CHECK-NEXT: plan.copy %[[D:[0-9]+]], %[[HD]]
  // CHECK-NEXT: plan.accumulate %[[M]], %[[HD]]
  // CHECK-NEXT: plan.copy %[[HD]], %[[D]]
  plan.accumulate %m, %d {scale = 1.0 : f64} : memref<64xf32>, memref<64xf32>
  // A copy may go from anywhere to anywhere.
  // CHECK-NEXT: plan.copy %[[D]], %[[P:[0-9]+]]
  // CHECK-NOT: plan.copy
  plan.copy %d, %p : memref<64xf32>, memref<64xf32>
  // Collectives are the device's.
  // CHECK: %[[DM:.+]] = plan.view @[[B:tier[0-9]+]][0] : memref<64xf32>
  // CHECK-NEXT: plan.copy %[[M]], %[[DM]]
  // CHECK-NEXT: plan.all_reduce %[[DM]]
  // CHECK-NEXT: plan.copy %[[DM]], %[[M]]
  plan.all_reduce %m : memref<64xf32>
  // What a collective writes leaves the device when it has arrived.
  // CHECK: %[[DA:.+]] = plan.view @[[A:tier[0-9]+]][0] : memref<64xf32>
  // CHECK: plan.all_gather %{{.+}}, %[[DA]] {plan.future = 0 : i64
  // CHECK-NEXT: plan.fill
  // CHECK-NEXT: plan.wait_event
  // CHECK-NEXT: plan.copy %[[DA]], %[[M]]
  %h = plan.view @h[0] : memref<32xf32>
  plan.all_gather %h, %m {plan.future = 0 : i64} : memref<32xf32>, memref<64xf32>
  plan.fill %g {value = 1.0 : f64} : memref<64xf32>
  plan.wait_event {event = 0 : i64}
}
