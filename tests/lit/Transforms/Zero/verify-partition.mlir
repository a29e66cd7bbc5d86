// RUN: zp-opt %s --zero-verify-partition --split-input-file --verify-diagnostics
// RUN: sed 's/zp.settings = {/zp.settings = {num_processes = 2 : i64, /' %inputs/tiny-lora.mlir | zp-opt --nn-attach-adapters --nn-build-evaluation --nn-build-backward --nn-insert-optimizer --zero-partition-state --zero-insert-gathers --zero-insert-reductions --zero-verify-partition -o %t

// expected-error @below {{has 0 slots, expected one}}
nn.parameter @homeless : tensor<4xf32> initial checkpoint {unit = 1 : i64, checkpoint = "w"}

// -----

// expected-error @below {{has 2 slots, expected one}}
nn.parameter @twice : tensor<4xf32> initial checkpoint {unit = 1 : i64, checkpoint = "w"}
zero.section @s kind frozen {unit = 1 : i64, type = tensor<64xf32>, slots = [#zero.slot<@twice, 0>], ranks = 1 : i64}
zero.section @t kind frozen {unit = 1 : i64, type = tensor<64xf32>, slots = [#zero.slot<@twice, 0>], ranks = 1 : i64}

// -----

nn.parameter @w : tensor<4xf32> initial checkpoint {unit = 1 : i64, checkpoint = "w"}
zero.section @s kind frozen {unit = 1 : i64, type = tensor<64xf32>, slots = [#zero.slot<@w, 0>], ranks = 1 : i64}
nn.program @train_step kind train_step {
  // expected-error @below {{still names an nn.parameter}}
  %w = nn.read @w : tensor<4xf32>
}

// -----

nn.parameter @w : tensor<4xf32> initial checkpoint {unit = 1 : i64, checkpoint = "w"}
zero.section @s kind frozen {unit = 1 : i64, type = tensor<64xf32>, slots = [#zero.slot<@w, 0>], ranks = 2 : i64, values_sharded}
nn.program @train_step kind train_step {
  %v = zero.values @s : tensor<32xf32>
  // expected-error @below {{starts a future that is not awaited exactly once}}
  %f = zero.all_gather %v {ranks = 2 : i64} : tensor<32xf32> -> !zero.future<tensor<64xf32>>
}

// -----

nn.parameter @w : tensor<4xf32> initial checkpoint {unit = 1 : i64, checkpoint = "w", saved_as = "w", trainable}
// expected-error @below {{is a trainable section with 0 updates, expected one}}
zero.section @s kind trainable {unit = 1 : i64, type = tensor<64xf32>, slots = [#zero.slot<@w, 0>], ranks = 1 : i64}
nn.program @apply_gradients kind apply_gradients {
}
