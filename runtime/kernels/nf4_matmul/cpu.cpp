#include "runtime/kernels/gemm/gemm.h"
#include "runtime/kernels/kernels.h"
#include "runtime/kernels/quant/quant_matrix.h"

namespace zp::rt::cpu {

/// Tiles are decoded on the stack whether floats are wanted or not: no plan for a CPU wants them.
void run(const KernelContext &context, const NF4MatmulArgs &args) {
  if (args.floats) {
    NF4DequantizeArgs dequantize;
    dequantize.weight = args.weight;
    dequantize.target = args.floats;
    dequantize.quantType = args.quantType;
    dequantize.blockSize = args.blockSize;
    dequantize.nested = args.nested;
    run(context, dequantize);
  }
  const QuantMatrix weight = quantMatrixOf(args, args.rows, args.columns);
  GemmProblem problem;
  problem.m = args.target.dims[0];
  problem.n = args.target.dims[1];
  problem.k = args.a.dims[1];
  problem.a = args.a.data;
  problem.lda = args.a.dims[1];
  problem.quantB = &weight;
  problem.transposeB = args.transpose;
  problem.input = args.a.dtype;
  problem.c = args.target.data;
  problem.ldc = args.target.dims[1];
  problem.output = args.target.dtype;
  problem.alpha = static_cast<float>(args.alpha);
  problem.branchA = args.branchA.data;
  problem.branchB = args.branchB.data;
  problem.branchK = args.branchA ? args.branchA.dims[1] : 0;
  problem.branchAlpha = static_cast<float>(args.branchAlpha);
  problem.bias = args.bias.data;
  problem.accumulate = args.accumulate;
  gemm(context, problem);
}

} // namespace zp::rt::cpu
