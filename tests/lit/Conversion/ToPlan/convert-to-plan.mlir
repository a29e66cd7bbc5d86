// RUN: zp-opt %s --convert-to-plan | FileCheck %s --implicit-check-not="nn.linear" --implicit-check-not="nn.program"
// The conversion of whole models, at every stage, leaves no op of nn or zero but the tables.
// RUN: sed 's/zp.settings = {/zp.settings = {num_processes = 2 : i64, rematerialize = "block", stage3_param_persistence_threshold = 300 : i64, /' %inputs/tiny-lora.mlir | zp-opt --nn-attach-adapters --nn-build-evaluation --nn-build-backward --nn-insert-optimizer --nn-rematerialize --zero-partition-state --zero-insert-gathers --zero-insert-reductions --zero-prefetch-gathers --convert-to-plan -o %t
// RUN: FileCheck %s --check-prefix=WHOLE --input-file=%t
// RUN: grep -E '^ *(%[^=]*= )?(nn|zero)\.' %t | not grep -vE '(nn\.parameter|zero\.section) @'
// WHOLE-DAG: plan.entry @init kind init
// WHOLE-DAG: plan.entry @train_step kind train_step
// WHOLE-DAG: plan.entry @apply_gradients kind apply_gradients
// WHOLE-DAG: plan.entry @evaluate kind evaluate
// WHOLE-DAG: plan.entry @logits kind logits
// Generation: caches are buffers that live from run to run, written where they are read.
// RUN: sed 's/zp.settings = {/zp.settings = {generate = true, generation_batch_size = 2 : i64, max_length = 16 : i64, prefill_length = 4 : i64, /' %inputs/tiny-lora.mlir | zp-opt --nn-attach-adapters --nn-build-generation --zero-partition-state --zero-insert-gathers --zero-insert-reductions --convert-to-plan | FileCheck %s --check-prefix=CACHE
// CACHE: plan.buffer @state.cache.key.0 tier device kind cache {bytes = 512 : i64}
// CACHE-NOT: kind optimizer
// CACHE: plan.entry @prefill kind prefill attributes {length = 4 : i64, rows = 2 : i64}
// CACHE: %[[K:.+]] = plan.view @state.cache.key.0[0] : memref<32x4xf32>
// CACHE: plan.append_cache %{{.+}}, %[[P:.+]], %[[K]] {length = 4 : i64} : memref<8x4xf32>, memref<8xi32>, memref<32x4xf32>
// CACHE: %[[V:.+]] = plan.view @state.cache.value.0[0]
// CACHE: plan.cached_attention %{{.+}}, %[[K]], %[[V]], %[[P]], %{{.+}} {bias_by_distance = false, heads = 4 : i64, kv_heads = 2 : i64, length = 4 : i64, {{.*}}window = 0 : i64}
// CACHE: plan.entry @decode kind decode
// CACHE: plan.output "logits", %{{.+}} : memref<2x11xf32>
// CACHE: plan.entry @init
// CACHE: %[[INITIAL:.+]] = plan.view @state.cache.key.0[0]
// CACHE: plan.fill %[[INITIAL]] {value = 0.000000e+00 : f64}
// Biases of attention, over rows and over caches, and the gradient of one.
// RUN: sed -f %inputs/biased.sed %inputs/tiny-lora.mlir > %t.biased
// RUN: sed 's/checkpoint = "relative",/saved_as = "relative", trainable, &/' %t.biased | zp-opt --nn-attach-adapters --nn-build-backward --zero-partition-state --zero-insert-gathers --zero-insert-reductions --convert-to-plan | FileCheck %s --check-prefix=BIASED
// BIASED: plan.relative_bias %{{.+}}, %[[R:.+]] {bidirectional = false, key_length = 6 : i64, length = 6 : i64, max_distance = 5 : i64} : memref<8x4xf32>, memref<4x11xf32>
// BIASED: plan.alibi_table %{{.+}}, %[[A:.+]] {round_bf16 = false, scale = 1.000000e+00 : f64, slopes = {{.+}}} : memref<12xi32>, memref<4x12xf32>
// BIASED: plan.attention %{{.+}}, %{{.+}}, %{{.+}}, %[[S:.+]], %[[S]], %[[R]], %{{.+}}, %{{.+}} {bias_by_distance = true, causal = true,
// BIASED: plan.attention %{{.+}}, %{{.+}}, %{{.+}}, %[[S]], %[[S]], %[[A]], %{{.+}}, %{{.+}} {bias_by_distance = false, causal = true,
// BIASED: plan.attention_gradient {{.+}} {bias_by_distance = false, {{.*}}operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 0>
// BIASED: plan.attention_gradient {{.+}}, %[[G:[0-9]+]] {bias_by_distance = true, {{.*}}operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1>
// BIASED: plan.relative_bias_gradient %[[G]], %{{.+}} {bidirectional = false,
// RUN: sed 's/zp.settings = {/zp.settings = {generate = true, generation_batch_size = 2 : i64, max_length = 16 : i64, prefill_length = 4 : i64, /' %t.biased | zp-opt --nn-attach-adapters --nn-build-generation --zero-partition-state --zero-insert-gathers --zero-insert-reductions --convert-to-plan | FileCheck %s --check-prefix=PLACES
// PLACES: plan.relative_bias {{.+}}key_length = 16 : i64, length = 16 : i64, {{.+}} memref<4x31xf32>
// PLACES: plan.alibi_table %{{.+}} {round_bf16 = false, {{.+}} : memref<4x16xf32>
// PLACES: plan.cached_attention {{.+}} {bias_by_distance = true,
// Two types in one program: f16, and what stays in f32.
// RUN: zp-opt %S/../../Transforms/NN/Inputs/in-f32.mlir --nn-set-precision --nn-build-backward --zero-partition-state --zero-insert-gathers --zero-insert-reductions --convert-to-plan | FileCheck %s --check-prefix=HALF
// HALF: plan.buffer @unit1.frozen_f32.values tier device kind weights {bytes = 256 : i64}
// HALF: plan.clamp_half %[[X:.+]], %[[X]] : memref<16x4xf16>, memref<16x4xf16>
// HALF: plan.cast %{{.+}}, %[[A:.+]] : memref<16x6xf16>, memref<16x6xf32>
// HALF: plan.matmul %[[A]], %{{.+}} : memref<16x6xf32>, memref<4x6xf32>, memref<16x4xf32>
// HALF: plan.clamp_half_gradient %{{.+}}, %[[X]], %{{.+}} : memref<16x4xf16>, memref<16x4xf16>, memref<16x4xf16>
// 4-bit weights: records in a section of their own. Nested scales are exchanged once, where ranks quantise slices alone and the
// checkpoint isn't quantised already.
// RUN: sed 's/zp.settings = {/zp.settings = {num_processes = 2 : i64, use_4bit_quantization = true, use_nested_quant = true, stage3_param_persistence_threshold = 0 : i64, /' %inputs/tiny-lora.mlir > %t.nested
// RUN: zp-opt %t.nested --nn-attach-adapters --nf4-quantize-frozen-weights --nn-build-backward --nf4-fuse-dequant-matmul --zero-partition-state --zero-insert-gathers --zero-insert-reductions --convert-to-plan | FileCheck %s --check-prefix=NESTED
// RUN: sed 's/zp.settings = {/zp.settings = {bnb_4bit_prequantized = true, /' %t.nested | zp-opt --nn-attach-adapters --nf4-quantize-frozen-weights --nn-build-backward --zero-partition-state --zero-insert-gathers --zero-insert-reductions --convert-to-plan | FileCheck %s --check-prefix=READY
// NESTED: plan.buffer @unit1.codes.values tier device kind weights {bytes = 33856 : i64}
// Products see the records of a weight, at its slot: the third of eight here.
// NESTED: plan.all_gather %{{.+}}, %{{.+}} : memref<33856xi8>, memref<67712xi8>
// NESTED: %[[V:.+]] = plan.view @{{.+}}[16928] : memref<8464xi8>
// NESTED: plan.nf4_matmul %{{.+}}, %[[V]], %{{.+}} {accumulate = false, alpha = 1.000000e+00 : f64, block_size = 64 : i64, branch_alpha = 1.000000e+00 : f64, columns = 8 : i64, nested = true
// NESTED-NOT: plan.nf4_dequantize
// NESTED: %[[R:.+]] = plan.view @unit1.codes.values[0] : memref<33856xi8>
// NESTED: plan.load_quantized %[[R]], %[[MINE:.+]] {section = {{[0-9]+}} : i64} : memref<33856xi8>, memref<1024xf32>
// NESTED: plan.all_gather %[[MINE]], %[[ALL:.+]] : memref<1024xf32>, memref<2048xf32>
// NESTED: plan.nest_scales %[[ALL]], %[[R]] {section = {{[0-9]+}} : i64} : memref<2048xf32>, memref<33856xi8>
// READY: plan.nf4_dequantize
// READY: plan.load_quantized %{{[0-9]+}} {section
// READY-NOT: plan.nest_scales
// What is sharded lives in slices; the section's master is the value itself in f32.
// CHECK-DAG: plan.buffer @f.values tier device kind weights {bytes = 256 : i64}
// CHECK-DAG: plan.buffer @t.values tier device kind adapters {bytes = 256 : i64}
// CHECK-DAG: plan.buffer @t.moment1 tier device kind optimizer {bytes = 256 : i64}
// CHECK-DAG: plan.buffer @t.gradient tier device kind gradients {bytes = 256 : i64}
// CHECK-DAG: plan.buffer @state.loss_sum tier device kind working {bytes = 8 : i64}
// CHECK-NOT: master
// CHECK: plan.entry @init
// CHECK: %[[F:.+]] = plan.view @f.values[0]
// CHECK: plan.load_section %[[F]] {section = 0 : i64}
// CHECK: %[[T:.+]] = plan.view @t.values[0]
// CHECK: plan.load_section %[[T]] {section = 1 : i64}
// CHECK: %[[M1:.+]] = plan.view @t.moment1[0]
// CHECK: plan.fill %[[M1]] {value = 0.000000e+00 : f64}
// CHECK: %[[G:.+]] = plan.view @t.gradient[0]
// CHECK: plan.fill %[[G]]
// CHECK: plan.entry @train_step kind train_step attributes {length = 2 : i64, rows = 2 : i64}
// CHECK: %[[X:.+]] = plan.view @input.x[0]
// CHECK: plan.input "x", %[[X]]
// CHECK: plan.input "scalars", %[[STEP:.+]] :
// Awaited at once: a plain instruction. Awaited later: it has a future.
// CHECK: plan.all_gather %{{.+}}, %{{[0-9]+}} : memref<64xf32>, memref<128xf32>
// CHECK: plan.all_gather %{{.+}}, %{{[0-9]+}} {plan.future = 0 : i64}
// A slot is a window: 64 elements in.
// CHECK: %[[W:.+]] = plan.view @[[GATHERED:t[0-9]+]][256] : memref<8x8xf32>
// CHECK: plan.matmul %[[X]], %[[W]], %[[Y:.+]] {accumulate = false, alpha = 1.000000e+00 : f64
// CHECK: plan.wait_event {event = 0 : i64}
// The addend dies: added in its place.
// CHECK: plan.matmul %[[X]], %{{.+}}, %[[Y]] {accumulate = true, alpha = 2.000000e+00 : f64
// The loss is added where it lives.
// CHECK: %[[L:.+]] = plan.view @state.loss_sum[0]
// CHECK: plan.linear_cross_entropy %[[Y]], %[[W]], %{{.+}}, %{{.+}}, %[[L]], %[[DZ:.+]], %[[STEP]] {chunk
// The gradient is written where it is packed, after that has been zeroed.
// CHECK: %[[P:.+]] = plan.view @[[PACK:.+]][0] : memref<128xf32>
// CHECK: plan.fill %[[P]] {value = 0.000000e+00 : f64}
// CHECK: %[[DA:.+]] = plan.view @[[PACK]][256] : memref<8x8xf32>
// CHECK: plan.matmul %[[DZ]], %[[X]], %[[DA]] {accumulate = false, alpha = 2.000000e+00 : f64, {{.*}}transpose_a = true, transpose_b = false}
// CHECK: plan.reduce_scatter %[[P]], %[[R:.+]] :
// CHECK: plan.accumulate %[[R]], %{{.+}} {scale = 1.000000e+00 : f64}
// CHECK: plan.entry @apply_gradients
// CHECK: plan.fill %[[Q:.+]] {value
// CHECK: plan.sum_squares %[[G2:.+]], %[[Q]]
// CHECK: plan.all_reduce %[[Q]]
// CHECK: plan.finish_step %[[Q]],
// CHECK: plan.adamw %[[G2]], {{.*}} {beta1 = 5.000000e-01 : f64, beta2 = 7.500000e-01 : f64, decay_end = 128 : i64, epsilon = 1.000000e-08 : f64, {{.*}}sharded = true, weight_decay = 2.500000e-01 : f64}
// CHECK: plan.fill %[[G2]]
// CHECK: plan.output "metrics"

module attributes {zp.settings = {num_processes = 2 : i64}} {
nn.parameter @w : tensor<8x8xf32> initial checkpoint {unit = 1 : i64, checkpoint = "w"}
nn.parameter @a : tensor<8x8xf32> initial checkpoint {unit = 1 : i64, checkpoint = "a", saved_as = "a", trainable, decayed}
zero.section @f kind frozen {unit = 1 : i64, type = tensor<128xf32>, slots = [#zero.slot<@w, 64>], ranks = 2 : i64, values_sharded}
zero.section @t kind trainable {unit = 1 : i64, type = tensor<128xf32>, slots = [#zero.slot<@a, 64>], ranks = 2 : i64, decay_end = 128 : i64, values_sharded, gradient_sharded, optimizer_sharded}
nn.state @loss_sum : tensor<1xf64>
nn.program @init kind init {
  zero.load @f
  zero.load @t
}
nn.program @train_step kind train_step attributes {rows = 2 : i64, length = 2 : i64} {
  %x = nn.input "x" : tensor<4x8xf32>
  %labels = nn.input "labels" : tensor<4xi32>
  %step = nn.input "scalars" : tensor<64xi8>
  %v = zero.values @f : tensor<64xf32>
  %f = zero.all_gather %v {ranks = 2 : i64} : tensor<64xf32> -> !zero.future<tensor<128xf32>>
  %g = zero.wait %f : !zero.future<tensor<128xf32>> -> tensor<128xf32>
  %w = zero.slot %g, @f, @w : (tensor<128xf32>) -> tensor<8x8xf32>
  %tv = zero.values @t : tensor<64xf32>
  %tf = zero.all_gather %tv {ranks = 2 : i64} : tensor<64xf32> -> !zero.future<tensor<128xf32>>
  %y = nn.linear %x, %w {alpha = 1.0 : f64} : (tensor<4x8xf32>, tensor<8x8xf32>) -> tensor<4x8xf32>
  %tg = zero.wait %tf : !zero.future<tensor<128xf32>> -> tensor<128xf32>
  %a = zero.slot %tg, @t, @a : (tensor<128xf32>) -> tensor<8x8xf32>
  %z = nn.linear %x, %a addend %y {alpha = 2.0 : f64} : (tensor<4x8xf32>, tensor<8x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
  %loss, %dz = nn.linear_cross_entropy_gradient %z, %w, %labels scaled_by %step {chunk = 4 : i64, length = 2 : i64} : (tensor<4x8xf32>, tensor<8x8xf32>, tensor<4xi32>, tensor<64xi8>) -> (tensor<1xf64>, tensor<4x8xf32>)
  nn.add_state @loss_sum, %loss : tensor<1xf64>
  %da = nn.linear_weight_gradient %dz, %x {alpha = 2.0 : f64} : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<8x8xf32>
  %p = zero.pack @t, [@a] (%da) : (tensor<8x8xf32>) -> tensor<128xf32>
  %r = zero.reduce_scatter %p {ranks = 2 : i64} : tensor<128xf32> -> !zero.future<tensor<64xf32>>
  %s = zero.wait %r : !zero.future<tensor<64xf32>> -> tensor<64xf32>
  zero.accumulate_gradient @t, %s : tensor<64xf32>
}
nn.program @apply_gradients kind apply_gradients {
  %scalars = nn.input "scalars" : tensor<64xi8>
  %g = zero.gradient @t : tensor<64xf32>
  %q = nn.sum_squares %g : (tensor<64xf32>) -> tensor<1xf64>
  %qf = zero.all_reduce %q {ranks = 2 : i64} : tensor<1xf64> -> !zero.future<tensor<1xf64>>
  %qa = zero.wait %qf : !zero.future<tensor<1xf64>> -> tensor<1xf64>
  %l = nn.load_state @loss_sum : tensor<1xf64>
  %c, %m = nn.finish_step %qa, %l, %scalars {max_norm = 1.0 : f64} : (tensor<1xf64>, tensor<1xf64>, tensor<64xi8>) -> (tensor<1xf32>, tensor<4xf64>)
  %n = zero.adamw @t, %g, %c, %scalars {beta1 = 0.5 : f64, beta2 = 0.75 : f64, epsilon = 1.0e-8 : f64, weight_decay = 0.25 : f64} : (tensor<64xf32>, tensor<1xf32>, tensor<64xi8>) -> tensor<64xf32>
  zero.store_values @t, %n : tensor<64xf32>
  zero.clear_gradient @t
  nn.clear_state @loss_sum
  nn.output "metrics", %m : tensor<4xf64>
}
}
