//===- PlanInterfaces.td ----------------------------------------------------===//
#ifndef ZP_DIALECTS_PLAN_IR_PLANINTERFACES_TD
#define ZP_DIALECTS_PLAN_IR_PLANINTERFACES_TD

include "mlir/IR/OpBase.td"

def Plan_InstructionOpInterface : OpInterface<"InstructionOpInterface"> {
  let description = [{ What every instruction can say of itself; the methods are generated from the op table. }];
  let cppNamespace = "::zp::plan";
  let methods = [
    InterfaceMethod<"the stable number of this kind of instruction", "uint16_t", "getOpcode">,
    InterfaceMethod<"the stream that runs it", "int64_t", "getStreamId">,
    InterfaceMethod<"assigns the stream", "void", "setStreamId", (ins "int64_t":$stream)>,
    InterfaceMethod<"all ranks issue it, in the same order", "bool", "isCollective">,
    InterfaceMethod<"tensor operands in the op table's order with how they are touched; null where an optional one is absent",
                    "::llvm::SmallVector<::zp::plan::Access>", "getAccesses">,
  ];
}

#endif // ZP_DIALECTS_PLAN_IR_PLANINTERFACES_TD
