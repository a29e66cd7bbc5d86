#ifndef ZP_DIALECTS_ZERO_IR_ZEROATTRS_TD
#define ZP_DIALECTS_ZERO_IR_ZEROATTRS_TD

include "dialects/Zero/IR/ZeroDialect.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"

def Zero_SectionKind : I32EnumAttr<"SectionKind", "what a section holds", [
    I32EnumAttrCase<"Frozen", 0, "frozen">, I32EnumAttrCase<"Trainable", 1, "trainable">,
    I32EnumAttrCase<"Codes", 2, "codes">]> {
  let cppNamespace = "::zp::zero";
}

def Zero_Tier : I32EnumAttr<"Tier", "which memory holds something", [
    I32EnumAttrCase<"Device", 0, "device">, I32EnumAttrCase<"Host", 2, "host">, I32EnumAttrCase<"Disk", 3, "disk">]> {
  let cppNamespace = "::zp::zero";
}

def Zero_SlotAttr : AttrDef<Zero_Dialect, "Slot"> {
  let mnemonic = "slot";
  let summary = "a parameter's place in a section: elements from the section's start";
  let parameters = (ins "::mlir::FlatSymbolRefAttr":$parameter, "int64_t":$offset);
  let assemblyFormat = "`<` $parameter `,` $offset `>`";
}
def Zero_SlotsAttr : TypedArrayAttrBase<Zero_SlotAttr, "slots of a section">;

#endif // ZP_DIALECTS_ZERO_IR_ZEROATTRS_TD
