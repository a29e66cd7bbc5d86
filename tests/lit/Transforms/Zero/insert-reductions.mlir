// Whole jobs: init, three updates of two micro-batches a rank, evaluation. Every stage on 1, 2 and 4 ranks means what one
// machine with all micro-batches in sequence means: losses, metrics, gradients and the change of every parameter.
// RUN: sed 's/zp.settings = {/zp.settings = {rematerialize = "block", /' %inputs/tiny-lora.mlir | zp-opt --nn-attach-adapters --nn-build-evaluation --nn-build-backward --nn-insert-optimizer --nn-rematerialize -o %t.lora
// RUN: zp-opt %inputs/tiny-full.mlir --nn-build-evaluation --nn-build-backward --nn-insert-optimizer -o %t.full
// RUN: sed 's/zp.settings = {/zp.settings = {num_processes = 1 : i64, zero_stage = 3 : i64, stage3_param_persistence_threshold = 0 : i64, /' %t.lora | zp-opt --zero-partition-state --zero-insert-gathers --zero-insert-reductions -o %t.1
// RUN: zp-interpret --compare %t.lora %t.1 --micro_batches=2 --updates=3
// RUN: sed 's/zp.settings = {/zp.settings = {num_processes = 2 : i64, zero_stage = 0 : i64, stage3_param_persistence_threshold = 0 : i64, /' %t.lora | zp-opt --zero-partition-state --zero-insert-gathers --zero-insert-reductions -o %t.2.0
// RUN: zp-interpret --compare %t.lora %t.2.0 --micro_batches=2 --updates=3
// RUN: sed 's/zp.settings = {/zp.settings = {num_processes = 2 : i64, zero_stage = 1 : i64, stage3_param_persistence_threshold = 0 : i64, /' %t.lora | zp-opt --zero-partition-state --zero-insert-gathers --zero-insert-reductions -o %t.2.1
// RUN: zp-interpret --compare %t.lora %t.2.1 --micro_batches=2 --updates=3
// RUN: sed 's/zp.settings = {/zp.settings = {num_processes = 2 : i64, zero_stage = 2 : i64, stage3_param_persistence_threshold = 0 : i64, /' %t.lora | zp-opt --zero-partition-state --zero-insert-gathers --zero-insert-reductions -o %t.2.2
// RUN: zp-interpret --compare %t.lora %t.2.2 --micro_batches=2 --updates=3
// RUN: sed 's/zp.settings = {/zp.settings = {num_processes = 2 : i64, zero_stage = 3 : i64, stage3_param_persistence_threshold = 0 : i64, /' %t.lora | zp-opt --zero-partition-state --zero-insert-gathers --zero-insert-reductions -o %t.2.3
// RUN: zp-interpret --compare %t.lora %t.2.3 --micro_batches=2 --updates=3
// Gradients that are reduced once an update stay whole until then; units that share a section share its collectives.
// RUN: sed 's/zp.settings = {/zp.settings = {num_processes = 2 : i64, zero_stage = 3 : i64, stage3_param_persistence_threshold = 0 : i64, reduce_gradients = "step", gradient_accumulation_steps = 2 : i64, /' %t.lora | zp-opt --zero-partition-state --zero-insert-gathers --zero-insert-reductions -o %t.step
// RUN: zp-interpret --compare %t.lora %t.step --micro_batches=2 --updates=3
// RUN: FileCheck %s --check-prefix=STEP --input-file=%t.step
// STEP: @train_step
// STEP-NOT: zero.reduce_scatter
// STEP: @apply_gradients
// STEP-COUNT-2: zero.reduce_scatter
// RUN: sed 's/zp.settings = {/zp.settings = {num_processes = 2 : i64, zero_stage = 2 : i64, reduce_bucket_size = 10000 : i64, /' %t.lora | zp-opt --zero-partition-state --zero-insert-gathers --zero-insert-reductions -o %t.bucket
// RUN: zp-interpret --compare %t.lora %t.bucket --micro_batches=2 --updates=3
// RUN: grep -c zero.reduce_scatter %t.bucket | FileCheck %s --check-prefix=BUCKET
// BUCKET: {{^1$}}
// RUN: sed 's/zp.settings = {/zp.settings = {num_processes = 4 : i64, zero_stage = 3 : i64, stage3_param_persistence_threshold = 600 : i64, /' %t.full | zp-opt --zero-partition-state --zero-insert-gathers --zero-insert-reductions -o %t.4
// RUN: zp-interpret --compare %t.full %t.4 --micro_batches=2 --updates=3
// RUN: zp-interpret --check_gradients %t.4
// RUN: sed 's/zp.settings = {/zp.settings = {num_processes = 3 : i64, zero_stage = 1 : i64, /' %t.full | zp-opt --zero-partition-state --zero-insert-gathers --zero-insert-reductions -o %t.3
// RUN: zp-interpret --compare %t.full %t.3
// And it can fail: one section's gradient left out of the norm.
// RUN: sed 's/nn.sum_squares %\([0-9]*\),.* : (/nn.sum_squares %\1 : (/; s/\(nn.sum_squares.*: (tensor<[0-9]*xf32>\).*) ->/\1) ->/' %t.2.3 > %t.broken
// RUN: not zp-interpret --compare %t.lora %t.broken --micro_batches=2 | FileCheck %s --check-prefix=BROKEN
// BROKEN: different:
// RUN: zp-opt %s --zero-insert-reductions | FileCheck %s

nn.parameter @a : tensor<4x4xf32> initial checkpoint {unit = 1 : i64, checkpoint = "a", saved_as = "a", trainable, decayed}
nn.parameter @b : tensor<4xf32> initial checkpoint {unit = 1 : i64, checkpoint = "b", saved_as = "b", trainable}
zero.section @s kind trainable {unit = 1 : i64, type = tensor<128xf32>, slots = [#zero.slot<@a, 0>, #zero.slot<@b, 64>], ranks = 2 : i64, decay_end = 64 : i64, values_sharded, gradient_sharded, optimizer_sharded}
nn.state @loss_sum : tensor<1xf64>

// CHECK-LABEL: @train_step
nn.program @train_step kind train_step {
  // CHECK: %[[A:.+]] = nn.input "da"
  // CHECK: %[[B:.+]] = nn.input "db"
  %da = nn.input "da" : tensor<4x4xf32>
  %db = nn.input "db" : tensor<4xf32>
  // A parameter used twice is added up first.
  // CHECK: %[[AA:.+]] = nn.add %[[A]], %[[A]]
  // CHECK: %[[P:.+]] = zero.pack @s, [@a, @b](%[[AA]], %[[B]])
  // CHECK: %[[F:.+]] = zero.reduce_scatter %[[P]] {{.*}}ranks = 2 : i64
  // CHECK: %[[W:.+]] = zero.wait %[[F]]
  // CHECK: zero.accumulate_gradient @s, %[[W]] {{.*}}: tensor<64xf32>
  nn.accumulate_gradient @a, %da {nn.backward, nn.unit = 1 : i64} : tensor<4x4xf32>
  nn.accumulate_gradient @b, %db {nn.backward, nn.unit = 1 : i64} : tensor<4xf32>
  nn.accumulate_gradient @a, %da {nn.backward, nn.unit = 1 : i64} : tensor<4x4xf32>
}

// CHECK-LABEL: @apply_gradients
nn.program @apply_gradients kind apply_gradients {
  %scalars = nn.input "scalars" : tensor<64xi8>
  %da = nn.gradient @a : tensor<4x4xf32>
  %db = nn.gradient @b : tensor<4xf32>
  // CHECK: %[[G:.+]] = zero.gradient @s : tensor<64xf32>
  // CHECK: %[[Q:.+]] = nn.sum_squares %[[G]]
  // CHECK: zero.all_reduce %[[Q]]
  // CHECK: %[[QW:.+]] = zero.wait
  // CHECK: zero.all_reduce
  // CHECK: %[[LW:.+]] = zero.wait
  // CHECK: nn.finish_step %[[QW]], %[[LW]],
  %q = nn.sum_squares %da, %db : (tensor<4x4xf32>, tensor<4xf32>) -> tensor<1xf64>
  %l = nn.load_state @loss_sum : tensor<1xf64>
  %c, %m = nn.finish_step %q, %l, %scalars {max_norm = 1.0 : f64} : (tensor<1xf64>, tensor<1xf64>, tensor<64xi8>) -> (tensor<1xf32>, tensor<4xf64>)
  // CHECK: %[[N:.+]] = zero.adamw @s, %[[G]],
  // CHECK: zero.store_values @s, %[[N]] : tensor<64xf32>
  // CHECK: zero.clear_gradient @s
  // CHECK-NOT: nn.adamw
  // CHECK-NOT: nn.gradient
  nn.adamw @a, %da, %c, %scalars {beta1 = 0.9 : f64, beta2 = 0.999 : f64, epsilon = 1.0e-8 : f64, weight_decay = 0.1 : f64} : tensor<4x4xf32>, tensor<1xf32>, tensor<64xi8>
  nn.clear_gradient @a
  nn.adamw @b, %db, %c, %scalars {beta1 = 0.9 : f64, beta2 = 0.999 : f64, epsilon = 1.0e-8 : f64, weight_decay = 0.1 : f64} : tensor<4xf32>, tensor<1xf32>, tensor<64xi8>
  nn.clear_gradient @b
  nn.clear_state @loss_sum
  nn.output "metrics", %m : tensor<4xf64>
}
