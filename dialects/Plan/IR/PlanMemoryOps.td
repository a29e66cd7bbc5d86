// Buffers, windows of them, and entry points: everything of a plan that is no instruction.
#ifndef ZP_DIALECTS_PLAN_IR_PLANMEMORYOPS_TD
#define ZP_DIALECTS_PLAN_IR_PLANMEMORYOPS_TD

include "dialects/Plan/IR/PlanDialect.td"
include "dialects/Plan/IR/PlanEnums.td"
include "mlir/IR/OpBase.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Plan_BufferOp : Op<Plan_Dialect, "buffer", [Symbol]> {
  let summary = "bytes in a tier, for good (in the module) or for one run of an entry (inside it)";
  let description = [{
    `offset` is the place in the tier's arena, assigned by plan-assign-arenas. `kind` says what the bytes are for, in reports of memory.

    ```mlir
    plan.buffer @gradients tier device kind gradients {bytes = 4096 : i64}
    ```

    Constraints: C1: bytes is positive. C2: offset, when there, isn't negative and is a multiple of 64.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, I64Attr:$bytes, Plan_Tier:$tier, Plan_BufferKind:$kind, OptionalAttr<I64Attr>:$offset);
  let assemblyFormat = "$sym_name `tier` $tier `kind` $kind attr-dict";
  let hasVerifier = 1;
}

def Plan_EntryOp : Op<Plan_Dialect, "entry", [Symbol, SymbolTable, NoTerminator, SingleBlock, NoRegionArguments]> {
  let summary = "a straight list of instructions that the host starts as a whole";
  let description = [{
    Instructions run in the order of the list on each stream; events order streams. A buffer declared inside lives for one run of the entry. `rows`,
    `length` and `source_length` are those of the nn.program that it was: what the host gives and reads is counted in them.

    ```mlir
    plan.entry @train_step kind train_step attributes {rows = 2 : i64, length = 8 : i64} {
    }
    ```

    Constraints: C1: the body is one block without arguments. When a plan is loaded: no two entries have kind, rows and lengths in common, and
    rows times a length is at most 2³⁰ tokens.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, Plan_EntryKind:$kind, DefaultValuedAttr<I64Attr, "0">:$rows, DefaultValuedAttr<I64Attr, "0">:$length,
                       DefaultValuedAttr<I64Attr, "0">:$source_length);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$sym_name `kind` $kind attr-dict-with-keyword $body";
}

def Plan_ViewOp : Op<Plan_Dialect, "view", [Pure]> {
  let summary = "a typed window of a buffer, `offset` bytes from its start";
  let description = [{
    The memory is the buffer's own: views of one buffer may overlap. No bytes are moved.

    ```mlir
    plan.buffer @gradients tier device kind gradients {bytes = 4096 : i64}
    %g = plan.view @gradients[1024] : memref<16x32xf32>
    ```

    Constraints: C1: the offset isn't negative. C2: the memref is static and contiguous. When a plan is loaded: the window lies within the buffer.
  }];
  let arguments = (ins FlatSymbolRefAttr:$buffer, I64Attr:$offset);
  let results = (outs AnyMemRef:$result);
  let assemblyFormat = "$buffer `[` $offset `]` attr-dict `:` type($result)";
  let hasVerifier = 1;
}
def Plan_InputOp : Op<Plan_Dialect, "input", [MemoryEffects<[MemRead]>]> {
  let summary = "memory that the host fills before the entry runs";
  let description = [{
    The host writes it before the entry starts; it counts as written then.

    ```mlir
    plan.input "input_ids", %ids : memref<16xi32>
    ```

    Constraints, when a plan is loaded: an entry has a name once, and it is one that the runtime can give (see nn.input), with its dtype and number of
    elements: i32 a token, or the bytes of the step scalars.
  }];
  let arguments = (ins StrAttr:$name, AnyMemRef:$target);
  let assemblyFormat = "$name `,` $target attr-dict `:` type($target)";
}
def Plan_OutputOp : Op<Plan_Dialect, "output", [MemoryEffects<[MemRead]>]> {
  let summary = "memory that the host may read after the entry has run";
  let description = [{
    It holds then what the instructions gave its buffer last.

    ```mlir
    plan.output "metrics", %metrics : memref<4xf64>
    ```

    Constraints, when a plan is loaded: an entry has a name once; metrics is f64 of 4 or 5 elements, loss_sum f64 of 1 or 2.
  }];
  let arguments = (ins StrAttr:$name, AnyMemRef:$source);
  let assemblyFormat = "$name `,` $source attr-dict `:` type($source)";
}

#endif // ZP_DIALECTS_PLAN_IR_PLANMEMORYOPS_TD
