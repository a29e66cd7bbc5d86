#ifndef ZP_DIALECTS_NN_IR_NNINTERFACES_TD
#define ZP_DIALECTS_NN_IR_NNINTERFACES_TD

include "mlir/IR/OpBase.td"

def NN_DifferentiableOpInterface : OpInterface<"DifferentiableOpInterface"> {
  let description = [{ An op that states its own vector-Jacobian product; see nn-build-backward. }];
  let cppNamespace = "::zp::nn";
  let methods = [
    InterfaceMethod<[{
      Builds the gradients of the operands. `resultGradients[i]` is the gradient of result i, null when nothing depends on
      it (at least one isn't). `needed[j]` says whether operand j's gradient is wanted; `operandGradients[j]` is set for
      those, and only for those. The gradient of a parameter-shaped operand (weight, bias, table) is f32, whatever the
      compute type; the gradient of an activation has the activation's type.
    }], "void", "buildVjp", (ins "::mlir::OpBuilder &":$builder, "::llvm::ArrayRef<::mlir::Value>":$resultGradients,
        "::llvm::ArrayRef<bool>":$needed, "::llvm::MutableArrayRef<::mlir::Value>":$operandGradients)>,
  ];
}

#endif // ZP_DIALECTS_NN_IR_NNINTERFACES_TD
