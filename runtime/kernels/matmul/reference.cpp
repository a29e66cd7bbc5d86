#include "runtime/kernels/kernels.h"
#include "runtime/kernels/matmul/reference_product.h"

namespace zp::rt::reference {

void run(const KernelContext &context, const MatmulArgs &args) {
  const int64_t m = args.target.dims[0], n = args.target.dims[1], k = args.a.dims[args.transposeA ? 0 : 1];
  multiply(args, Factor(elementsOf(args.a), m, k, args.transposeA), Factor(elementsOf(args.b), k, n, args.transposeB), k, args.transposeB);
}

} // namespace zp::rt::reference
