// Matrix product of the kernels: matmul, nf4_matmul, cross-entropy's three products. Own code: blocked and packed as in BLIS,
// with everything thread-private on the stack, so that it allocates nothing.
//
// The order in which an element of C is summed depends on the shape alone: blocks of kKBlock along K, one after the other.
// Tiles of C may thus be cut to suit the number of threads without changing a bit.
#ifndef ZP_RUNTIME_KERNELS_GEMM_GEMM_H
#define ZP_RUNTIME_KERNELS_GEMM_GEMM_H

#include "runtime/kernels/gemm/bf16_engine.h"
#include "runtime/kernels/kernel.h"

namespace zp::rt {
struct QuantMatrix;

/// C[m,n] = alpha·op(A)·op(B) (+ branch) (+ bias) (+ C). A is [m,k], or [k,m] when transposed; B is [k,n], or [n,k] when transposed.
/// Rows lie lda, ldb, ldc elements apart. Inputs and bias have one dtype (f32, bf16 or f16); C has it too or is f32.
struct GemmProblem {
  int64_t m = 0, n = 0, k = 0;
  const void *a = nullptr, *b = nullptr;
  int64_t lda = 0, ldb = 0;
  /// B in 4-bit codes instead of b and ldb, decoded while it is packed. The result is that of the decoded B, bit for bit. A is
  /// then not transposed.
  const QuantMatrix *quantB = nullptr;
  bool transposeA = false, transposeB = false;
  DType input = DType::F32;
  void *c = nullptr;
  int64_t ldc = 0;
  DType output = DType::F32;
  float alpha = 1;
  /// The branch, an adapter's second product: branchAlpha·branchA·op(branchB), dense, branchA [m,branchK], branchB transposed where B is.
  /// It is one more block of sums, rounded with the others. branchK is at most kMaxBranchRank.
  const void *branchA = nullptr, *branchB = nullptr;
  int64_t branchK = 0;
  float branchAlpha = 1;
  const void *bias = nullptr; // [n]
  bool accumulate = false;
  /// What multiplies bf16; null, and for f16: f32 arithmetic on converted operands.
  const Bf16Engine *engine = nativeBf16Engine();
};

void gemm(const KernelContext &context, const GemmProblem &problem);

} // namespace zp::rt

#endif // ZP_RUNTIME_KERNELS_GEMM_GEMM_H
