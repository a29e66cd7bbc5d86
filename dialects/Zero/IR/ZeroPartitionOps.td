// Sections and their state.
#ifndef ZP_DIALECTS_ZERO_IR_ZEROPARTITIONOPS_TD
#define ZP_DIALECTS_ZERO_IR_ZEROPARTITIONOPS_TD

include "dialects/Zero/IR/ZeroBase.td"

def Zero_SectionOp : Zero_Op<"section", [Symbol]> {
  let summary = "parameters of a unit that live, travel and are cut together";
  let description = [{
    `type` is the whole section as it is used in computations: flat, padded to `ranks` equal slices. A trainable section
    also has f32 masters, moments and a gradient of the same length. `values_sharded`: each rank stores its slice of the
    values (stage 3), otherwise all of them. `gradient_sharded` (stages 2, 3) and `optimizer_sharded` (stages 1 to 3) say
    the same of the gradient, and of masters and moments. Elements before `decay_end` are decayed. `values_tier` and
    `optimizer_tier` (masters, moments and gradient) say which memory holds what a rank stores: values outside the device are
    fetched before they are used, the optimizer works where its state is.

    ```mlir
    zero.section @unit1.trainable kind trainable {unit = 1 : i64, type = tensor<384xbf16>, slots = [#zero.slot<@a, 0>, #zero.slot<@b, 128>],
                                                  ranks = 2 : i64, decay_end = 384 : i64, gradient_sharded, optimizer_sharded}
    ```

    Constraints:
    - C1: `ranks` is positive and divides the length. C2: slots ascend and lie within the section. (What they hold doesn't overlap: C3 of zero.slot,
      C2 of zero.pack.)
    - C3: a sharded gradient and sharded trainable values need a sharded optimizer. (A whole gradient of sharded values is reduced once a step.)
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, I64Attr:$unit, Zero_SectionKind:$kind, TypeAttrOf<Zero_Flat>:$type, Zero_SlotsAttr:$slots,
                       I64Attr:$ranks, DefaultValuedAttr<I64Attr, "0">:$decay_end, UnitAttr:$values_sharded, UnitAttr:$gradient_sharded, UnitAttr:$optimizer_sharded,
                       DefaultValuedAttr<Zero_Tier, "::zp::zero::Tier::Device">:$values_tier,
                       DefaultValuedAttr<Zero_Tier, "::zp::zero::Tier::Device">:$optimizer_tier);
  let assemblyFormat = "$sym_name `kind` $kind attr-dict";
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    int64_t getElements() { return ::llvm::cast<::mlir::RankedTensorType>(getType()).getNumElements(); }
    int64_t getSliceElements() { return getElements() / static_cast<int64_t>(getRanks()); }
    /// The offset of a parameter's slot, if it is here.
    std::optional<int64_t> offsetOf(::mlir::FlatSymbolRefAttr parameter);
    /// Elements from a slot's offset to the next slot, or to the end.
    int64_t roomAt(int64_t offset);
    /// Elements of what this rank stores.
    int64_t getStoredValues() { return getValuesSharded() ? getSliceElements() : getElements(); }
    int64_t getStoredGradient() { return getGradientSharded() ? getSliceElements() : getElements(); }
    int64_t getStoredOptimizer() { return getOptimizerSharded() ? getSliceElements() : getElements(); }
  }];
}

def Zero_ValuesOp : Zero_OnSectionOp<"values", [MemoryEffects<[MemRead]>]> {
  let summary = "the values that this rank stores: its slice, or all of them";
  let description = [{
    In the section's element type and its order; padding is zero. Of a tier other than the device's they are good for zero.fetch alone.

    ```mlir
    zero.section @unit1.frozen kind frozen {unit = 1 : i64, type = tensor<4096xf32>, slots = [#zero.slot<@w, 0>], ranks = 2 : i64, values_sharded}
    %slice = zero.values @unit1.frozen : tensor<2048xf32>
    ```

    Constraints: C1: the symbol is a zero.section. C2: the length is what the section stores, the element type the section's.
  }];
  let arguments = (ins FlatSymbolRefAttr:$section);
  let results = (outs Zero_Flat:$result);
  let assemblyFormat = "$section attr-dict `:` type($result)";
}
def Zero_StoreValuesOp : Zero_OnSectionOp<"store_values", [MemoryEffects<[MemWrite]>]> {
  let summary = "replaces the values that this rank stores";
  let description = [{
    All of what this rank stores, as after an update.

    ```mlir
    zero.section @unit1.trainable kind trainable {unit = 1 : i64, type = tensor<384xf32>, slots = [#zero.slot<@a, 0>], ranks = 2 : i64}
    zero.store_values @unit1.trainable, %new : tensor<384xf32>
    ```

    Constraints: C1: the symbol is a zero.section. C2: the length is what the section stores, the element type the section's.
  }];
  let arguments = (ins FlatSymbolRefAttr:$section, Zero_Flat:$values);
  let assemblyFormat = "$section `,` $values attr-dict `:` type($values)";
}
def Zero_SlotOp : Zero_OnSectionOp<"slot", [Pure]> {
  let summary = "a parameter's view in a whole section";
  let description = [{
    The elements from the slot's offset on, as many as the result has, row by row. Nothing is moved: it becomes a window.

    ```mlir
    zero.section @unit1.frozen kind frozen {unit = 1 : i64, type = tensor<4096xf32>, slots = [#zero.slot<@w, 0>], ranks = 2 : i64, values_sharded}
    %w = zero.slot %whole, @unit1.frozen, @w : (tensor<4096xf32>) -> tensor<64x32xf32>
    ```

    Constraints: C1: the symbol is a zero.section. C2: `whole` has the section's length and element type, and the result that type. C3: the
    parameter has a slot there, and the result fits before the next one.
  }];
  let arguments = (ins Zero_Flat:$whole, FlatSymbolRefAttr:$section, FlatSymbolRefAttr:$parameter);
  let results = (outs Zero_Tensor:$result);
  let assemblyFormat = "$whole `,` $section `,` $parameter attr-dict `:` functional-type(operands, results)";
}
def Zero_PackOp : Zero_OnSectionOp<"pack", [Pure]> {
  let summary = "a whole section with the operands in the slots of `parameters`, zero elsewhere";
  let description = [{
    The inverse of zero.slot, for gradients. Nothing is moved: what makes an operand writes it into its window.

    ```mlir
    zero.section @unit1.trainable kind trainable {unit = 1 : i64, type = tensor<384xbf16>, slots = [#zero.slot<@a, 0>, #zero.slot<@b, 128>],
                                                  ranks = 2 : i64}
    %packed = zero.pack @unit1.trainable, [@a, @b] (%da, %db) : (tensor<4x32xf32>, tensor<64x4xf32>) -> tensor<384xf32>
    ```

    Constraints: C1: the symbol is a trainable zero.section. C2: one parameter an operand, each with a slot there that it fits.
    C3: the result has the section's length; all are of f32 elements.
  }];
  let arguments = (ins FlatSymbolRefAttr:$section, Variadic<Zero_Tensor>:$tensors, TypedArrayAttrBase<FlatSymbolRefAttr, "parameters">:$parameters);
  let results = (outs Zero_Flat:$result);
  let assemblyFormat = "$section `,` $parameters `(` $tensors `)` attr-dict `:` functional-type($tensors, results)";
}
def Zero_AccumulateGradientOp : Zero_OnSectionOp<"accumulate_gradient", [MemoryEffects<[MemWrite]>]> {
  let summary = "adds to the gradient that this rank stores";
  let description = [{
    In f32: a slice, already reduced, when gradients are sharded, else this rank's sum of its own micro-batches.

    ```mlir
    zero.section @unit1.trainable kind trainable {unit = 1 : i64, type = tensor<384xf32>, slots = [#zero.slot<@a, 0>], ranks = 2 : i64,
                                                  gradient_sharded, optimizer_sharded}
    zero.accumulate_gradient @unit1.trainable, %slice : tensor<192xf32>
    ```

    Constraints: C1: the symbol is a trainable zero.section. C2: the length is what the section stores, the elements are f32.
  }];
  let arguments = (ins FlatSymbolRefAttr:$section, Zero_Flat:$gradient);
  let assemblyFormat = "$section `,` $gradient attr-dict `:` type($gradient)";
}
def Zero_GradientOp : Zero_OnSectionOp<"gradient", [MemoryEffects<[MemRead]>]> {
  let summary = "the gradient that this rank stores, so far";
  let description = [{
    What zero.accumulate_gradient added since zero.clear_gradient, f32.

    ```mlir
    zero.section @unit1.trainable kind trainable {unit = 1 : i64, type = tensor<384xf32>, slots = [#zero.slot<@a, 0>], ranks = 2 : i64}
    %g = zero.gradient @unit1.trainable : tensor<384xf32>
    ```

    Constraints: C1: the symbol is a trainable zero.section. C2: the length is what the section stores, the elements are f32.
  }];
  let arguments = (ins FlatSymbolRefAttr:$section);
  let results = (outs Zero_Flat:$result);
  let assemblyFormat = "$section attr-dict `:` type($result)";
}
def Zero_ClearGradientOp : Zero_OnSectionOp<"clear_gradient", [MemoryEffects<[MemWrite]>]> {
  let summary = "sets the gradient that this rank stores to zero";
  let description = [{
    Done once an update, when the gradient has been used.

    ```mlir
    zero.section @unit1.trainable kind trainable {unit = 1 : i64, type = tensor<384xf32>, slots = [#zero.slot<@a, 0>], ranks = 2 : i64}
    zero.clear_gradient @unit1.trainable
    ```

    Constraints: C1: the symbol is a trainable zero.section.
  }];
  let arguments = (ins FlatSymbolRefAttr:$section);
  let assemblyFormat = "$section attr-dict";
}
def Zero_AdamwOp : Zero_OnSectionOp<"adamw", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "nn.adamw on the masters and moments that this rank stores; the result is their new values, rounded";
  let description = [{
    The formula is nn.adamw's, in f32. Element i of what is stored, n elements, is the section's element i + (optimizer_sharded ? rank·n : 0):
    weight decay applies to those before the section's `decay_end`. With a coefficient of 0 masters and moments stay as they are; the result is still
    the masters, rounded to the section's element type.

    ```mlir
    zero.section @unit1.trainable kind trainable {unit = 1 : i64, type = tensor<384xbf16>, slots = [#zero.slot<@a, 0>], ranks = 2 : i64,
                                                  optimizer_sharded}
    %new = zero.adamw @unit1.trainable, %g, %coefficient, %scalars
        {beta1 = 0.9 : f64, beta2 = 0.999 : f64, epsilon = 1.0e-8 : f64, weight_decay = 0.01 : f64}
        : (tensor<192xf32>, tensor<1xf32>, tensor<64xi8>) -> tensor<192xbf16>
    ```

    Constraints: C1: the symbol is a trainable zero.section. C2: gradient and result have the length of what the optimizer
    stores; the gradient is f32, the result has the section's element type.
  }];
  let arguments = (ins FlatSymbolRefAttr:$section, Zero_Flat:$gradient, Zero_Tensor:$coefficient, Zero_Tensor:$scalars,
                       F64Attr:$beta1, F64Attr:$beta2, F64Attr:$epsilon, F64Attr:$weight_decay);
  let results = (outs Zero_Flat:$result);
  let assemblyFormat = "$section `,` $gradient `,` $coefficient `,` $scalars attr-dict `:` functional-type(operands, results)";
}
def Zero_LoadOp : Zero_OnSectionOp<"load", [MemoryEffects<[MemWrite]>]> {
  let summary = "brings the first values of a section: what this rank stores of values, and of masters";
  let description = [{
    Where a parameter's values come from, its nn.parameter says: checkpoint tensors or initial values, each rank reading only what it stores. Padding
    becomes zero, and so do moments and gradient.

    ```mlir
    zero.section @unit1.frozen kind frozen {unit = 1 : i64, type = tensor<4096xf32>, slots = [#zero.slot<@w, 0>], ranks = 2 : i64, values_sharded}
    zero.load @unit1.frozen
    ```

    Constraints: C1: the symbol is a zero.section.
  }];
  let arguments = (ins FlatSymbolRefAttr:$section);
  let assemblyFormat = "$section attr-dict";
}

#endif // ZP_DIALECTS_ZERO_IR_ZEROPARTITIONOPS_TD
