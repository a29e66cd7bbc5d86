// The second product of matmul and nf4_matmul: an adapter's branch.
#ifndef ZP_RUNTIME_KERNELS_CUDA_BRANCH_H
#define ZP_RUNTIME_KERNELS_CUDA_BRANCH_H

#include "runtime/kernels/cuda/context.h"
#include "runtime/kernels/cuda/products.h"
#include "runtime/schema/tensor_view.h"

namespace zp::rt::cuda {

/// Multiplies the branch of `args`, where it has one, into the target of `base`, and makes `base` add to that. In this order what is rounded
/// before the sum is the small part of it, and the library reads it while it stores sums of its own: the large product hides that.
/// `base` has the whole target, and its bias is still to come.
template <typename Args> Status multiplyBranch(const Context &context, Product &base, const Args &args) {
  if (!args.branchA)
    return {};
  Product branch = base;
  branch.k = args.branchA.dims[1];
  branch.a = args.branchA.data;
  branch.b = args.branchB.data;
  branch.strideA = args.branchA.dims[1];
  branch.strideB = args.branchB.dims[1];
  branch.transposeA = false;
  branch.bias = nullptr;
  branch.alpha = args.branchAlpha;
  base.accumulate = true;
  return context.products->multiply(branch, context.stream);
}

} // namespace zp::rt::cuda

#endif // ZP_RUNTIME_KERNELS_CUDA_BRANCH_H
