#include "runtime/kernels/gemm/gemm.h"
#include "runtime/kernels/kernels.h"

namespace zp::rt::cpu {

void run(const KernelContext &context, const MatmulArgs &args) {
  GemmProblem problem;
  problem.m = args.target.dims[0];
  problem.n = args.target.dims[1];
  problem.k = args.a.dims[args.transposeA ? 0 : 1];
  problem.a = args.a.data;
  problem.b = args.b.data;
  problem.lda = args.a.dims[1];
  problem.ldb = args.b.dims[1];
  problem.transposeA = args.transposeA;
  problem.transposeB = args.transposeB;
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
