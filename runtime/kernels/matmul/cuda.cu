#include "runtime/kernels/cuda/add_bias.h"
#include "runtime/kernels/cuda/branch.h"
#include "runtime/kernels/cuda/kernels.h"

namespace zp::rt::cuda {

/// The branch is a product of its own. A bias is the epilogue where it has the target's dtype, as the library wants it; else it is added apart.
Status run(const Context &context, const MatmulArgs &args) {
  Product product;
  product.m = args.target.dims[0];
  product.n = args.target.dims[1];
  product.k = args.a.dims[args.transposeA ? 0 : 1];
  product.a = args.a.data;
  product.b = args.b.data;
  product.target = args.target.data;
  const bool fused = args.bias && args.bias.dtype == args.target.dtype;
  product.bias = fused ? args.bias.data : nullptr;
  product.strideA = args.a.dims[1];
  product.strideB = args.b.dims[1];
  product.strideTarget = product.n;
  product.transposeA = args.transposeA;
  product.transposeB = args.transposeB;
  product.accumulate = args.accumulate;
  product.dtype = args.a.dtype;
  product.targetDtype = args.target.dtype;
  product.alpha = args.alpha;
  ZP_RETURN_IF_ERROR(multiplyBranch(context, product, args));
  ZP_RETURN_IF_ERROR(context.products->multiply(product, context.stream));
  if (args.bias && !fused)
    addBias(context, args.bias, args.target);
  return {};
}

} // namespace zp::rt::cuda
