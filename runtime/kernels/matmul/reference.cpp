#include "runtime/base/numeric.h"
#include "runtime/kernels/kernels.h"

namespace zp::rt::reference {

void run(const KernelContext &context, const MatmulArgs &args) {
  int64_t m = args.target.dims[0], n = args.target.dims[1], k = args.a.dims[args.transposeA ? 0 : 1];
  for (int64_t i = 0; i < m; ++i)
    for (int64_t j = 0; j < n; ++j) {
      double sum = 0;
      for (int64_t p = 0; p < k; ++p)
        sum += loadElement(args.a, args.transposeA ? p * m + i : i * k + p) *
               loadElement(args.b, args.transposeB ? j * k + p : p * n + j);
      sum *= args.alpha;
      for (int64_t p = 0; args.branchA && p < args.branchA.dims[1]; ++p)
        sum += args.branchAlpha * loadElement(args.branchA, i * args.branchA.dims[1] + p) *
               loadElement(args.branchB, args.transposeB ? j * args.branchA.dims[1] + p : p * n + j);
      if (args.bias)
        sum += loadElement(args.bias, j);
      if (args.accumulate)
        sum += loadElement(args.target, i * n + j);
      storeElement(args.target, i * n + j, sum);
    }
}

} // namespace zp::rt::reference
