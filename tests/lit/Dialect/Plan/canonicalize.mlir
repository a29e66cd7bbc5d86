// RUN: zp-opt %s --canonicalize --cse | FileCheck %s
// plan has no folders. An instruction has effects: none goes, none is merged; only unused windows are dropped.

plan.buffer @b tier device kind working {bytes = 512 : i64}
// CHECK-LABEL: plan.entry @e
plan.entry @e kind train_step {
  // CHECK-NEXT: %[[V:.+]] = plan.view @b[0] : memref<64xf32>
  %v = plan.view @b[0] : memref<64xf32>
  %same = plan.view @b[0] : memref<64xf32>
  %unused = plan.view @b[256] : memref<64xf32>
  // CHECK-NEXT: plan.fill %[[V]]
  // CHECK-NEXT: plan.fill %[[V]]
  plan.fill %v {value = 1.0 : f64} : memref<64xf32>
  plan.fill %same {value = 1.0 : f64} : memref<64xf32>
  // CHECK-NEXT: plan.record_event {event = 0 : i64}
  // CHECK-NEXT: plan.wait_event {event = 0 : i64}
  // CHECK-NEXT: plan.all_reduce
  // CHECK-NEXT: plan.all_reduce
  // CHECK-NEXT: }
  plan.record_event {event = 0 : i64}
  plan.wait_event {event = 0 : i64}
  plan.all_reduce %v : memref<64xf32>
  plan.all_reduce %v : memref<64xf32>
}
