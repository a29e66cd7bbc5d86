#ifndef ZP_DIALECTS_ZERO_IR_ZEROTYPES_TD
#define ZP_DIALECTS_ZERO_IR_ZEROTYPES_TD

include "dialects/Zero/IR/ZeroDialect.td"
include "mlir/IR/AttrTypeBase.td"

def Zero_FutureType : TypeDef<Zero_Dialect, "Future"> {
  let mnemonic = "future";
  let summary = "a tensor that is on its way";
  let parameters = (ins "::mlir::RankedTensorType":$value);
  let assemblyFormat = "`<` $value `>`";
}

#endif // ZP_DIALECTS_ZERO_IR_ZEROTYPES_TD
