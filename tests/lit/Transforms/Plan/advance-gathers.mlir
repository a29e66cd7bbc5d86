// RUN: sed '/^\/\/ =====/,$d; s/SETTINGS//' %s | zp-opt --plan-advance-gathers | FileCheck %s --check-prefixes=CHECK,OPEN
// A distance, or a limit in bytes, is kept to.
// RUN: sed '/^\/\/ =====/,$d; s/SETTINGS/prefetch_distance = 1 : i64/' %s | zp-opt --plan-advance-gathers | FileCheck %s --check-prefixes=CHECK,SET
// RUN: sed '/^\/\/ =====/,$d; s/SETTINGS/prefetch_bytes = 4096 : i64/' %s | zp-opt --plan-advance-gathers | FileCheck %s --check-prefixes=CHECK,SET

// RUN: sed '1,/^\/\/ =====/d; s/TARGET/cuda/' %s | zp-opt --plan-advance-gathers | FileCheck %s --check-prefix=ENGINES
// RUN: sed '1,/^\/\/ =====/d; s/TARGET/cpu/' %s | zp-opt --plan-advance-gathers | FileCheck %s --check-prefix=TOGETHER

module attributes {zp.settings = {SETTINGS}} {
plan.buffer @s tier device kind weights {bytes = 256 : i64}
plan.buffer @far tier host kind weights {bytes = 256 : i64}

// Every unit multiplies by a factor of its own, to be told apart.
// CHECK-LABEL: plan.entry @train_step
plan.entry @train_step kind train_step {
  plan.buffer @w0 tier device kind gathered {bytes = 512 : i64}
  plan.buffer @w1 tier device kind gathered {bytes = 512 : i64}
  plan.buffer @h tier device kind communication {bytes = 256 : i64}
  plan.buffer @w3 tier device kind gathered {bytes = 512 : i64}
  plan.buffer @peak tier device kind working {bytes = 8192 : i64}
  plan.buffer @other tier device kind working {bytes = 8192 : i64}
  %s = plan.view @s[0] : memref<64xf32>
  %far = plan.view @far[0] : memref<64xf32>
  %w0 = plan.view @w0[0] : memref<128xf32>
  %w1 = plan.view @w1[0] : memref<128xf32>
  // CHECK: plan.all_gather %{{.+}}, %[[W0:.+]] : memref
  plan.all_gather %s, %w0 : memref<64xf32>, memref<128xf32>
  // The first start has nothing to be brought beside.
  // CHECK-NEXT: plan.all_gather %{{.+}}, %{{.+}} {plan.future = 0 : i64}
  plan.all_gather %s, %w1 {plan.future = 0 : i64} : memref<64xf32>, memref<128xf32>
  // The second comes up to it, and with it its window and what that is of.
  // OPEN-NEXT: plan.buffer @w2
  // OPEN-NEXT: %[[W2:.+]] = plan.view @w2
  // OPEN-NEXT: plan.all_gather %{{.+}}, %[[W2]] {plan.future = 1 : i64}
  // CHECK-NEXT: plan.scale %{{.+}}, %{{.+}} {factor = 2.000000e+00 : f64}
  plan.scale %w0, %w0 {factor = 2.0 : f64} : memref<128xf32>, memref<128xf32>
  // CHECK-NEXT: plan.wait_event {event = 0 : i64}
  plan.wait_event {event = 0 : i64}
  // SET-NEXT: plan.buffer @w2
  // SET-NEXT: %[[W2:.+]] = plan.view @w2
  // SET-NEXT: plan.all_gather %{{.+}}, %[[W2]] {plan.future = 1 : i64}
  plan.buffer @w2 tier device kind gathered {bytes = 512 : i64}
  %w2 = plan.view @w2[0] : memref<128xf32>
  plan.all_gather %s, %w2 {plan.future = 1 : i64} : memref<64xf32>, memref<128xf32>
  // The third has no room there, while most is live.
  %peak = plan.view @peak[0] : memref<2048xf32>
  %other = plan.view @other[0] : memref<2048xf32>
  plan.fill %peak {value = 1.0 : f64} : memref<2048xf32>
  // CHECK: plan.scale %{{.+}}, %{{.+}} {factor = 3.000000e+00 : f64}
  plan.scale %peak, %other {factor = 3.0 : f64} : memref<2048xf32>, memref<2048xf32>
  // CHECK-NEXT: plan.scale %{{.+}}, %{{.+}} {factor = 4.000000e+00 : f64}
  plan.scale %w1, %w1 {factor = 4.0 : f64} : memref<128xf32>, memref<128xf32>
  // CHECK-NEXT: plan.wait_event {event = 1 : i64}
  plan.wait_event {event = 1 : i64}
  // CHECK: plan.copy %{{.+}}, %[[H:.+]] {plan.future = 4 : i64}
  // CHECK: plan.all_gather %[[H]], %{{.+}} {plan.after = 4 : i64, plan.future = 2 : i64}
  %h = plan.view @h[0] : memref<64xf32>
  %w3 = plan.view @w3[0] : memref<128xf32>
  plan.copy %far, %h {plan.future = 4 : i64} : memref<64xf32>, memref<64xf32>
  plan.all_gather %h, %w3 {plan.after = 4 : i64, plan.future = 2 : i64} : memref<64xf32>, memref<128xf32>
  // The fourth has: what is fetched to be gathered stays with its gather.
  // OPEN: plan.copy %{{.+}}, %[[H:.+]] {plan.future = 5 : i64}
  // OPEN: plan.all_gather %[[H]], %{{.+}} {plan.after = 5 : i64, plan.future = 3 : i64}
  // CHECK: plan.scale %{{.+}}, %{{.+}} {factor = 5.000000e+00 : f64}
  plan.scale %w2, %w2 {factor = 5.0 : f64} : memref<128xf32>, memref<128xf32>
  // CHECK-NEXT: plan.wait_event {event = 2 : i64}
  plan.wait_event {event = 2 : i64}
  // SET: plan.copy %{{.+}}, %[[H:.+]] {plan.future = 5 : i64}
  // SET: plan.all_gather %[[H]], %{{.+}} {plan.after = 5 : i64, plan.future = 3 : i64}
  plan.buffer @i tier device kind communication {bytes = 256 : i64}
  plan.buffer @w4 tier device kind gathered {bytes = 512 : i64}
  %i = plan.view @i[0] : memref<64xf32>
  %w4 = plan.view @w4[0] : memref<128xf32>
  plan.copy %far, %i {plan.future = 5 : i64} : memref<64xf32>, memref<64xf32>
  plan.all_gather %i, %w4 {plan.after = 5 : i64, plan.future = 3 : i64} : memref<64xf32>, memref<128xf32>
  // CHECK-NEXT: plan.scale %{{.+}}, %{{.+}} {factor = 6.000000e+00 : f64}
  plan.scale %w3, %w3 {factor = 6.0 : f64} : memref<128xf32>, memref<128xf32>
  plan.wait_event {event = 3 : i64}
}

// What is written before it is gathered, and what is reduced, stays.
// CHECK-LABEL: plan.entry @apply_gradients
plan.entry @apply_gradients kind apply_gradients {
  plan.buffer @w0 tier device kind gathered {bytes = 512 : i64}
  plan.buffer @w1 tier device kind gathered {bytes = 512 : i64}
  plan.buffer @r tier device kind communication {bytes = 256 : i64}
  %s = plan.view @s[0] : memref<64xf32>
  %w0 = plan.view @w0[0] : memref<128xf32>
  %w1 = plan.view @w1[0] : memref<128xf32>
  %r = plan.view @r[0] : memref<64xf32>
  // CHECK: plan.all_gather %{{.+}}, %{{.+}} {plan.future = 0 : i64}
  plan.all_gather %s, %w0 {plan.future = 0 : i64} : memref<64xf32>, memref<128xf32>
  // CHECK-NEXT: plan.wait_event {event = 0 : i64}
  plan.wait_event {event = 0 : i64}
  // CHECK-NEXT: plan.scale %{{.+}}, %{{.+}} {factor = 2.000000e+00 : f64}
  plan.scale %s, %s {factor = 2.0 : f64} : memref<64xf32>, memref<64xf32>
  // CHECK-NEXT: plan.all_gather %{{.+}}, %{{.+}} {plan.future = 1 : i64}
  plan.all_gather %s, %w1 {plan.future = 1 : i64} : memref<64xf32>, memref<128xf32>
  // CHECK-NEXT: plan.scale %{{.+}}, %{{.+}} {factor = 3.000000e+00 : f64}
  plan.scale %w0, %w0 {factor = 3.0 : f64} : memref<128xf32>, memref<128xf32>
  // CHECK-NEXT: plan.reduce_scatter %{{.+}}, %{{.+}} {plan.future = 2 : i64}
  plan.reduce_scatter %w0, %r {plan.future = 2 : i64} : memref<128xf32>, memref<64xf32>
  plan.wait_event {event = 1 : i64}
  plan.wait_event {event = 2 : i64}
}

// One without instructions stays.
// CHECK-LABEL: plan.entry @init
plan.entry @init kind init {
}
}

// ===== Where transfers have engines of their own, what is fetched is a unit ahead of its gather; elsewhere it stays with it.
module attributes {zp.settings = {}, zp.target = "TARGET"} {
plan.buffer @s tier device kind weights {bytes = 256 : i64}
plan.buffer @far tier host kind weights {bytes = 256 : i64}

// A slice of the third unit has room beside two units, the unit has not.
// ENGINES-LABEL: plan.entry @eval_step
// TOGETHER-LABEL: plan.entry @eval_step
plan.entry @eval_step kind evaluate {
  plan.buffer @w0 tier device kind gathered {bytes = 8192 : i64}
  plan.buffer @w1 tier device kind gathered {bytes = 8192 : i64}
  plan.buffer @w2 tier device kind gathered {bytes = 8192 : i64}
  plan.buffer @h1 tier device kind communication {bytes = 256 : i64}
  plan.buffer @h2 tier device kind communication {bytes = 256 : i64}
  plan.buffer @peak tier device kind working {bytes = 22528 : i64}
  %far = plan.view @far[0] : memref<64xf32>
  %s = plan.view @s[0] : memref<64xf32>
  %w0 = plan.view @w0[0] : memref<2048xf32>
  %w1 = plan.view @w1[0] : memref<2048xf32>
  %w2 = plan.view @w2[0] : memref<2048xf32>
  %h1 = plan.view @h1[0] : memref<64xf32>
  %h2 = plan.view @h2[0] : memref<64xf32>
  %peak = plan.view @peak[0] : memref<5632xf32>
  plan.all_gather %s, %w0 : memref<64xf32>, memref<2048xf32>
  // ENGINES: plan.all_gather {{.*}} {plan.after = 0 : i64, plan.future = 1 : i64}
  // ENGINES-NEXT: plan.copy {{.*}} {plan.future = 2 : i64}
  // TOGETHER: plan.all_gather {{.*}} {plan.after = 0 : i64, plan.future = 1 : i64}
  // TOGETHER-NEXT: plan.scale {{.*}} {factor = 2.000000e+00 : f64}
  plan.copy %far, %h1 {plan.future = 0 : i64} : memref<64xf32>, memref<64xf32>
  plan.all_gather %h1, %w1 {plan.after = 0 : i64, plan.future = 1 : i64} : memref<64xf32>, memref<2048xf32>
  // ENGINES: plan.scale {{.*}} {factor = 2.000000e+00 : f64}
  plan.scale %w0, %w0 {factor = 2.0 : f64} : memref<2048xf32>, memref<2048xf32>
  plan.wait_event {event = 1 : i64}
  // ENGINES: plan.all_gather {{.*}} {plan.after = 2 : i64, plan.future = 3 : i64}
  // TOGETHER: plan.copy {{.*}} {plan.future = 2 : i64}
  // TOGETHER-NEXT: plan.all_gather {{.*}} {plan.after = 2 : i64, plan.future = 3 : i64}
  plan.copy %far, %h2 {plan.future = 2 : i64} : memref<64xf32>, memref<64xf32>
  plan.all_gather %h2, %w2 {plan.after = 2 : i64, plan.future = 3 : i64} : memref<64xf32>, memref<2048xf32>
  plan.scale %w1, %w1 {factor = 3.0 : f64} : memref<2048xf32>, memref<2048xf32>
  plan.wait_event {event = 3 : i64}
  plan.scale %w2, %w2 {factor = 4.0 : f64} : memref<2048xf32>, memref<2048xf32>
  plan.fill %peak {value = 1.0 : f64} : memref<5632xf32>
}
}
