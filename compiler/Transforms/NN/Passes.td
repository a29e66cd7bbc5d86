//===- Passes.td - phases train and fuse -----------------------------------------===//
#ifndef ZP_COMPILER_TRANSFORMS_NN_PASSES_TD
#define ZP_COMPILER_TRANSFORMS_NN_PASSES_TD

include "mlir/Pass/PassBase.td"

class NN_Pass<string flag> : Pass<flag, "::mlir::ModuleOp"> { let dependentDialects = ["::zp::nn::NNDialect"]; }

def AttachAdaptersPass : NN_Pass<"nn-attach-adapters"> {
  let summary = "turns `adapter` attributes of linears into low-rank branches";
  let description = [{
    y = x·Wᵀ becomes y + scaling·(dropout(x)·Aᵀ)·Bᵀ with fresh trainable parameters `<module>.lora_A.weight` and
    `<module>.lora_B.weight` in the linear's unit, `in_f32` if W is.

    Requires: import's module: targets are resolved. Ensures: no linear has an `adapter`.

    ```mlir
    nn.parameter @w : tensor<64x32xf32> initial checkpoint {unit = 1 : i64, checkpoint = "m.weight"}
    %w = nn.read @w : tensor<64x32xf32>
    %y = nn.linear %x, %w {nn.unit = 1 : i64, module = "m", adapter = {rank = 4 : i64, scaling = 2.0 : f64, dropout = 0.0 : f64, site = 1 : i64,
                                                                       initial = "uniform", generator_offset = 0 : i64}}
        : (tensor<16x32xf32>, tensor<64x32xf32>) -> tensor<16x64xf32>
    ```
    becomes, `nn.unit` of the new ops left out here,
    ```mlir
    nn.parameter @w : tensor<64x32xf32> initial checkpoint {unit = 1 : i64, checkpoint = "m.weight"}
    nn.parameter @m.lora_A.weight : tensor<4x32xf32> initial uniform
        {unit = 1 : i64, saved_as = "base_model.model.m.lora_A.weight", trainable, decayed, bound = 0.1767766922712326 : f64}
    nn.parameter @m.lora_B.weight : tensor<64x4xf32> initial zero
        {unit = 1 : i64, saved_as = "base_model.model.m.lora_B.weight", trainable, decayed}
    %w = nn.read @w : tensor<64x32xf32>
    %y = nn.linear %x, %w {module = "m"} : (tensor<16x32xf32>, tensor<64x32xf32>) -> tensor<16x64xf32>
    %a = nn.read @m.lora_A.weight : tensor<4x32xf32>
    %h = nn.linear %x, %a : (tensor<16x32xf32>, tensor<4x32xf32>) -> tensor<16x4xf32>
    %b = nn.read @m.lora_B.weight : tensor<64x4xf32>
    %d = nn.linear %h, %b : (tensor<16x4xf32>, tensor<64x4xf32>) -> tensor<16x64xf32>
    %s = nn.scale %d {factor = 2.0 : f64} : tensor<16x64xf32>
    %z = nn.add %y, %s : tensor<16x64xf32>
    ```
  }];
}

def SetPrecisionPass : NN_Pass<"nn-set-precision"> {
  let summary = "chooses the element type of frozen parameters and of activations";
  let description = [{
    With `bf16`, frozen parameters are stored and everything is computed in bf16; masters of trainable parameters, their
    gradients, row statistics and the loss keep their types, and `nn.read` of a trainable parameter rounds. With `fp16` the same
    in f16. Without either, nothing changes.

    A parameter that is `in_f32` stays f32, and so does what is made of it, by the rules of the reference: its linear takes x in f32, what f32 is
    added to becomes f32 (the residual stream from there on), and a norm of f32 is computed in f32 and then rounded, so that everything
    behind it is narrow again. nn.cast stands where types meet. nn.clamp_half is left where its x is f16, else taken away.

    Requires: forward programs only. Ensures: one compute type, but for what comes of a parameter `in_f32`.

    ```mlir
    nn.parameter @w : tensor<64x32xf32> initial checkpoint {unit = 1 : i64, checkpoint = "w"}
    nn.parameter @wo : tensor<32x64xf32> initial checkpoint {unit = 1 : i64, checkpoint = "wo", in_f32}
    %w = nn.read @w : tensor<64x32xf32>
    %wo = nn.read @wo : tensor<32x64xf32>
    %u = nn.linear %n, %w : (tensor<16x32xf32>, tensor<64x32xf32>) -> tensor<16x64xf32>
    %d = nn.linear %u, %wo : (tensor<16x64xf32>, tensor<32x64xf32>) -> tensor<16x32xf32>
    %y = nn.add %x, %d : tensor<16x32xf32>
    ```
    becomes, with `fp16`,
    ```mlir
    nn.parameter @w : tensor<64x32xf16> initial checkpoint {unit = 1 : i64, checkpoint = "w"}
    nn.parameter @wo : tensor<32x64xf32> initial checkpoint {unit = 1 : i64, checkpoint = "wo", in_f32}
    %w = nn.read @w : tensor<64x32xf16>
    %wo = nn.read @wo : tensor<32x64xf32>
    %u = nn.linear %n, %w : (tensor<16x32xf16>, tensor<64x32xf16>) -> tensor<16x64xf16>
    %u32 = nn.cast %u : (tensor<16x64xf16>) -> tensor<16x64xf32>
    %d = nn.linear %u32, %wo : (tensor<16x64xf32>, tensor<32x64xf32>) -> tensor<16x32xf32>
    %x32 = nn.cast %x : (tensor<16x32xf16>) -> tensor<16x32xf32>
    %y = nn.add %x32, %d : tensor<16x32xf32>
    ```
  }];
}

def BuildEvaluationPass : NN_Pass<"nn-build-evaluation"> {
  let summary = "makes the programs `evaluate` and `logits` from the forward pass";
  let description = [{
    `evaluate` is train_step without dropout; it gives the loss sum of one micro-batch and keeps the last hidden state.
    `logits` multiplies a chunk of that state's rows, from scalars.first_token on, with the head.

    Requires: train_step is forward only. Ensures: both programs exist, train_step is as it was.
  }];
}

def BuildGenerationPass : NN_Pass<"nn-build-generation"> {
  let summary = "with the setting `generate`: makes the programs that generate text of the forward pass, instead of training";
  let description = [{
    Of num_beams beams of each of generation_batch_size prompts, beam b of prompt p has the row p · num_beams + b of the caches. `prefill` takes
    prefill_length tokens of each row and only fills the caches; `decode` takes one token of each beam, appends it and gives the logits
    of the next. Both are the forward pass without dropout, with each causal nn.attention replaced by nn.append_cache and
    nn.cached_attention on states @cache.key.N and @cache.value.N of max_length places a row; its bias is that of the places. position_ids are
    places in the cache too: -1 is padding. With beams `reorder` gives each row what row beam_origins[row] had.

    Of an encoder-decoder `encode` runs the encoder, a row a prompt, and stores the keys and values that the decoder sees of the source in
    @cache.source_key.N and @cache.source_value.N; `decode` has the beams of a prompt as the queries of its row there. There is no
    `prefill`: a decoder begins with a single token. max_length is its max_target_length.

    Nothing is trained: parameters lose `trainable`, what trains goes.

    Requires: attach-adapters, set-precision, quantize-frozen-weights; train_step is forward only; a row is one document.
    Ensures: no program of kind train_step; without the setting nothing changes.

    ```mlir
    %a, %lse = nn.attention %q, %k, %v, %segments, %segments
        {heads = 4 : i64, kv_heads = 2 : i64, length = 8 : i64, key_length = 8 : i64, scale = 0.35 : f64}
        : (tensor<16x32xf32>, tensor<16x16xf32>, tensor<16x16xf32>, tensor<16xi32>, tensor<16xi32>) -> (tensor<16x32xf32>, tensor<4x16xf32>)
    ```
    becomes, in `decode`,
    ```mlir
    nn.state @cache.key.0 : tensor<64x16xf32>
    nn.state @cache.value.0 : tensor<64x16xf32>
    nn.append_cache @cache.key.0, %k, %positions {length = 1 : i64} : tensor<2x16xf32>, tensor<2xi32>
    nn.append_cache @cache.value.0, %v, %positions {length = 1 : i64} : tensor<2x16xf32>, tensor<2xi32>
    %keys = nn.load_state @cache.key.0 : tensor<64x16xf32>
    %values = nn.load_state @cache.value.0 : tensor<64x16xf32>
    %a = nn.cached_attention %q, %keys, %values, %positions {heads = 4 : i64, kv_heads = 2 : i64, length = 1 : i64, scale = 0.35 : f64}
        : (tensor<2x32xf32>, tensor<64x16xf32>, tensor<64x16xf32>, tensor<2xi32>) -> tensor<2x32xf32>
    ```
  }];
}

def BuildBackwardPass : NN_Pass<"nn-build-backward"> {
  let summary = "appends the backward pass to train_step";
  let description = [{
    Reverse-mode differentiation of what is added to @loss_sum, through each op's own vector-Jacobian product. Only values
    that depend on a trainable parameter are differentiated: a frozen weight never gets a gradient, nor does anything below
    the lowest trainable parameter. New ops carry `nn.backward` and the unit of the op they differentiate.

    Requires: attach-adapters, set-precision. Ensures (nn-verify-trainable): each trainable parameter has its gradient.
  }];
}

def ScaleLossPass : NN_Pass<"nn-scale-loss"> {
  let summary = "with the setting `fp16`: the backward pass begins with the loss scale";
  let description = [{
    Small gradients would vanish in f16. The scale is one of the step scalars; nn.finish_step takes it out again.

    Requires: build-backward. Ensures: each nn.linear_cross_entropy_gradient of train_step is scaled; without `fp16` nothing changes.

    ```mlir
    %l, %dh = nn.linear_cross_entropy_gradient %h, %w, %labels {chunk = 16 : i64, length = 8 : i64}
        : (tensor<16x32xf16>, tensor<100x32xf16>, tensor<16xi32>) -> (tensor<1xf64>, tensor<16x32xf16>)
    ```
    becomes
    ```mlir
    %scalars = nn.input "scalars" : tensor<64xi8>
    %l, %dh = nn.linear_cross_entropy_gradient %h, %w, %labels scaled_by %scalars {chunk = 16 : i64, length = 8 : i64}
        : (tensor<16x32xf16>, tensor<100x32xf16>, tensor<16xi32>, tensor<64xi8>) -> (tensor<1xf64>, tensor<16x32xf16>)
    ```
  }];
}

def InsertOptimizerPass : NN_Pass<"nn-insert-optimizer"> {
  let summary = "makes the program `apply_gradients`: global norm, clipping, AdamW";
  let description = [{
    Gradients and the loss arrive as sums over the update; nn.finish_step divides by the count of labels and the loss scale, and
    says whether there is an update: there is none when a gradient isn't finite. Weight decay goes to parameters that are `decayed`.

    Requires: build-backward. Ensures (nn-verify-trainable): one update for each trainable parameter.
  }];
}

def RematerializePass : NN_Pass<"nn-rematerialize"> {
  let summary = "recomputes values in the backward pass instead of keeping them";
  let description = [{
    By `rematerialize`, of each block (units 1..L):

    - `selective`: what products and attention computed is kept, for a byte of it costs thousands of FLOPs. The rest costs a
      few FLOPs a byte (norms, dropout, gated products, casts, additions) and is repeated if what it is computed from is kept
      anyway, right before its first use in the backward pass. Of a block then stay: its input, the stream after attention,
      query, key, value, attention's output and log-sum-exp, gate and up, and the adapters' low-rank products.
    - `block`: only what comes from outside the block, its input, is kept. Just before the block's first backward op its
      forward ops are repeated as far as the backward pass needs them; of those, `selective` again keeps what it would keep.

    `rematerialize_blocks = k` does so in units 1..k, and one step less (block, selective, none) in the others. Dropout masks
    are the same by construction.

    Requires: build-backward. Ensures: no backward op of a recomputed block uses a value that a forward op of that block
    computed, unless it is kept.

    ```mlir
    %h = nn.linear %x, %w {nn.unit = 1 : i64} : (tensor<16x32xf32>, tensor<64x32xf32>) -> tensor<16x64xf32>
    // the rest of the forward pass, the backward pass down to unit 1
    %dh, %du = nn.silu_mul_gradient %dy, %h, %u {nn.backward, nn.unit = 1 : i64} : tensor<16x64xf32>
    ```
    becomes, by `block`,
    ```mlir
    %h = nn.linear %x, %w {nn.unit = 1 : i64} : (tensor<16x32xf32>, tensor<64x32xf32>) -> tensor<16x64xf32>
    // the rest of the forward pass, the backward pass down to unit 1
    %h2 = nn.linear %x, %w {nn.backward, nn.unit = 1 : i64} : (tensor<16x32xf32>, tensor<64x32xf32>) -> tensor<16x64xf32>
    %dh, %du = nn.silu_mul_gradient %dy, %h2, %u {nn.backward, nn.unit = 1 : i64} : tensor<16x64xf32>
    ```
  }];
}

def VerifyTrainablePass : NN_Pass<"nn-verify-trainable"> {
  let summary = "proves what phase train promises";
  let description = [{
    Every trainable parameter has at least one accumulated gradient in train_step and exactly one update in
    apply_gradients; no frozen one has any.
  }];
}

def FuseCrossEntropyPass : NN_Pass<"nn-fuse-cross-entropy"> {
  let summary = "one pass over the head for the loss and its gradients";
  let description = [{
    The gradient op computes the loss as well: the forward op's loss is taken from it, and the logits are formed once.

    Requires: build-backward. Ensures: no linear_cross_entropy beside its gradient.
  }];
}

def FuseLinearEpiloguePass : NN_Pass<"nn-fuse-linear-epilogue"> {
  let summary = "folds scaling and addition into linears and their gradients";
  let description = [{
    scale(linear) and linear(scale(g)) become `alpha`; add(a, linear) becomes `addend`, added before the product is rounded.
    Values used elsewhere stay.

    ```mlir
    %d = nn.linear %h, %b : (tensor<16x4xf32>, tensor<64x4xf32>) -> tensor<16x64xf32>
    %s = nn.scale %d {factor = 2.0 : f64} : tensor<16x64xf32>
    %z = nn.add %y, %s : tensor<16x64xf32>
    ```
    becomes
    ```mlir
    %z = nn.linear %h, %b addend %y {alpha = 2.0 : f64} : (tensor<16x4xf32>, tensor<64x4xf32>, tensor<16x64xf32>) -> tensor<16x64xf32>
    ```
  }];
}

def FuseAdapterBranchPass : NN_Pass<"nn-fuse-adapter-branch"> {
  let summary = "base product and adapter in one: one pass over the output, one rounding";
  let description = [{
    Of two products of which one is the other's only `addend`, the one with the shorter sum becomes the other's branch, whatever
    their order: y = x·Wᵀ + scaling·(h·Bᵀ), and dx = dy·W + scaling·(dh·A) where no dropout lies between. The base's output is then
    written once instead of being read and written again, at the price of R more products an element. Sums longer than
    kMaxBranchRank, or not shorter than the base's, stay.

    Requires: nn-fuse-linear-epilogue. Ensures: an adapter's second product is an instruction of its own only where dropout or
    another use of the base's output demands it.

    ```mlir
    %y = nn.linear %x, %w bias %c : (tensor<16x32xf32>, tensor<64x32xf32>, tensor<64xf32>) -> tensor<16x64xf32>
    %z = nn.linear %h, %b addend %y {alpha = 2.0 : f64} : (tensor<16x4xf32>, tensor<64x4xf32>, tensor<16x64xf32>) -> tensor<16x64xf32>
    ```
    becomes
    ```mlir
    %z = nn.linear %x, %w bias %c branch %h, %b {branch_alpha = 2.0 : f64}
        : (tensor<16x32xf32>, tensor<64x32xf32>, tensor<64xf32>, tensor<16x4xf32>, tensor<64x4xf32>) -> tensor<16x64xf32>
    ```
  }];
}

def FuseResidualGradientPass : NN_Pass<"nn-fuse-residual-gradient"> {
  let summary = "adds the residual stream's gradient inside the gradient of rms_norm or layer_norm";
  let description = [{
    ```mlir
    %n = nn.rms_norm_gradient %g, %x, %w, %rstd : (tensor<16x32xf32>, tensor<16x32xf32>, tensor<32xf32>, tensor<16xf32>) -> tensor<16x32xf32>
    %s = nn.add %r, %n : tensor<16x32xf32>
    ```
    becomes
    ```mlir
    %s = nn.rms_norm_gradient %g, %x, %w, %rstd residual %r
        : (tensor<16x32xf32>, tensor<16x32xf32>, tensor<32xf32>, tensor<16xf32>, tensor<16x32xf32>) -> tensor<16x32xf32>
    ```
  }];
}

#endif // ZP_COMPILER_TRANSFORMS_NN_PASSES_TD
