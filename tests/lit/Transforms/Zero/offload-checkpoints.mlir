// RUN: sed 's/DEVICE/cpu/' %s > %t.cpu && zp-opt %t.cpu --zero-offload-checkpoints -o %t.after && FileCheck %s --input-file=%t.after
// RUN: zp-interpret --compare %t.cpu %t.after
// RUN: sed 's/DEVICE/nvme/' %s | zp-opt --zero-offload-checkpoints | FileCheck %s --check-prefix=NVME
// RUN: sed 's/DEVICE/none/' %s | zp-opt --zero-offload-checkpoints | FileCheck %s --check-prefix=NONE
// Whole models, recomputing and not, on two ranks.
// RUN: sed 's/zp.settings = {/zp.settings = {num_processes = 2 : i64, offload_activation_device = "cpu", rematerialize = "block", stage3_param_persistence_threshold = 0 : i64, /' %inputs/tiny-lora.mlir | zp-opt --nn-attach-adapters --nn-build-backward --nn-insert-optimizer -o %t.nn
// RUN: zp-opt %t.nn --nn-rematerialize --zero-partition-state --zero-insert-gathers --zero-insert-reductions -o %t.block
// RUN: zp-opt %t.block --zero-offload-checkpoints --zero-verify-partition -o %t.block.after && zp-interpret --compare %t.block %t.block.after --micro_batches=2
// RUN: zp-opt %t.nn --zero-partition-state --zero-insert-gathers --zero-insert-reductions -o %t.all
// RUN: zp-opt %t.all --zero-offload-checkpoints --zero-prefetch-gathers --zero-verify-partition -o %t.all.after && zp-interpret --compare %t.all %t.all.after
// RUN: FileCheck %s --check-prefix=MANY --input-file=%t.all.after

// NVME: zero.offload %{{.+}} {{.*}}tier = 3 : i32
// NONE-NOT: zero.offload
// MANY-COUNT-10: zero.offload

module attributes {zp.settings = {offload_activation_device = "DEVICE"}} {
  nn.parameter @table : tensor<5x4xf32> initial checkpoint {unit = 0 : i64, checkpoint = "table"}
  nn.parameter @v : tensor<4xf32> initial checkpoint {unit = 1 : i64, checkpoint = "v"}
  // CHECK-LABEL: @train_step
  nn.program @train_step kind train_step attributes {rows = 2 : i64, length = 4 : i64} {
    %ids = nn.input "input_ids" {nn.unit = 0 : i64} : tensor<8xi32>
    %table = nn.read @table : tensor<5x4xf32>
    %v = nn.read @v : tensor<4xf32>
    // CHECK: %[[X:.+]] = nn.embedding
    %x = nn.embedding %ids, %table {nn.unit = 0 : i64} : (tensor<8xi32>, tensor<5x4xf32>) -> tensor<8x4xf32>
    // Out after the last forward use, awaited when the unit after the next begins.
    // CHECK-NEXT: %[[Y:.+]], %{{.+}} = nn.rms_norm %[[X]]
    // CHECK-NEXT: %[[OUT:.+]] = zero.offload %[[X]] {{.*}}tier = 2 : i32
    %y, %r = nn.rms_norm %x, %v {epsilon = 1.0e-5 : f64, nn.unit = 1 : i64} : (tensor<8x4xf32>, tensor<4xf32>) -> (tensor<8x4xf32>, tensor<8xf32>)
    // CHECK-NEXT: %[[Z:.+]] = nn.scale %[[Y]]
    // CHECK-NEXT: %[[HOST:.+]] = zero.wait %[[OUT]]
    %z = nn.scale %y {factor = 2.0 : f64, nn.unit = 2 : i64} : tensor<8x4xf32>
    %a = nn.scale %z {factor = 2.0 : f64, nn.unit = 3 : i64} : tensor<8x4xf32>
    // What is last used in the last two units stays: here %z, for there is no unit 5.
    // CHECK-NEXT: %[[A:.+]] = nn.scale %[[Z]]
    // Back while the unit before is computed.
    // CHECK-NEXT: %[[BACK:.+]] = zero.fetch %[[HOST]]
    // CHECK-NEXT: %[[G:.+]] = nn.add %[[A]], %[[Z]]
    %g = nn.add %a, %z {nn.backward, nn.unit = 2 : i64} : tensor<8x4xf32>
    // CHECK-NEXT: %[[AGAIN:.+]] = zero.wait %[[BACK]]
    // CHECK-NEXT: nn.add %[[G]], %[[AGAIN]]
    %h = nn.add %g, %x {nn.backward, nn.unit = 1 : i64} : tensor<8x4xf32>
    nn.output "h", %h : tensor<8x4xf32>
  }
}
