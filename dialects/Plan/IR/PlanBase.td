//===- PlanBase.td - classes of the op table --------------------------------===//
//
// Every instruction of a plan is declared once, in Plan*Ops.td, with these classes. `mlir-tblgen` makes the C++ op classes
// from it, `zp-tblgen` the flatbuffer's op part, the runtime's argument structs, the kernel list and the verifier's
// signature table (see ../README.md).
//===----------------------------------------------------------------------===//

#ifndef ZP_DIALECTS_PLAN_IR_PLANBASE_TD
#define ZP_DIALECTS_PLAN_IR_PLANBASE_TD

include "dialects/Plan/IR/PlanDialect.td"
include "dialects/Plan/IR/PlanInterfaces.td"
include "mlir/IR/OpBase.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

// How an instruction touches a tensor operand. The order is: reads first, then what it writes.
class Reads<string doc = ""> : Arg<AnyMemRef, doc, [MemRead]>;
class Writes<string doc = ""> : Arg<AnyMemRef, doc, [MemWrite]>;
class Updates<string doc = ""> : Arg<AnyMemRef, doc, [MemRead, MemWrite]>;
class OptionalReads<string doc = ""> : Arg<Optional<AnyMemRef>, doc, [MemRead]>;
class OptionalWrites<string doc = ""> : Arg<Optional<AnyMemRef>, doc, [MemWrite]>;
class OptionalUpdates<string doc = ""> : Arg<Optional<AnyMemRef>, doc, [MemRead, MemWrite]>;

// Who carries an instruction out.
class Executor<string name> { string cppName = name; }
def OnDevice : Executor<"Device">;         // a kernel: kernels/<name>/
def ByStream : Executor<"Stream">;         // the device interface itself: copies and events
def ByEngine : Executor<"Engine">;         // the collective engine; every rank issues it in the same order
def ByLoader : Executor<"Loader">;         // host-only, allowed in `init` alone: reads weights, draws initial values

// An op with two or more optional operands adds AttrSizedOperandSegments.
class Plan_Instruction<string mnemonic, int number, Executor by, dag args, list<Trait> traits = []>
    : Op<Plan_Dialect, mnemonic, traits # [DeclareOpInterfaceMethods<Plan_InstructionOpInterface>]> {
  // Stable for ever: a number is never reused, a removed op leaves its number reserved.
  int opcode = number;
  Executor executor = by;
  dag operation = args;
  let arguments = !con(args, (ins DefaultValuedAttr<I64Attr, "0">:$stream));
  let assemblyFormat = "operands attr-dict `:` type(operands)";
}

#endif // ZP_DIALECTS_PLAN_IR_PLANBASE_TD
