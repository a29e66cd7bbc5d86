// The rules of a product's branch, which matmul and nf4_matmul share.
#ifndef ZP_RUNTIME_KERNELS_GEMM_CHECK_BRANCH_H
#define ZP_RUNTIME_KERNELS_GEMM_CHECK_BRANCH_H

#include <cmath>

#include "runtime/kernels/check.h"
#include "runtime/schema/limits.h"

namespace zp::rt {

/// branch_a [M,R] and branch_b ([R,n], or [n,R] when transposed), of the dtype of `a`: both or none, R at most kMaxBranchRank.
template <typename Args> void checkBranch(Checker &checker, const Args &args, int64_t n, bool transposed) {
  const TensorView &branchA = args.branchA, &branchB = args.branchB;
  checker.finite("branch_alpha", args.branchAlpha)
      .rule(static_cast<bool>(branchA) == static_cast<bool>(branchB), branchA ? "branch_b is absent" : "branch_a is absent",
            "a whole branch, or none")
      .dtype(branchA, {args.a.dtype})
      .dtype(branchB, {args.a.dtype})
      .shape(branchA, {args.target.dims[0], -1});
  if (!checker.ok() || !branchA)
    return;
  const int64_t rank = branchA.dims[1];
  checker.rule(rank <= kMaxBranchRank, "branch_a has " + std::to_string(rank) + " columns", "at most " + std::to_string(kMaxBranchRank));
  if (transposed)
    checker.shape(branchB, {n, rank});
  else
    checker.shape(branchB, {rank, n});
}

} // namespace zp::rt

#endif // ZP_RUNTIME_KERNELS_GEMM_CHECK_BRANCH_H
