// RUN: zp-opt %s --zero-cache-dequantized -o %t.after && FileCheck %s --input-file=%t.after
// RUN: zp-interpret --compare %s %t.after --ranks=2
// Nothing set aside, nothing done.
// RUN: sed 's/dequant_cache_bytes = 200/dequant_cache_bytes = 0/' %s | zp-opt --zero-cache-dequantized | FileCheck %s --check-prefix=OFF
// OFF-NOT: nn.state
// OFF: nf4.linear
// OFF-NOT: nn.state
// Whole models, recomputed and evaluated: on ranks that keep all weights every product reads floats, on ranks that gather them none.
// RUN: sed 's/zp.settings = {/zp.settings = {use_4bit_quantization = true, use_nested_quant = true, dequant_cache_bytes = 1000000 : i64, num_processes = 2 : i64, zero_stage = 2 : i64, rematerialize = "block", /' %inputs/tiny-lora.mlir > %t.lora
// RUN: zp-opt %t.lora --nn-attach-adapters --nf4-quantize-frozen-weights --nn-build-evaluation --nn-build-backward --nn-insert-optimizer --nn-rematerialize --nf4-fuse-dequant-matmul --zero-partition-state --zero-insert-gathers --zero-insert-reductions -o %t.tiny
// RUN: zp-opt %t.tiny --zero-cache-dequantized --zero-verify-partition -o %t.tiny.after && zp-interpret --compare %t.tiny %t.tiny.after --micro_batches=2
// RUN: FileCheck %s --input-file=%t.tiny.after --check-prefix=TINY
// TINY-NOT: nf4.linear
// TINY-COUNT-14: nf4.dequantize
// TINY-NOT: nf4.dequantize
// RUN: sed 's/zero_stage = 2/stage3_param_persistence_threshold = 0/' %t.lora | zp-opt --nn-attach-adapters --nf4-quantize-frozen-weights --nn-build-backward --nn-insert-optimizer --nf4-fuse-dequant-matmul --zero-partition-state --zero-insert-gathers --zero-insert-reductions --zero-cache-dequantized | FileCheck %s --check-prefix=GATHERED
// GATHERED-NOT: nn.dequantized
// GATHERED: nf4.linear
// GATHERED-NOT: nn.dequantized

module attributes {zp.settings = {dequant_cache_bytes = 200 : i64}} {
  nn.parameter @w : tensor<8x4x!nf4.block<64>> initial checkpoint {unit = 1 : i64, checkpoint = "w"}
  nn.parameter @big : tensor<8x8x!nf4.block<64>> initial checkpoint {unit = 1 : i64, checkpoint = "big"}
  nn.parameter @u : tensor<4x4x!nf4.block<64>> initial checkpoint {unit = 1 : i64, checkpoint = "u"}
  nn.parameter @v : tensor<4x4x!nf4.block<64>> initial checkpoint {unit = 2 : i64, checkpoint = "v"}
  zero.section @c kind codes {unit = 1 : i64, type = tensor<65536x!nf4.block<64>>, slots = [#zero.slot<@w, 0>, #zero.slot<@big, 16384>, #zero.slot<@u, 32768>], ranks = 2 : i64}
  zero.section @g kind codes {unit = 2 : i64, type = tensor<32768x!nf4.block<64>>, slots = [#zero.slot<@v, 0>], ranks = 2 : i64, values_sharded}

  // CHECK-LABEL: @train_step
  nn.program @train_step kind train_step {
    // CHECK: %[[X:.+]] = nn.input
    %x = nn.input "x" : tensor<8x4xf32>
    %c = zero.values @c : tensor<65536x!nf4.block<64>>
    // CHECK-NOT: zero.slot {{.*}}@w
    %w = zero.slot %c, @c, @w : (tensor<65536x!nf4.block<64>>) -> tensor<8x4x!nf4.block<64>>
    // CHECK: %[[BIG:.+]] = zero.slot {{.*}}@big
    %big = zero.slot %c, @c, @big : (tensor<65536x!nf4.block<64>>) -> tensor<8x8x!nf4.block<64>>
    %u = zero.slot %c, @c, @u : (tensor<65536x!nf4.block<64>>) -> tensor<4x4x!nf4.block<64>>
    // CHECK-NEXT: %[[W:.+]] = nn.load_state @w.floats {nn.unit = 1 : i64} : tensor<8x4xf32>
    // CHECK-NEXT: %[[Y:.+]] = nn.linear %[[X]], %[[W]] {module = "m", nn.unit = 1 : i64}
    %y = nf4.linear %x, %w {module = "m", nn.unit = 1 : i64} : (tensor<8x4xf32>, tensor<8x4x!nf4.block<64>>) -> tensor<8x8xf32>
    // What is too large stays as it is; a smaller one behind it finds room.
    // CHECK-NEXT: %[[Z:.+]] = nf4.linear %[[Y]], %[[BIG]]
    %z = nf4.linear %y, %big {nn.unit = 1 : i64} : (tensor<8x8xf32>, tensor<8x8x!nf4.block<64>>) -> tensor<8x8xf32>
    // Read again: nothing lies between the passes.
    // CHECK-NEXT: %[[AGAIN:.+]] = nn.load_state @w.floats {nn.backward, nn.unit = 1 : i64} : tensor<8x4xf32>
    // CHECK-NEXT: %[[D:.+]] = nn.linear_input_gradient %[[Z]], %[[AGAIN]] addend %[[X]] {alpha = 2.000000e+00 : f64, nn.backward, nn.unit = 1 : i64}
    %d = nf4.linear_input_gradient %z, %w addend %x {alpha = 2.0 : f64, nn.backward, nn.unit = 1 : i64} : (tensor<8x8xf32>, tensor<8x4x!nf4.block<64>>, tensor<8x4xf32>) -> tensor<8x4xf32>
    // CHECK-NEXT: %[[U:.+]] = nn.load_state @u.floats : tensor<4x4xf32>
    // CHECK-NEXT: %[[T:.+]] = nn.linear %[[D]], %[[U]]
    %t = nf4.linear %d, %u : (tensor<8x4xf32>, tensor<4x4x!nf4.block<64>>) -> tensor<8x4xf32>
    // What is gathered isn't here for long.
    // CHECK: zero.all_gather
    %s = zero.values @g : tensor<16384x!nf4.block<64>>
    %f = zero.all_gather %s {ranks = 2 : i64} : tensor<16384x!nf4.block<64>> -> !zero.future<tensor<32768x!nf4.block<64>>>
    %g = zero.wait %f : !zero.future<tensor<32768x!nf4.block<64>>> -> tensor<32768x!nf4.block<64>>
    %v = zero.slot %g, @g, @v : (tensor<32768x!nf4.block<64>>) -> tensor<4x4x!nf4.block<64>>
    // CHECK: nf4.linear %[[T]]
    %q = nf4.linear %t, %v : (tensor<8x4xf32>, tensor<4x4x!nf4.block<64>>) -> tensor<8x4xf32>
    nn.output "q", %q : tensor<8x4xf32>
  }
  // CHECK: nn.state @w.floats : tensor<8x4xf32> {nn.dequantized}
  // CHECK: nn.state @u.floats : tensor<4x4xf32> {nn.dequantized}
  // CHECK-NOT: nn.state
  // CHECK: nn.program @init
  // CHECK: zero.load @g
  // CHECK-NEXT: %[[C:.+]] = zero.values @c
  // CHECK-NEXT: %[[SLOT:.+]] = zero.slot %[[C]], @c, @w
  // CHECK-NEXT: %[[F:.+]] = nf4.dequantize %[[SLOT]] : (tensor<8x4x!nf4.block<64>>) -> tensor<8x4xf32>
  // CHECK-NEXT: nn.store_state @w.floats, %[[F]] : tensor<8x4xf32>
  // CHECK: nn.store_state @u.floats
  nn.program @init kind init {
    zero.load @c
    zero.load @g
  }
}
