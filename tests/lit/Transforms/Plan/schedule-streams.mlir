// RUN: zp-opt %s -split-input-file --plan-schedule-streams | FileCheck %s

plan.buffer @shard tier device kind weights {bytes = 256 : i64}

// CHECK-LABEL: plan.entry @train_step
plan.entry @train_step kind train_step {
  plan.buffer @a tier device kind gathered {bytes = 512 : i64}
  plan.buffer @b tier device kind gathered {bytes = 512 : i64}
  %s = plan.view @shard[0] : memref<64xf32>
  %a = plan.view @a[0] : memref<128xf32>
  %b = plan.view @b[0] : memref<128xf32>
  // Once one collective of an entry is asynchronous, all are on its stream, in the order of the list. One without a future is
  // awaited where it stands.
  // CHECK: plan.record_event {event = 0 : i64}
  // CHECK-NEXT: plan.wait_event {event = 0 : i64, stream = 1 : i64}
  // CHECK-NEXT: plan.all_gather %{{.+}}, %[[A:.+]] {stream = 1 : i64}
  // CHECK-NEXT: plan.record_event {event = 1 : i64, stream = 1 : i64}
  // CHECK-NEXT: plan.wait_event {event = 1 : i64}
  plan.all_gather %s, %a : memref<64xf32>, memref<128xf32>
  // The other stream starts when this one has come here, and this one goes on when the other is done.
  // CHECK-NEXT: plan.record_event {event = 2 : i64}
  // CHECK-NEXT: plan.wait_event {event = 2 : i64, stream = 1 : i64}
  // CHECK-NEXT: plan.all_gather %{{.+}}, %[[B:.+]] {stream = 1 : i64}
  // CHECK-NEXT: plan.record_event {event = 3 : i64, stream = 1 : i64}
  // CHECK-NEXT: plan.scale %[[A]]
  // CHECK-NEXT: plan.wait_event {event = 3 : i64}
  // CHECK-NEXT: plan.scale %[[B]]
  plan.all_gather %s, %b {plan.future = 0 : i64} : memref<64xf32>, memref<128xf32>
  plan.scale %a, %a {factor = 2.0 : f64} : memref<128xf32>, memref<128xf32>
  plan.wait_event {event = 0 : i64}
  plan.scale %b, %b {factor = 2.0 : f64} : memref<128xf32>, memref<128xf32>
  // The second future of the program has events of its own.
  // CHECK-NEXT: plan.record_event {event = 4 : i64}
  // CHECK: plan.record_event {event = 5 : i64, stream = 1 : i64}
  // CHECK: plan.wait_event {event = 5 : i64}
  // CHECK-NOT: plan.future
  plan.all_gather %s, %a {plan.future = 1 : i64} : memref<64xf32>, memref<128xf32>
  plan.scale %b, %b {factor = 2.0 : f64} : memref<128xf32>, memref<128xf32>
  plan.wait_event {event = 1 : i64}
}

// Nothing asynchronous: no second stream, no events.
// CHECK-LABEL: plan.entry @apply_gradients
// CHECK-NOT: event
// CHECK: plan.all_reduce %{{[0-9]+}} : memref<64xf32>
// CHECK-NOT: event
plan.entry @apply_gradients kind apply_gradients {
  %s = plan.view @shard[0] : memref<64xf32>
  plan.all_reduce %s : memref<64xf32>
}

// -----

// Where transfers have engines of their own: into the device, out of it and between the ranks are three streams.
module attributes {zp.target = "cuda"} {
  plan.buffer @master tier host kind weights {bytes = 256 : i64}
  // CHECK-LABEL: plan.entry @brings
  plan.entry @brings kind train_step {
    plan.buffer @slice tier device kind communication {bytes = 256 : i64}
    plan.buffer @whole tier device kind gathered {bytes = 512 : i64}
    plan.buffer @kept tier host kind checkpoints {bytes = 512 : i64}
    %m = plan.view @master[0] : memref<64xf32>
    %s = plan.view @slice[0] : memref<64xf32>
    %w = plan.view @whole[0] : memref<128xf32>
    %k = plan.view @kept[0] : memref<128xf32>
    // CHECK: plan.record_event {event = 0 : i64}
    // CHECK-NEXT: plan.wait_event {event = 0 : i64, stream = 2 : i64}
    // CHECK-NEXT: plan.copy %{{.+}}, %[[SLICE:.+]] {stream = 2 : i64}
    // CHECK-NEXT: plan.record_event {event = 1 : i64, stream = 2 : i64}
    plan.copy %m, %s {plan.future = 0 : i64} : memref<64xf32>, memref<64xf32>
    // What is gathered from there waits for it; stream 0 only for what is gathered.
    // CHECK-NEXT: plan.record_event {event = 2 : i64}
    // CHECK-NEXT: plan.wait_event {event = 2 : i64, stream = 1 : i64}
    // CHECK-NEXT: plan.wait_event {event = 1 : i64, stream = 1 : i64}
    // CHECK-NEXT: plan.all_gather %[[SLICE]], %[[WHOLE:.+]] {stream = 1 : i64}
    // CHECK-NEXT: plan.record_event {event = 3 : i64, stream = 1 : i64}
    // CHECK-NEXT: plan.wait_event {event = 3 : i64}
    plan.all_gather %s, %w {plan.after = 0 : i64, plan.future = 1 : i64} : memref<64xf32>, memref<128xf32>
    plan.wait_event {event = 1 : i64}
    // CHECK-NEXT: plan.scale %[[WHOLE]]
    plan.scale %w, %w {factor = 2.0 : f64} : memref<128xf32>, memref<128xf32>
    // CHECK: plan.wait_event {event = 4 : i64, stream = 3 : i64}
    // CHECK-NEXT: plan.copy %[[WHOLE]], %{{.+}} {stream = 3 : i64}
    // CHECK-NEXT: plan.record_event {event = 5 : i64, stream = 3 : i64}
    // CHECK-NEXT: plan.wait_event {event = 5 : i64}
    plan.copy %w, %k {plan.future = 2 : i64} : memref<128xf32>, memref<128xf32>
    plan.wait_event {event = 2 : i64}
  }
}
