// RUN: sed 's/SETTINGS/num_processes = 2 : i64, zero_stage = 3 : i64, stage3_param_persistence_threshold = 100 : i64/' %s | zp-opt --zero-partition-state | FileCheck %s --check-prefixes=CHECK,STAGE3
// RUN: sed 's/SETTINGS/num_processes = 2 : i64, zero_stage = 2 : i64/' %s | zp-opt --zero-partition-state | FileCheck %s --check-prefixes=CHECK,STAGE2
// RUN: sed 's/SETTINGS/num_processes = 2 : i64, zero_stage = 1 : i64/' %s | zp-opt --zero-partition-state | FileCheck %s --check-prefixes=CHECK,STAGE1
// RUN: sed 's/SETTINGS/num_processes = 2 : i64, zero_stage = 0 : i64/' %s | zp-opt --zero-partition-state | FileCheck %s --check-prefixes=CHECK,STAGE0
// RUN: sed 's/SETTINGS/num_processes = 1 : i64, zero_stage = 3 : i64, stage3_param_persistence_threshold = 0 : i64/' %s | zp-opt --zero-partition-state | FileCheck %s --check-prefixes=ONE
// RUN: sed 's/SETTINGS/num_processes = 2 : i64, zero_stage = 3 : i64, bf16 = true/' %s | zp-opt --zero-partition-state | FileCheck %s --check-prefixes=BF16
// RUN: sed 's/SETTINGS/num_processes = 2 : i64, zero_stage = 3 : i64, stage3_param_persistence_threshold = 0 : i64/; s/5x20xf32/300x20x!nf4.block<64>/' %s | zp-opt --zero-partition-state | FileCheck %s --check-prefixes=CODES
// RUN: sed 's/SETTINGS/num_processes = 2 : i64, zero_stage = 3 : i64, stage3_param_persistence_threshold = 0 : i64, reduce_gradients = "step", gradient_accumulation_steps = 4 : i64/' %s | zp-opt --zero-partition-state | FileCheck %s --check-prefixes=STEP
// RUN: sed 's/SETTINGS/num_processes = 2 : i64, zero_stage = 3 : i64, stage3_param_persistence_threshold = 0 : i64, reduce_gradients = "step"/' %s | zp-opt --zero-partition-state | FileCheck %s --check-prefixes=SINGLE
// RUN: sed 's/SETTINGS/num_processes = 2 : i64, zero_stage = 2 : i64, reduce_bucket_size = 200 : i64/; s/@head : tensor<7xf32> initial checkpoint {/@head : tensor<7xf32> initial checkpoint {saved_as = "head", trainable, decayed, /' %s | zp-opt --zero-partition-state | FileCheck %s --check-prefixes=BUCKET
// RUN: sed 's/SETTINGS/num_processes = 2 : i64, zero_stage = 2 : i64, reduce_bucket_size = 191 : i64/; s/@head : tensor<7xf32> initial checkpoint {/@head : tensor<7xf32> initial checkpoint {saved_as = "head", trainable, decayed, /' %s | zp-opt --zero-partition-state | FileCheck %s --check-prefixes=FULL
// RUN: sed 's/SETTINGS/num_processes = 2 : i64, zero_stage = 3 : i64, fp16 = true/; s/checkpoint = "w"}/checkpoint = "w", in_f32}/; s/saved_as = "a",/saved_as = "a", in_f32,/' %s | zp-opt --nn-set-precision --zero-partition-state | FileCheck %s --check-prefixes=APART
// RUN: sed 's/SETTINGS/num_processes = 2 : i64, zero_stage = 3 : i64/; s/checkpoint = "w"}/checkpoint = "w", in_f32}/; s/saved_as = "a",/saved_as = "a", in_f32,/' %s | zp-opt --zero-partition-state | FileCheck %s --check-prefixes=TOGETHER
// RUN: sed 's/SETTINGS/num_processes = 2 : i64, zero_stage = 2 : i64, reduce_bucket_size = 400 : i64, fp16 = true/; s/saved_as = "a",/saved_as = "a", in_f32,/; s/@head : tensor<7xf32> initial checkpoint {/@head : tensor<7xf32> initial checkpoint {saved_as = "head", trainable, decayed, /' %s | zp-opt --nn-set-precision --zero-partition-state | FileCheck %s --check-prefixes=BUCKETS
// Sections are only declared: the programs mean what they meant.
// RUN: sed 's/zp.settings = {/zp.settings = {num_processes = 2 : i64, stage3_param_persistence_threshold = 0 : i64, /' %inputs/tiny-lora.mlir | zp-opt --nn-attach-adapters --nn-build-backward --nn-insert-optimizer -o %t.lora
// RUN: zp-opt %t.lora --zero-partition-state -o %t.lora.after && zp-interpret --compare %t.lora %t.lora.after --ranks=2

module attributes {zp.settings = {SETTINGS}} {
  nn.parameter @w : tensor<5x20xf32> initial checkpoint {unit = 1 : i64, checkpoint = "w"}
  nn.parameter @norm : tensor<20xf32> initial checkpoint {unit = 1 : i64, checkpoint = "norm"}
  nn.parameter @bias : tensor<3xf32> initial zero {unit = 1 : i64, saved_as = "bias", trainable}
  nn.parameter @a : tensor<2x20xf32> initial zero {unit = 1 : i64, saved_as = "a", trainable, decayed}
  nn.parameter @head : tensor<7xf32> initial checkpoint {unit = 2 : i64, checkpoint = "head"}
}
// Slots at 256 bytes, slices too: 100 elements take 128, two slices of 64 elements at least. Decayed parameters come first.
// STAGE3: zero.section @unit1.frozen kind frozen {ranks = 2 : i64, slots = [#zero.slot<@w, 0>, #zero.slot<@norm, 128>], type = tensor<256xf32>, unit = 1 : i64, values_sharded}
// STAGE3-NEXT: zero.section @unit1.trainable kind trainable {decay_end = 64 : i64, gradient_sharded, optimizer_sharded, ranks = 2 : i64, slots = [#zero.slot<@a, 0>, #zero.slot<@bias, 64>], type = tensor<128xf32>, unit = 1 : i64, values_sharded}
// STAGE2: zero.section @unit1.frozen kind frozen {ranks = 2 : i64, slots = {{.*}}, unit = 1 : i64}
// STAGE2-NEXT: zero.section @unit1.trainable kind trainable {decay_end = 64 : i64, gradient_sharded, optimizer_sharded, {{.*}}, unit = 1 : i64}
// STAGE1: zero.section @unit1.trainable kind trainable {decay_end = 64 : i64, optimizer_sharded, ranks
// STAGE0: zero.section @unit1.trainable kind trainable {decay_end = 64 : i64, ranks
// The head: 7 elements in two slices of 64.
// STAGE3-NEXT: zero.section @unit2.frozen kind frozen {ranks = 2 : i64, slots = [#zero.slot<@head, 0>], type = tensor<128xf32>, unit = 2 : i64, values_sharded}
// CHECK: nn.program @init kind init {
// CHECK-NEXT: zero.load @unit1.frozen
// CHECK-NEXT: zero.load @unit1.trainable
// CHECK-NEXT: zero.load @unit2.frozen
// One rank has nothing to shard.
// ONE-NOT: sharded
// ONE: zero.section @unit2.frozen kind frozen {ranks = 1 : i64, slots = [#zero.slot<@head, 0>], type = tensor<64xf32>, unit = 2 : i64}
// 4-bit weights have a section of their own, cut between records of 16384 elements; padded like the others.
// CODES: zero.section @unit1.frozen kind frozen {ranks = 2 : i64, slots = [#zero.slot<@norm, 0>], type = tensor<128xf32>
// CODES: zero.section @unit1.codes kind codes {ranks = 2 : i64, slots = [#zero.slot<@w, 0>], type = tensor<32768x!nf4.block<64>>, unit = 1 : i64, values_sharded}
// CODES: zero.load @unit1.codes
// In bf16 a granule is 128 elements; below the default threshold of 100000 everything stays whole, gradients don't.
// BF16: zero.section @unit1.frozen kind frozen {ranks = 2 : i64, slots = [#zero.slot<@w, 0>, #zero.slot<@norm, 128>], type = tensor<256xbf16>, unit = 1 : i64}
// BF16: zero.section @unit1.trainable kind trainable {decay_end = 128 : i64, gradient_sharded, optimizer_sharded, ranks = 2 : i64, slots = [#zero.slot<@a, 0>, #zero.slot<@bias, 128>], type = tensor<256xbf16>, unit = 1 : i64}
// What stays in f32 lives apart from what is narrow, and shares a bucket with its like alone. In f32 all live together.
// APART: zero.section @unit1.frozen kind frozen {ranks = 2 : i64, slots = [#zero.slot<@norm, 0>], type = tensor<256xf16>, unit = 1 : i64}
// APART-NEXT: zero.section @unit1.frozen_f32 kind frozen {ranks = 2 : i64, slots = [#zero.slot<@w, 0>], type = tensor<128xf32>, unit = 1 : i64}
// APART-NEXT: zero.section @unit1.trainable kind trainable {{{.*}}slots = [#zero.slot<@bias, 0>], type = tensor<256xf16>, unit = 1 : i64}
// APART-NEXT: zero.section @unit1.trainable_f32 kind trainable {decay_end = 64 : i64, {{.*}}slots = [#zero.slot<@a, 0>], type = tensor<128xf32>, unit = 1 : i64}
// TOGETHER: zero.section @unit1.frozen kind frozen {ranks = 2 : i64, slots = [#zero.slot<@w, 0>, #zero.slot<@norm, 128>], type = tensor<256xf32>
// TOGETHER-NEXT: zero.section @unit1.trainable kind trainable {{{.*}}slots = [#zero.slot<@a, 0>, #zero.slot<@bias, 64>], type = tensor<128xf32>
// BUCKETS: zero.section @unit1_to_2.trainable kind trainable {{{.*}}slots = [#zero.slot<@head, 0>, #zero.slot<@bias, 128>], type = tensor<256xf16>
// BUCKETS-NEXT: zero.section @unit1.trainable_f32 kind trainable {{{.*}}slots = [#zero.slot<@a, 0>], type = tensor<128xf32>
// Gradients that several micro-batches add up stay whole, if they are reduced once; after a single micro-batch there is no difference.
// STEP: zero.section @unit1.trainable kind trainable {decay_end = 64 : i64, optimizer_sharded, {{.*}}, values_sharded}
// SINGLE: zero.section @unit1.trainable kind trainable {decay_end = 64 : i64, gradient_sharded, optimizer_sharded, {{.*}}, values_sharded}
// Three slots of 64 in a bucket, what is decayed first; or each unit alone, where a bucket is too small.
// BUCKET: zero.section @unit1_to_2.trainable kind trainable {decay_end = 128 : i64, {{.*}}slots = [#zero.slot<@a, 0>, #zero.slot<@head, 64>, #zero.slot<@bias, 128>], type = tensor<256xf32>, unit = 1 : i64}
// BUCKET-NOT: zero.section
// FULL: zero.section @unit1.trainable
// FULL: zero.section @unit2.trainable
