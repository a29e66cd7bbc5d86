// Embeddings, products, 4-bit weights, the loss.
#ifndef ZP_DIALECTS_PLAN_IR_PLANPRODUCTOPS_TD
#define ZP_DIALECTS_PLAN_IR_PLANPRODUCTOPS_TD

include "dialects/Plan/IR/PlanBase.td"

//===--- embeddings --------------------------------------------------------===//

def Plan_EmbeddingOp : Plan_Instruction<"embedding", 40, OnDevice,
    (ins Reads<"f[V,D]">:$table, Reads<"i32[T]">:$ids, Writes<"f[T,D]">:$target, I64Attr:$offset)> {
  let summary = "target[t] = table[ids[t] + offset]; ids were checked against V by the host";
  let description = [{
    Rows are copied. An id that names no row, which no host lets in, gives zeros: foreign memory is never read.

    Constraints: table and target have one dtype; ids [T], table [V,D], target [T,D]; 0 <= offset < V.
  }];
}
def Plan_EmbeddingGradientOp : Plan_Instruction<"embedding_gradient", 41, OnDevice,
    (ins Reads<"i32[T]">:$ids, Reads<"f[T,D]">:$grad_out, Updates<"f32[V,D]">:$grad_table, I64Attr:$offset, I64Attr:$padding)> {
  let summary = "adds grad_out[t] into grad_table[ids[t] + offset], in the order of t";
  let description = [{
    In f32. An id that names no row adds nothing, nor does `padding` (-1: every id counts).

    Constraints: ids [T], grad_out [T,D] of a compute dtype, grad_table f32 [V,D]; 0 <= offset < V; -1 <= padding < V - offset.
  }];
}

//===--- products ----------------------------------------------------------===//

def Plan_MatmulOp : Plan_Instruction<"matmul", 42, OnDevice,
    (ins Reads<"[M,K], or [K,M] when transposed">:$a, Reads<"[K,N], or [N,K] when transposed">:$b, OptionalReads<"f[N]">:$bias,
         OptionalReads<"[M,R]">:$branch_a, OptionalReads<"[R,N], or [N,R] when b is transposed">:$branch_b,
         OptionalWrites<"u8">:$workspace, Updates<"f or f32 [M,N]">:$target,
         BoolAttr:$transpose_a, BoolAttr:$transpose_b, F64Attr:$alpha, BoolAttr:$accumulate, F64Attr:$branch_alpha), [AttrSizedOperandSegments]> {
  let summary = "target = alpha·op(a)·op(b) (+ branch_alpha·branch_a·op(branch_b)) (+ bias) (+ target when accumulate)";
  let description = [{
    a, b, bias and the branch have one dtype (f32, bf16 or f16); target has it too, or is f32. Sums are f32, rounded once into target. The
    branch, an adapter's second product, is given whole or not at all; R is at most kMaxBranchRank (runtime/schema/limits.h). Operands that are
    absent are 0 in `operandSegmentSizes`:

    ```mlir
    plan.matmul %x, %w, %y {transpose_a = false, transpose_b = true, alpha = 1.0 : f64, accumulate = false, branch_alpha = 1.0 : f64,
        operandSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 1>} : memref<16x32xbf16>, memref<64x32xbf16>, memref<16x64xbf16>
    ```

    Constraints: op(a) is [M,K], op(b) [K,N], target [M,N], bias [N], branch_a [M,R] and op(branch_b) [R,N]; alpha and branch_alpha are finite.
    Without `accumulate` target's old elements are not read.
  }];
}
def Plan_ColumnSumOp : Plan_Instruction<"column_sum", 43, OnDevice, (ins Reads<"f[T,D]">:$source, Updates<"f32[D]">:$target)> {
  let summary = "adds the sum over rows into target: the gradient of a bias";
  let description = [{
    target[d] += the sum over t of source[t, d], f32.

    Constraints: source is [T,D] of a compute dtype, target f32 [D].
  }];
}
def Plan_NF4MatmulOp : Plan_Instruction<"nf4_matmul", 54, OnDevice,
    (ins Reads<"f[M,columns], or f[M,rows] when not transposed">:$a, Reads<"u8[bytes]: records of [rows,columns]">:$weight,
         OptionalReads<"f[N]">:$bias, OptionalReads<"f[M,R]">:$branch_a, OptionalReads<"f[R,N], or f[N,R] when transposed">:$branch_b,
         OptionalWrites<"u8: a panel of dequantised weights, where the target wants one">:$workspace,
         OptionalWrites<"f[rows,columns]: W itself, left for products to come">:$floats, Updates<"f[M,N]">:$target,
         I64Attr:$rows, I64Attr:$columns, BoolAttr:$transpose, F64Attr:$alpha, BoolAttr:$accumulate,
         I64Attr:$quant_type, I64Attr:$block_size, BoolAttr:$nested, F64Attr:$branch_alpha), [AttrSizedOperandSegments]> {
  let summary = "target = alpha·a·op(W) (+ branch_alpha·branch_a·op(branch_b)) (+ bias) (+ target when accumulate), W being 4-bit";
  let description = [{
    W is [rows, columns] in records (runtime/schema/quant_records.h); op transposes it when `transpose` (N = rows: a linear), else N = columns
    (its input gradient). An element of W is round_f(value[code]·scale), the scale of a nested block being
    map[code]·group scale + offset, rounded after each operation: the same bits as nf4_dequantize. Sums and branch as in matmul. No
    dequantised copy is larger than a tile, except `floats` where the plan has room for it (plan-share-dequantized).

    Constraints: quant_type is one of runtime/schema/quant_types.inc, block_size a power of two from 32 to 4096; weight has the bytes of its
    records, at a multiple of 16. a, bias, branch, floats and target have one dtype; a is [M, columns] when transposed, else [M, rows], floats
    [rows, columns]. The branch is as matmul's.
  }];
}
def Plan_NF4DequantizeOp : Plan_Instruction<"nf4_dequantize", 55, OnDevice,
    (ins Reads<"u8[bytes]: records of [rows,columns]">:$weight, Writes<"f[rows,columns]">:$target, I64Attr:$quant_type, I64Attr:$block_size, BoolAttr:$nested)> {
  let summary = "a weight from its 4-bit codes, one rounding to f; bit for bit the reference's";
  let description = [{
    An element is round_f(value[code]·scale), the scale of a nested block being map[code]·group scale + offset, rounded after each operation.

    Constraints: quant_type is one of runtime/schema/quant_types.inc, block_size a power of two from 32 to 4096; weight has the bytes of target's
    records, at a multiple of 16; target is [rows, columns] of a compute dtype.
  }];
}

//===--- the loss ----------------------------------------------------------===//

def Plan_LinearCrossEntropyOp : Plan_Instruction<"linear_cross_entropy", 53, OnDevice,
    (ins Reads<"f[T,D]">:$hidden, Reads<"f[V,D]">:$weight, Reads<"i32[T], -100 = not counted">:$labels, Writes<"u8">:$workspace,
         Updates<"f64[1], f64[2] or f64[2·T/length]: added into">:$loss_sum, OptionalWrites<"f[T,D]">:$grad_hidden, OptionalUpdates<"f32[V,D]: added into">:$grad_weight,
         OptionalReads<"u8">:$scalars, I64Attr:$chunk, I64Attr:$length), [AttrSizedOperandSegments]> {
  let summary = "sum of next-token losses of hidden·weightᵀ, with its gradients, a chunk of tokens at a time";
  let description = [{
    The target of token t is labels[t+1] when t+1 lies in the same row (t / length), else nothing. Logits are formed for `chunk` tokens at a time
    in the workspace, rounded to f, then log-softmax in f32; the gradient (softmax - onehot) is rounded to f and multiplied on. Gradients are of
    the *sum*: the division by the count is apply_gradients' work. With `scalars` they are of the sum times scalars.loss_scale, from before that
    rounding on. Rows without a target add nothing to the loss or the gradients, and have a zero grad_hidden; their products may be left out. The
    labels were checked against V by the host. A second element of loss_sum counts the targets that have the largest of their logits, and are
    the first that do; with 2·T/length elements each row has such a pair of its own.

    Constraints: hidden, weight and grad_hidden have one dtype; 1 <= chunk <= T; length divides T; V and T are below 2³¹; workspace has the bytes of
    linearCrossEntropyLayout (runtime/schema/workspaces.h).
  }];
}

#endif // ZP_DIALECTS_PLAN_IR_PLANPRODUCTOPS_TD
