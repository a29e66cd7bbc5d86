// Decoding token by token gives the logits that whole rows give, adapters and all; also when states are cut over ranks.
// RUN: sed 's/zp.settings = {/zp.settings = {generate = true, generation_batch_size = 2 : i64, max_length = 6 : i64, prefill_length = 2 : i64, num_processes = 2 : i64, stage3_param_persistence_threshold = 0 : i64, /' %S/../../Inputs/tiny-lora.mlir > %t.mlir
// RUN: zp-opt %t.mlir --nn-attach-adapters --nn-build-evaluation -o %t.before
// RUN: zp-opt %t.mlir --nn-attach-adapters --nn-build-generation -o %t.after
// RUN: zp-interpret --check_generation %t.before %t.after | FileCheck %s --check-prefix=AGREES
// AGREES: generation agrees: {{[0-9]+}} logits
// RUN: zp-opt %t.after --nn-fuse-linear-epilogue --zero-partition-state --zero-insert-gathers --zero-insert-reductions --zero-verify-partition --zero-prefetch-gathers -o %t.cut
// RUN: zp-interpret --check_generation %t.before %t.cut | FileCheck %s --check-prefix=AGREES
// With biases of attention, which are then of places: by distance, and by key.
// RUN: sed -f %S/../../Inputs/biased.sed %t.mlir > %t.biased && zp-opt %t.biased --nn-attach-adapters --nn-build-evaluation -o %t.biased.before
// RUN: zp-opt %t.biased --nn-attach-adapters --nn-build-generation -o %t.biased.after
// RUN: zp-interpret --check_generation %t.biased.before %t.biased.after | FileCheck %s --check-prefix=AGREES
// RUN: sed 's/5.000000e-01, 2.500000e-01/5.000000e-01, 7.500000e-01/' %t.biased.after > %t.steeper
// RUN: not zp-interpret --check_generation %t.biased.before %t.steeper | FileCheck %s --check-prefix=DIFFERS
// A cache that forgets, or a token at another place, is seen.
// RUN: sed -E 's/(cached_attention.*)window = 3/\1window = 1/' %t.after > %t.window
// RUN: not zp-interpret --check_generation %t.before %t.window | FileCheck %s --check-prefix=DIFFERS
// RUN: sed '0,/nn.append_cache @cache.key.0/{//d}' %t.after > %t.forgetful
// RUN: not zp-interpret --check_generation %t.before %t.forgetful | FileCheck %s --check-prefix=DIFFERS
// DIFFERS: generation differs: {{[0-9]+}} logits
// RUN: zp-opt %s --nn-build-generation | FileCheck %s
// RUN: zp-opt %S/../../Inputs/generation-source.mlir --nn-build-generation | FileCheck %S/../../Inputs/generation-source.mlir
// Without the setting nothing changes.
// RUN: sed 's/generate = true, //' %s > %t.training && zp-opt %t.training -o %t.one && zp-opt %t.training --nn-build-generation -o %t.two && diff %t.one %t.two

module attributes {zp.settings = {bf16 = true, generate = true, generation_batch_size = 3 : i64, max_length = 10 : i64, prefill_length = 4 : i64}} {
  nn.parameter @embed : tensor<7x4xbf16> initial checkpoint {unit = 0 : i64, checkpoint = "embed"}
  // CHECK: nn.parameter @w : tensor<4x4xbf16> initial zero {saved_as = "w", unit = 1 : i64}
  nn.parameter @w : tensor<4x4xf32> initial zero {unit = 1 : i64, saved_as = "w", trainable, decayed}
  // CHECK-NOT: @loss_sum
  nn.state @loss_sum : tensor<1xf64>
  // CHECK: nn.state @cache.key.0 : tensor<30x4xbf16>
  // CHECK: nn.state @cache.value.0 : tensor<30x4xbf16>
  // CHECK-LABEL: nn.program @prefill kind prefill attributes {length = 4 : i64, rows = 3 : i64}
  // CHECK-NOT: "labels"
  // CHECK-NOT: "segment_ids"
  // CHECK-NOT: nn.dropout
  // CHECK: nn.append_cache @cache.key.0, %{{.*}} {length = 4 : i64, nn.unit = 1 : i64} : tensor<12x4xbf16>, tensor<12xi32>
  // CHECK: nn.append_cache @cache.value.0
  // CHECK-NOT: nn.load_state
  // CHECK-LABEL: nn.program @decode kind decode attributes {length = 1 : i64, rows = 3 : i64}
  // CHECK: nn.append_cache @cache.key.0, %[[K:.+]], %[[P:.+]] {length = 1 : i64, nn.unit = 1 : i64} : tensor<3x4xbf16>, tensor<3xi32>
  // CHECK: %[[KEYS:.+]] = nn.load_state @cache.key.0
  // CHECK: %[[VALUES:.+]] = nn.load_state @cache.value.0
  // CHECK: %[[A:.+]] = nn.cached_attention %[[K]], %[[KEYS]], %[[VALUES]], %[[P]] {{.*}}window = 3
  // CHECK: %[[L:.+]] = nn.linear %[[A]], %{{.+}} {nn.unit = 2 : i64} : (tensor<3x4xbf16>, tensor<7x4xbf16>) -> tensor<3x7xbf16>
  // CHECK: nn.output "logits", %[[L]]
  // CHECK-NOT: nn.program
  nn.program @train_step kind train_step attributes {rows = 2 : i64, length = 8 : i64} {
    %ids = nn.input "input_ids" : tensor<16xi32>
    %labels = nn.input "labels" : tensor<16xi32>
    %positions = nn.input "position_ids" : tensor<16xi32>
    %segments = nn.input "segment_ids" : tensor<16xi32>
    %scalars = nn.input "scalars" : tensor<64xi8>
    %embed = nn.read @embed : tensor<7x4xbf16>
    %e = nn.embedding %ids, %embed {nn.unit = 0 : i64} : (tensor<16xi32>, tensor<7x4xbf16>) -> tensor<16x4xbf16>
    %d = nn.dropout %e, %scalars {probability = 0.5 : f64, site = 0 : i64, length = 8 : i64, nn.unit = 1 : i64} : (tensor<16x4xbf16>, tensor<64xi8>) -> tensor<16x4xbf16>
    %w = nn.read @w : tensor<4x4xbf16>
    %k = nn.linear %d, %w {nn.unit = 1 : i64} : (tensor<16x4xbf16>, tensor<4x4xbf16>) -> tensor<16x4xbf16>
    %a, %lse = nn.attention %k, %k, %k, %segments, %segments {heads = 2 : i64, key_length = 8 : i64, kv_heads = 2 : i64, length = 8 : i64, window = 3 : i64, scale = 1.0 : f64, nn.unit = 1 : i64} : (tensor<16x4xbf16>, tensor<16x4xbf16>, tensor<16x4xbf16>, tensor<16xi32>, tensor<16xi32>) -> (tensor<16x4xbf16>, tensor<2x16xf32>)
    %loss = nn.linear_cross_entropy %a, %embed, %labels {chunk = 5 : i64, length = 8 : i64, nn.unit = 2 : i64} : (tensor<16x4xbf16>, tensor<7x4xbf16>, tensor<16xi32>) -> tensor<1xf64>
    nn.add_state @loss_sum, %loss : tensor<1xf64>
  }
}
