#include "runtime/base/numeric.h"
#include "runtime/kernels/kernels.h"
#include "runtime/kernels/quant/quant_matrix.h"

namespace zp::rt::reference {

void run(const KernelContext &context, const NF4MatmulArgs &args) {
  const QuantMatrix weight = quantMatrixOf(args, args.rows, args.columns);
  for (int64_t i = 0; args.floats && i < args.floats.elements(); ++i)
    storeElement(args.floats, i, weight.valueAt(i));
  int64_t m = args.target.dims[0], n = args.target.dims[1], k = args.a.dims[1];
  for (int64_t i = 0; i < m; ++i)
    for (int64_t j = 0; j < n; ++j) {
      double sum = 0;
      for (int64_t p = 0; p < k; ++p)
        sum += loadElement(args.a, i * k + p) * roundTo(args.a.dtype, weight.valueAt(args.transpose ? j * k + p : p * n + j));
      sum *= args.alpha;
      for (int64_t p = 0; args.branchA && p < args.branchA.dims[1]; ++p)
        sum += args.branchAlpha * loadElement(args.branchA, i * args.branchA.dims[1] + p) *
               loadElement(args.branchB, args.transpose ? j * args.branchA.dims[1] + p : p * n + j);
      if (args.bias)
        sum += loadElement(args.bias, j);
      if (args.accumulate)
        sum += loadElement(args.target, i * n + j);
      storeElement(args.target, i * n + j, sum);
    }
}

} // namespace zp::rt::reference
