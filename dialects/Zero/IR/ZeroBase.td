#ifndef ZP_DIALECTS_ZERO_IR_ZEROBASE_TD
#define ZP_DIALECTS_ZERO_IR_ZEROBASE_TD

include "dialects/Zero/IR/ZeroTypes.td"
include "dialects/Zero/IR/ZeroAttrs.td"
include "mlir/IR/OpBase.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Zero_Flat : RankedTensorOf<[AnyType], [HasStaticShapePred, HasAnyRankOfPred<[1]>], "flat tensor">;
def Zero_Tensor : StaticShapeTensorOf<[AnyType]>;

class Zero_Op<string mnemonic, list<Trait> traits = []> : Op<Zero_Dialect, mnemonic, traits>;
// An op on the state of a section named by symbol; the verifier finds it and checks sizes.
class Zero_OnSectionOp<string mnemonic, list<Trait> traits = []>
    : Zero_Op<mnemonic, traits # [DeclareOpInterfaceMethods<SymbolUserOpInterface>]>;

#endif // ZP_DIALECTS_ZERO_IR_ZEROBASE_TD
