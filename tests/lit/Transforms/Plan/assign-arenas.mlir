// RUN: zp-opt %s --plan-assign-arenas | FileCheck %s

// What lives on comes first, at 256-byte steps; behind it the entries share.
// CHECK: module attributes {plan.arena_bytes = {device = 2560 : i64}}
// CHECK: plan.buffer @shard {{.*}}offset = 0 : i64
plan.buffer @shard tier device kind weights {bytes = 256 : i64}
// CHECK: plan.buffer @tiny {{.*}}offset = 256 : i64
plan.buffer @tiny tier device kind working {bytes = 8 : i64}

// CHECK-LABEL: plan.entry @one_after_the_other
plan.entry @one_after_the_other kind train_step {
  // b is read while c is written: two places. a is dead by then: c takes its place.
  // CHECK: plan.buffer @a {{.*}}offset = 512 : i64
  // CHECK: plan.buffer @b {{.*}}offset = 1024 : i64
  // CHECK: plan.buffer @c {{.*}}offset = 512 : i64
  // CHECK-NOT: @untouched
  plan.buffer @a tier device kind working {bytes = 512 : i64}
  plan.buffer @b tier device kind working {bytes = 512 : i64}
  plan.buffer @c tier device kind working {bytes = 512 : i64}
  plan.buffer @untouched tier device kind working {bytes = 4096 : i64}
  %a = plan.view @a[0] : memref<128xf32>
  %b = plan.view @b[0] : memref<128xf32>
  %c = plan.view @c[0] : memref<128xf32>
  plan.fill %a {value = 1.0 : f64} : memref<128xf32>
  plan.scale %a, %b {factor = 2.0 : f64} : memref<128xf32>, memref<128xf32>
  plan.scale %b, %c {factor = 2.0 : f64} : memref<128xf32>, memref<128xf32>
  plan.scale %c, %c {factor = 2.0 : f64} : memref<128xf32>, memref<128xf32>
}

// A gather on another stream holds its buffers until its event is awaited: `work` may not lie in `gathered`, nor `late` in
// `source`, though no instruction of stream 0 touches those in between.
// CHECK-LABEL: plan.entry @asynchronous
plan.entry @asynchronous kind evaluate {
  // CHECK: plan.buffer @gathered {{.*}}offset = 512 : i64
  // CHECK: plan.buffer @source {{.*}}offset = 1536 : i64
  // CHECK: plan.buffer @work {{.*}}offset = 2048 : i64
  // CHECK: plan.buffer @late {{.*}}offset = 512 : i64
  plan.buffer @gathered tier device kind gathered {bytes = 1024 : i64}
  plan.buffer @source tier device kind working {bytes = 512 : i64}
  plan.buffer @work tier device kind working {bytes = 512 : i64}
  plan.buffer @late tier device kind working {bytes = 512 : i64}
  %gathered = plan.view @gathered[0] : memref<256xf32>
  %source = plan.view @source[0] : memref<128xf32>
  %work = plan.view @work[0] : memref<128xf32>
  %late = plan.view @late[0] : memref<128xf32>
  plan.fill %source {value = 1.0 : f64} : memref<128xf32>
  plan.record_event {event = 0 : i64}
  plan.wait_event {event = 0 : i64, stream = 1 : i64}
  plan.all_gather %source, %gathered {stream = 1 : i64} : memref<128xf32>, memref<256xf32>
  plan.record_event {event = 1 : i64, stream = 1 : i64}
  plan.fill %work {value = 1.0 : f64} : memref<128xf32>
  plan.wait_event {event = 1 : i64}
  plan.fill %late {value = 1.0 : f64} : memref<128xf32>
}

// Nor may `idle` lie in `fetched`, whose copy a third stream awaits, and stream 0 that one.
// CHECK-LABEL: plan.entry @transitively
plan.entry @transitively kind evaluate {
  plan.buffer @fetched tier device kind communication {bytes = 512 : i64}
  plan.buffer @whole tier device kind gathered {bytes = 1024 : i64}
  plan.buffer @idle tier device kind working {bytes = 512 : i64}
  %fetched = plan.view @fetched[0] : memref<128xf32>
  %whole = plan.view @whole[0] : memref<256xf32>
  %slice = plan.view @whole[0] : memref<128xf32>
  %idle = plan.view @idle[0] : memref<128xf32>
  plan.fill %whole {value = 1.0 : f64} : memref<256xf32>
  plan.record_event {event = 0 : i64}
  plan.wait_event {event = 0 : i64, stream = 2 : i64}
  plan.copy %slice, %fetched {stream = 2 : i64} : memref<128xf32>, memref<128xf32>
  plan.record_event {event = 1 : i64, stream = 2 : i64}
  plan.wait_event {event = 1 : i64, stream = 1 : i64}
  plan.all_reduce %whole {stream = 1 : i64} : memref<256xf32>
  plan.record_event {event = 2 : i64, stream = 1 : i64}
  plan.fill %idle {value = 1.0 : f64} : memref<128xf32>
  plan.wait_event {event = 2 : i64}
}
