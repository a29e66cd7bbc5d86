#ifndef ZP_DIALECTS_NN_IR_NNBASE_TD
#define ZP_DIALECTS_NN_IR_NNBASE_TD

include "dialects/NN/IR/NNDialect.td"
include "dialects/NN/IR/NNEnums.td"
include "dialects/NN/IR/NNInterfaces.td"
include "mlir/IR/OpBase.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

class NN_TensorOf<list<Type> elements, int rank, string summary>
    : RankedTensorOf<elements, [HasStaticShapePred, HasAnyRankOfPred<[rank]>], summary>;
defvar NN_Floats = [F32, BF16, F16, F64];

def NN_Tensor : StaticShapeTensorOf<[AnyType]>;
def NN_Float : StaticShapeTensorOf<NN_Floats>;
def NN_Matrix : NN_TensorOf<NN_Floats, 2, "matrix of floats">;
def NN_Vector : NN_TensorOf<NN_Floats, 1, "vector of floats">;
def NN_Indices : NN_TensorOf<[I32], 1, "vector of i32">;
def NN_Scalars : NN_TensorOf<[I8], 1, "block of step scalars, as bytes">;
def NN_Double1 : NN_TensorOf<[F64], 1, "vector of f64">;

class NN_Op<string mnemonic, list<Trait> traits = []> : Op<NN_Dialect, mnemonic, traits>;

// A function of its operands: no effects, one home for its rules in NNVerifiers.cpp.
class NN_PureOp<string mnemonic, list<Trait> traits = []> : NN_Op<mnemonic, traits # [Pure]> {
  let hasVerifier = 1;
}
class NN_DifferentiableOp<string mnemonic, list<Trait> traits = []>
    : NN_PureOp<mnemonic, traits # [DeclareOpInterfaceMethods<NN_DifferentiableOpInterface>]>;

#endif // ZP_DIALECTS_NN_IR_NNBASE_TD
