// Parameters, programs, and what lives from step to step.
#ifndef ZP_DIALECTS_NN_IR_NNPARAMOPS_TD
#define ZP_DIALECTS_NN_IR_NNPARAMOPS_TD

include "dialects/NN/IR/NNBase.td"

def NN_ParameterOp : NN_Op<"parameter", [Symbol]> {
  let summary = "a tensor of the model or of an adapter";
  let description = [{
    Declares a parameter with the type of its master values; `nn.read` may round them. Elements of a frozen parameter may be of
    another dialect's type: what they mean is that dialect's business. `unit` says with whom it lives and
    travels. `checkpoint` is the base tensor it is read from. `saved_as` is its key in what training writes. Uniform values
    are drawn from [-bound, bound) by MT19937(seed), `generator_offset` outputs in; for normal ones bound is the deviation.
    `in_f32` is read in f32 whatever the compute type: see nn-set-precision.

    ```mlir
    nn.parameter @model.norm.weight : tensor<64xf32> initial checkpoint {unit = 3 : i64, checkpoint = "model.norm.weight"}
    ```

    Constraints:
    - C1: `checkpoint` is there if and only if `initial` is checkpoint.
    - C2: a trainable parameter has `saved_as`, and f32 elements.
    - C3: `bound` is positive when `initial` is uniform or normal.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttrOf<NN_Tensor>:$type, I64Attr:$unit, NN_Initial:$initial,
                       OptionalAttr<StrAttr>:$checkpoint, OptionalAttr<StrAttr>:$saved_as, UnitAttr:$trainable, UnitAttr:$decayed,
                       DefaultValuedAttr<F64Attr, "0.0">:$bound, DefaultValuedAttr<I64Attr, "0">:$generator_offset, UnitAttr:$in_f32);
  let assemblyFormat = "$sym_name `:` $type `initial` $initial attr-dict";
  let hasVerifier = 1;
}

def NN_StateOp : NN_Op<"state", [Symbol]> {
  let summary = "a tensor that is no parameter and lives from step to step, zero at first";
  let description = [{
    Declares it. Programs see what the last one left: nn.load_state and the ops of a cache read it, nn.store_state, nn.add_state, nn.clear_state and
    those of a cache write it. With `nn.dequantized` it holds a 4-bit weight as floats, which init writes once.

    ```mlir
    nn.state @loss_sum : tensor<1xf64>
    ```

    Constraints: C1: the type is a tensor of static shape.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttrOf<NN_Tensor>:$type);
  let assemblyFormat = "$sym_name `:` $type attr-dict";
}

def NN_ProgramOp : NN_Op<"program", [Symbol, NoTerminator, SingleBlock, NoRegionArguments]> {
  let summary = "a straight line of ops that the host starts as a whole";
  let description = [{
    Ops run in the order of the list. `kind` says when the host starts it: `init` once, before all others; `train_step` for each micro-batch,
    `rows` rows of `length` tokens; `apply_gradients` once an update; `evaluate` for a micro-batch's loss, `logits` for a chunk of its logits;
    `prefill`, `decode`, `encode` and `reorder` to generate (see nn-build-generation). In an encoder-decoder rows and length are the decoder's, and
    a row has `source_length` tokens for the encoder beside them (0: there is none).

    ```mlir
    nn.program @double kind evaluate attributes {rows = 2 : i64, length = 8 : i64} {
      %x = nn.input "x" : tensor<16x32xf32>
      %y = nn.scale %x {factor = 2.0 : f64} : tensor<16x32xf32>
      nn.output "y", %y : tensor<16x32xf32>
    }
    ```

    Constraints: C1: the body is one block without arguments.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, NN_ProgramKind:$kind, DefaultValuedAttr<I64Attr, "0">:$rows, DefaultValuedAttr<I64Attr, "0">:$length,
                       DefaultValuedAttr<I64Attr, "0">:$source_length);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$sym_name `kind` $kind attr-dict-with-keyword $body";
}

def NN_InputOp : NN_Op<"input", [MemoryEffects<[MemRead]>]> {
  let summary = "what the host gives a program before it starts";
  let description = [{
    The runtime gives, of i32, a token each: input_ids, labels, position_ids, segment_ids, beam_origins and, for an encoder's tokens, source_ids,
    source_position_ids and source_segment_ids; and the block of step scalars, `scalars`. Other names are for the interpreter: no plan may have
    them, nor a name twice in an entry.

    ```mlir
    %ids = nn.input "input_ids" : tensor<16xi32>
    ```

    Constraints: C1: the value is a tensor of static shape.
  }];
  let arguments = (ins StrAttr:$name);
  let results = (outs NN_Tensor:$value);
  let assemblyFormat = "$name attr-dict `:` type($value)";
}
def NN_OutputOp : NN_Op<"output", [MemoryEffects<[MemWrite]>]> {
  let summary = "what the host may read after a program has ended";
  let description = [{
    The runtime reads `metrics`, `loss_sum` and `logits`; other names are for the interpreter and tests.

    ```mlir
    nn.output "metrics", %metrics : tensor<4xf64>
    ```

    Constraints: C1: the value is a tensor of static shape.
  }];
  let arguments = (ins StrAttr:$name, NN_Tensor:$value);
  let assemblyFormat = "$name `,` $value attr-dict `:` type($value)";
}

def NN_ReadOp : NN_Op<"read", [MemoryEffects<[MemRead]>, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "the values of a parameter, rounded to the result's element type";
  let description = [{
    Of a trainable parameter it reads the masters. Elements of another dialect's type are read as they are.

    ```mlir
    nn.parameter @w : tensor<64x32xf32> initial checkpoint {unit = 1 : i64, checkpoint = "w"}
    %w = nn.read @w : tensor<64x32xbf16>
    ```

    Constraints: C1: the symbol is an nn.parameter. C2: the shapes agree.
  }];
  let arguments = (ins FlatSymbolRefAttr:$parameter);
  let results = (outs NN_Tensor:$value);
  let assemblyFormat = "$parameter attr-dict `:` type($value)";
}
def NN_AccumulateGradientOp : NN_Op<"accumulate_gradient", [MemoryEffects<[MemWrite]>, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "adds to a parameter's gradient, which is a sum over the update's micro-batches";
  let description = [{
    The sum is f32, as the parameter is. nn.clear_gradient begins the next one.

    ```mlir
    nn.parameter @a : tensor<4x32xf32> initial zero {unit = 1 : i64, saved_as = "a", trainable}
    nn.accumulate_gradient @a, %da : tensor<4x32xf32>
    ```

    Constraints: C1: the symbol is a trainable nn.parameter. C2: the type is the parameter's.
  }];
  let arguments = (ins FlatSymbolRefAttr:$parameter, NN_Float:$gradient);
  let assemblyFormat = "$parameter `,` $gradient attr-dict `:` type($gradient)";
}
def NN_GradientOp : NN_Op<"gradient", [MemoryEffects<[MemRead]>, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "a parameter's gradient so far";
  let description = [{
    The sum of what nn.accumulate_gradient added since nn.clear_gradient; of one rank's micro-batches until zero-insert-reductions.

    ```mlir
    nn.parameter @a : tensor<4x32xf32> initial zero {unit = 1 : i64, saved_as = "a", trainable}
    %da = nn.gradient @a : tensor<4x32xf32>
    ```

    Constraints: C1: the symbol is a trainable nn.parameter. C2: the type is the parameter's.
  }];
  let arguments = (ins FlatSymbolRefAttr:$parameter);
  let results = (outs NN_Float:$gradient);
  let assemblyFormat = "$parameter attr-dict `:` type($gradient)";
}
def NN_ClearGradientOp : NN_Op<"clear_gradient", [MemoryEffects<[MemWrite]>, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "sets a parameter's gradient to zero";
  let description = [{
    Done once an update, after nn.adamw has read it.

    ```mlir
    nn.parameter @a : tensor<4x32xf32> initial zero {unit = 1 : i64, saved_as = "a", trainable}
    nn.clear_gradient @a
    ```

    Constraints: C1: the symbol is a trainable nn.parameter.
  }];
  let arguments = (ins FlatSymbolRefAttr:$parameter);
  let assemblyFormat = "$parameter attr-dict";
}

def NN_LoadStateOp : NN_Op<"load_state", [MemoryEffects<[MemRead]>, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "the value of an nn.state";
  let description = [{
    The value at this place of the program. convert-to-plan makes a view of the state's memory of it: nothing may use it after a later write.

    ```mlir
    nn.state @loss_sum : tensor<1xf64>
    %loss = nn.load_state @loss_sum : tensor<1xf64>
    ```

    Constraints: C1: the symbol is an nn.state. C2: the types agree.
  }];
  let arguments = (ins FlatSymbolRefAttr:$state);
  let results = (outs NN_Tensor:$value);
  let assemblyFormat = "$state attr-dict `:` type($value)";
}
def NN_StoreStateOp : NN_Op<"store_state", [MemoryEffects<[MemWrite]>, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "replaces the value of an nn.state";
  let description = [{
    All of it.

    ```mlir
    nn.state @hidden : tensor<16x32xbf16>
    nn.store_state @hidden, %h : tensor<16x32xbf16>
    ```

    Constraints: C1: the symbol is an nn.state. C2: the types agree.
  }];
  let arguments = (ins FlatSymbolRefAttr:$state, NN_Tensor:$value);
  let assemblyFormat = "$state `,` $value attr-dict `:` type($value)";
}
def NN_AddStateOp : NN_Op<"add_state", [MemoryEffects<[MemRead, MemWrite]>, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "adds to an nn.state";
  let description = [{
    Element by element, in the state's type, which is f32 or f64 where it becomes a plan.

    ```mlir
    nn.state @loss_sum : tensor<1xf64>
    nn.add_state @loss_sum, %loss : tensor<1xf64>
    ```

    Constraints: C1: the symbol is an nn.state. C2: the types agree.
  }];
  let arguments = (ins FlatSymbolRefAttr:$state, NN_Tensor:$value);
  let assemblyFormat = "$state `,` $value attr-dict `:` type($value)";
}
def NN_ClearStateOp : NN_Op<"clear_state", [MemoryEffects<[MemWrite]>, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "sets an nn.state to zero";
  let description = [{
    All of it, as it was at first.

    ```mlir
    nn.state @loss_sum : tensor<1xf64>
    nn.clear_state @loss_sum
    ```

    Constraints: C1: the symbol is an nn.state.
  }];
  let arguments = (ins FlatSymbolRefAttr:$state);
  let assemblyFormat = "$state attr-dict";
}

#endif // ZP_DIALECTS_NN_IR_NNPARAMOPS_TD
