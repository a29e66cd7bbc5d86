//===- Passes.td - phases distribute and schedule --------------------------------===//
#ifndef ZP_COMPILER_TRANSFORMS_ZERO_PASSES_TD
#define ZP_COMPILER_TRANSFORMS_ZERO_PASSES_TD

include "mlir/Pass/PassBase.td"

class Zero_Pass<string flag> : Pass<flag, "::mlir::ModuleOp"> {
  let dependentDialects = ["::zp::nn::NNDialect", "::zp::zero::ZeroDialect"];
}

def PartitionStatePass : Zero_Pass<"zero-partition-state"> {
  let summary = "groups the parameters of each unit into sections and decides what is sharded";
  let description = [{
    Stage 0 replicates everything; 1 shards masters and moments, 2 gradients too, 3 values too. A section of at most
    `stage3_param_persistence_threshold` elements keeps its values whole. Parameters lie at 256-byte boundaries, decayed
    ones first; the section is padded so that every rank's slice is a multiple of 256 bytes. With `reduce_gradients = "step"`
    gradients that several micro-batches add up stay whole, to be reduced once. Neighbouring units whose trainables stay
    whole share a section, hence its collectives, of up to `reduce_bucket_size` elements. Also makes the program `init`.

    Requires: phase train is over. Ensures: every nn.parameter has exactly one slot.

    ```mlir
    nn.parameter @w : tensor<64x32xf32> initial checkpoint {unit = 1 : i64, checkpoint = "w"}
    ```
    gets beside it, at stage 3 on two ranks,
    ```mlir
    zero.section @unit1.frozen kind frozen {ranks = 2 : i64, slots = [#zero.slot<@w, 0>], type = tensor<2048xf32>, unit = 1 : i64, values_sharded}
    ```
  }];
}

def InsertGathersPass : Zero_Pass<"zero-insert-gathers"> {
  let summary = "reads parameters from their sections, fetching what is offloaded and gathering what is sharded";
  let description = [{
    One gather for each section, unit and direction: the forward ops of a unit share one, its backward ops (recomputation
    among them) another, so that nothing stays gathered between; except that both share one where at most `prefetch_distance`
    other units (`prefetch_bytes`, if set) come between: the head, and the last units before it. No more units are held then
    than prefetching holds. A gather starts right before its first use; zero-prefetch-gathers moves the start.

    Values outside the device are fetched first, in the same groups.

    Requires: partition-state. Ensures: no nn.read is left; every slot is of a whole section.

    ```mlir
    nn.parameter @w : tensor<64x32xf32> initial checkpoint {unit = 1 : i64, checkpoint = "w"}
    zero.section @unit1.frozen kind frozen {ranks = 2 : i64, slots = [#zero.slot<@w, 0>], type = tensor<2048xf32>, unit = 1 : i64, values_sharded}
    %w = nn.read @w : tensor<64x32xf32>
    ```
    becomes, beside parameter and section,
    ```mlir
    zero.section @unit1.frozen kind frozen {ranks = 2 : i64, slots = [#zero.slot<@w, 0>], type = tensor<2048xf32>, unit = 1 : i64, values_sharded}
    %s = zero.values @unit1.frozen : tensor<1024xf32>
    %f = zero.all_gather %s {ranks = 2 : i64} : tensor<1024xf32> -> !zero.future<tensor<2048xf32>>
    %g = zero.wait %f : !zero.future<tensor<2048xf32>> -> tensor<2048xf32>
    %w = zero.slot %g, @unit1.frozen, @w : (tensor<2048xf32>) -> tensor<64x32xf32>
    ```
  }];
}

def InsertReductionsPass : Zero_Pass<"zero-insert-reductions"> {
  let summary = "packs gradients into sections, reduces them as the stage demands, and updates slices";
  let description = [{
    In train_step a unit's gradients are packed and, where gradients are sharded, reduced and cut at once; otherwise they
    are added up on each rank and reduced in apply_gradients. There the loss and the square sum are reduced too, each
    section's slice is updated, and values that every rank keeps are gathered again.

    Requires: insert-gathers. Ensures: no op names an nn.parameter's gradient or moments any more.
  }];
}

def PrefetchGathersPass : Zero_Pass<"zero-prefetch-gathers"> {
  let summary = "starts each unit's gathers while units before it are computed";
  let description = [{
    The starts of a unit's gathers move up behind the waits of the unit `prefetch_distance` before, or of a later one where more
    than `prefetch_bytes` would be brought ahead of use. At distance one two units are gathered at a time; at zero nothing moves. Distance
    -1 is one here; plan-advance-gathers goes on, where it knows what memory is free.

    Requires: insert-gathers. Ensures: every future is awaited once, after its start.

    ```mlir
    %y = nn.linear %x, %v {nn.unit = 1 : i64} : (tensor<16x32xf32>, tensor<64x32xf32>) -> tensor<16x64xf32>
    %f2 = zero.all_gather %s2 {ranks = 2 : i64, nn.unit = 2 : i64} : tensor<1024xf32> -> !zero.future<tensor<2048xf32>>
    %g2 = zero.wait %f2 : !zero.future<tensor<2048xf32>> -> tensor<2048xf32>
    ```
    becomes
    ```mlir
    %f2 = zero.all_gather %s2 {ranks = 2 : i64, nn.unit = 2 : i64} : tensor<1024xf32> -> !zero.future<tensor<2048xf32>>
    %y = nn.linear %x, %v {nn.unit = 1 : i64} : (tensor<16x32xf32>, tensor<64x32xf32>) -> tensor<16x64xf32>
    %g2 = zero.wait %f2 : !zero.future<tensor<2048xf32>> -> tensor<2048xf32>
    ```
  }];
}

def DeferWaitsPass : Zero_Pass<"zero-defer-waits"> {
  let summary = "awaits reductions while the next unit is worked on";
  let description = [{
    What is reduced or gathered only to be stored (a unit's gradients in train_step, updated values in apply_gradients) is
    awaited and stored when the next of its kind is about to start, the last at the end of the program. Its buffers live that
    much longer. With `prefetch_distance` zero nothing moves.

    Requires: insert-reductions. Ensures: every future is awaited once, after its start.

    ```mlir
    zero.section @unit2.trainable kind trainable {unit = 2 : i64, type = tensor<384xf32>, slots = [#zero.slot<@a, 0>], ranks = 2 : i64,
                                                  gradient_sharded, optimizer_sharded}
    %f = zero.reduce_scatter %p {nn.unit = 2 : i64, ranks = 2 : i64} : tensor<384xf32> -> !zero.future<tensor<192xf32>>
    %g = zero.wait %f : !zero.future<tensor<192xf32>> -> tensor<192xf32>
    zero.accumulate_gradient @unit2.trainable, %g : tensor<192xf32>
    // the backward pass of unit 1
    %e = zero.reduce_scatter %q {nn.unit = 1 : i64, ranks = 2 : i64} : tensor<384xf32> -> !zero.future<tensor<192xf32>>
    ```
    becomes
    ```mlir
    zero.section @unit2.trainable kind trainable {unit = 2 : i64, type = tensor<384xf32>, slots = [#zero.slot<@a, 0>], ranks = 2 : i64,
                                                  gradient_sharded, optimizer_sharded}
    %f = zero.reduce_scatter %p {nn.unit = 2 : i64, ranks = 2 : i64} : tensor<384xf32> -> !zero.future<tensor<192xf32>>
    // the backward pass of unit 1
    %g = zero.wait %f : !zero.future<tensor<192xf32>> -> tensor<192xf32>
    zero.accumulate_gradient @unit2.trainable, %g : tensor<192xf32>
    %e = zero.reduce_scatter %q {nn.unit = 1 : i64, ranks = 2 : i64} : tensor<384xf32> -> !zero.future<tensor<192xf32>>
    ```
  }];
}

def OffloadCheckpointsPass : Zero_Pass<"zero-offload-checkpoints"> {
  let summary = "moves what the backward pass needs out of device memory until then";
  let description = [{
    With `offload_activation_device`: a value that is computed forward and used backward leaves after its last forward use, while
    the next unit is computed, and comes back while the backward pass works on the unit before. Not in the last two units,
    whose backward pass is next.

    Requires: insert-gathers. Ensures: between, no op of the program reads the value.

    ```mlir
    %x = nn.add %a, %b {nn.unit = 1 : i64} : tensor<16x32xf32>
    // the rest of the forward pass, the backward pass down to unit 1
    %g = nn.rms_norm_gradient %dy, %x, %w, %rstd {nn.backward, nn.unit = 1 : i64}
        : (tensor<16x32xf32>, tensor<16x32xf32>, tensor<32xf32>, tensor<16xf32>) -> tensor<16x32xf32>
    ```
    becomes, with tier 2, the host's,
    ```mlir
    %x = nn.add %a, %b {nn.unit = 1 : i64} : tensor<16x32xf32>
    %o = zero.offload %x {tier = 2 : i32} : tensor<16x32xf32> -> !zero.future<tensor<16x32xf32>>
    // the forward pass of unit 2
    %h = zero.wait %o : !zero.future<tensor<16x32xf32>> -> tensor<16x32xf32>
    // the rest of the forward pass, the backward pass down to unit 3
    %f = zero.fetch %h : tensor<16x32xf32> -> !zero.future<tensor<16x32xf32>>
    // the backward pass of unit 2
    %y = zero.wait %f : !zero.future<tensor<16x32xf32>> -> tensor<16x32xf32>
    %g = nn.rms_norm_gradient %dy, %y, %w, %rstd {nn.backward, nn.unit = 1 : i64}
        : (tensor<16x32xf32>, tensor<16x32xf32>, tensor<32xf32>, tensor<16xf32>) -> tensor<16x32xf32>
    ```
  }];
}

def CacheDequantizedPass : Zero_Pass<"zero-cache-dequantized"> {
  let summary = "keeps 4-bit weights as floats too, as far as memory was set aside for it";
  let description = [{
    With `dequant_cache_bytes`: a 4-bit weight that every rank keeps whole on the device is dequantised once, by init, into an nn.state, and
    products read that. Weights are taken in the order of their use, as many as so many bytes hold; what is gathered or fetched is not
    taken, it doesn't stay. Such weights are frozen, so the copies are never written again.

    Requires: insert-gathers. Ensures: what the copies take is at most `dequant_cache_bytes`; no float differs from what the product with
    codes would read.

    ```mlir
    zero.section @unit1.codes kind codes {unit = 1 : i64, type = tensor<16384x!nf4.block<64>>, slots = [#zero.slot<@w, 0>], ranks = 1 : i64}
    %s = zero.values @unit1.codes : tensor<16384x!nf4.block<64>>
    %q = zero.slot %s, @unit1.codes, @w : (tensor<16384x!nf4.block<64>>) -> tensor<64x32x!nf4.block<64>>
    %y = nf4.linear %x, %q : (tensor<16x32xbf16>, tensor<64x32x!nf4.block<64>>) -> tensor<16x64xbf16>
    ```
    becomes
    ```mlir
    nn.state @w.floats : tensor<64x32xbf16> {nn.dequantized}
    %w = nn.load_state @w.floats : tensor<64x32xbf16>
    %y = nn.linear %x, %w : (tensor<16x32xbf16>, tensor<64x32xbf16>) -> tensor<16x64xbf16>
    ```
    and, in `init`,
    ```mlir
    nn.state @w.floats : tensor<64x32xbf16> {nn.dequantized}
    %w = nf4.dequantize %q : (tensor<64x32x!nf4.block<64>>) -> tensor<64x32xbf16>
    nn.store_state @w.floats, %w : tensor<64x32xbf16>
    ```
  }];
  let dependentDialects = ["::zp::nn::NNDialect", "::zp::nf4::NF4Dialect", "::zp::zero::ZeroDialect"];
}

def VerifyPartitionPass : Zero_Pass<"zero-verify-partition"> {
  let summary = "proves what phase distribute promises";
  let description = [{
    No nn op names a parameter; every parameter has one slot; every section with a gradient is updated once; every future is
    awaited exactly once.
  }];
}

#endif // ZP_COMPILER_TRANSFORMS_ZERO_PASSES_TD
