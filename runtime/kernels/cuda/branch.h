// The second product of matmul and nf4_matmul: an adapter's branch, added into the same target.
#ifndef ZP_RUNTIME_KERNELS_CUDA_BRANCH_H
#define ZP_RUNTIME_KERNELS_CUDA_BRANCH_H

#include "runtime/kernels/cuda/products.h"
#include "runtime/schema/tensor_view.h"

namespace zp::rt::cuda {

/// `base`'s target gets alpha·branchA·op(branchB) added; branchB is [n, rank] when transposed, else [rank, n].
inline Product branchOf(Product base, const TensorView &branchA, const TensorView &branchB, bool transposed, double alpha) {
  base.k = branchA.dims[1];
  base.a = branchA.data;
  base.b = branchB.data;
  base.strideA = branchA.dims[1];
  base.strideB = branchB.dims[1];
  base.transposeA = false;
  base.transposeB = transposed;
  base.bias = nullptr;
  base.accumulate = true;
  base.alpha = alpha;
  return base;
}

} // namespace zp::rt::cuda

#endif // ZP_RUNTIME_KERNELS_CUDA_BRANCH_H
