//===- NNDialect.td - transformer mathematics --------------------------------===//
// Include order, to prevent cycles: NNDialect, NNEnums, NNInterfaces, NNBase, NN*Ops, NNOps.
#ifndef ZP_DIALECTS_NN_IR_NNDIALECT_TD
#define ZP_DIALECTS_NN_IR_NNDIALECT_TD

include "mlir/IR/DialectBase.td"

def NN_Dialect : Dialect {
  let name = "nn";
  let cppNamespace = "::zp::nn";
  let summary = "transformer training on whole tensors: parameters, layers, gradients, optimizer";
  let description = [{
    What a fine-tuning step *means*, on one machine with endless memory. It knows no ranks, no devices, no bytes and no
    4-bit; those are `zero`, `plan` and `nf4`. Values are tensors of static shape. What lives from step to step is named by
    symbols: `nn.parameter` (with its gradient and moments, which belong to the symbol) and `nn.state`.

    T is the number of tokens of a micro-batch (rows × length); activations are matrices [T, features]. `scalars` is the block of step scalars
    (runtime/schema/step_scalars.h), as bytes. Arithmetic is in f32 or wider, and an element of a result is rounded once, to the result's element
    type, unless an op says where else it rounds. Gradients are of the sum over tokens. A constraint that MLIR itself checks (one type of all
    operands, a static shape) has a number too; its message is MLIR's.

    Every op may carry `nn.unit` (the parameter unit it belongs to: 0 embeddings, 1..L blocks, L+1 head) and `nn.backward`; an nn.state that holds
    a weight's copy as floats, which init alone writes, is marked `nn.dequantized`.

    ```mlir
    nn.parameter @w : tensor<64x32xf32> initial checkpoint {unit = 1 : i64, checkpoint = "w", saved_as = "w", trainable}
    nn.program @train_step kind train_step {
      %x = nn.input "x" : tensor<16x32xf32>
      %w = nn.read @w : tensor<64x32xf32>
      %y = nn.linear %x, %w : (tensor<16x32xf32>, tensor<64x32xf32>) -> tensor<16x64xf32>
    }
    ```
  }];
  let extraClassDeclaration = [{
    /// Discardable attribute: the parameter unit an op belongs to.
    static constexpr ::llvm::StringLiteral kUnitAttr = "nn.unit";
    /// Discardable unit attribute: the op belongs to the backward pass.
    static constexpr ::llvm::StringLiteral kBackwardAttr = "nn.backward";
    /// Discardable unit attribute of nn.state: it is a 4-bit weight as floats, which init writes once.
    static constexpr ::llvm::StringLiteral kDequantizedAttr = "nn.dequantized";
    /// Module attribute: the job's settings, by the names of runtime/schema/settings.inc.
    static constexpr ::llvm::StringLiteral kSettingsAttr = "zp.settings";
  }];
}

#endif // ZP_DIALECTS_NN_IR_NNDIALECT_TD
