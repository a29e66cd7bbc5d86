// RUN: sed 's/SETTING/fp16 = true/' %s > %t.f16 && sed 's/SETTING/bf16 = true/' %s > %t.bf16
// RUN: zp-opt %t.f16 --nn-scale-loss -o %t.after && FileCheck %s --input-file=%t.after
// RUN: zp-opt %t.bf16 --nn-scale-loss | FileCheck %s --check-prefix=SAME
// The interpreter has a scale of one: what is computed stays.
// RUN: zp-interpret --compare %t.f16 %t.after
// A whole model: train_step is scaled, evaluation has nothing to scale, and the loss still takes its gradient along.
// RUN: sed 's/zp.settings = {/zp.settings = {fp16 = true, /' %inputs/tiny-lora.mlir | zp-opt --nn-attach-adapters --nn-set-precision --nn-build-evaluation --nn-build-backward -o %t.tiny
// RUN: zp-opt %t.tiny --nn-scale-loss --nn-insert-optimizer --nn-verify-trainable --nn-fuse-cross-entropy | FileCheck %s --check-prefix=TINY
// RUN: sed '/nn.input "scalars"/d' %t.f16 > %t.none && not zp-opt %t.none --nn-scale-loss 2>&1 | FileCheck %s --check-prefix=NONE

// SAME-NOT: scaled_by
// TINY-LABEL: @train_step
// TINY-NOT: nn.linear_cross_entropy %
// TINY: nn.linear_cross_entropy_gradient {{.*}} scaled_by %{{.+}} {chunk = {{.*}}xf16>, {{.*}}tensor<64xi8>) ->
// TINY-LABEL: @evaluate
// TINY-NOT: scaled_by
// NONE: error: has no nn.input "scalars", expected the one that fp16's loss scale comes by

module attributes {zp.settings = {SETTING}} {
  nn.parameter @head : tensor<5x4xf32> initial checkpoint {unit = 2 : i64, checkpoint = "head", saved_as = "head", trainable}
  nn.state @loss_sum : tensor<1xf64>
  nn.program @train_step kind train_step attributes {rows = 2 : i64, length = 8 : i64} {
    %x = nn.input "x" : tensor<16x4xf32>
    %labels = nn.input "labels" : tensor<16xi32>
    // CHECK: %[[S:.+]] = nn.input "scalars"
    %scalars = nn.input "scalars" : tensor<64xi8>
    %head = nn.read @head : tensor<5x4xf32>
    // CHECK: nn.linear_cross_entropy %{{.+}}, %{{.+}}, %{{[0-9]+}} {chunk = 8 : i64, length = 8 : i64} : (tensor<16x4xf32>, tensor<5x4xf32>, tensor<16xi32>) -> tensor<1xf64>
    %loss = nn.linear_cross_entropy %x, %head, %labels {chunk = 8 : i64, length = 8 : i64} : (tensor<16x4xf32>, tensor<5x4xf32>, tensor<16xi32>) -> tensor<1xf64>
    nn.add_state @loss_sum, %loss : tensor<1xf64>
    // CHECK: nn.linear_cross_entropy_gradient %{{.*}}, %{{.*}}, %{{.*}} scaled_by %[[S]] {chunk
    %again, %dx, %dhead = nn.linear_cross_entropy_gradient %x, %head, %labels {chunk = 8 : i64, length = 8 : i64} : (tensor<16x4xf32>, tensor<5x4xf32>, tensor<16xi32>) -> (tensor<1xf64>, tensor<16x4xf32>, tensor<5x4xf32>)
    nn.accumulate_gradient @head, %dhead : tensor<5x4xf32>
  }
}
