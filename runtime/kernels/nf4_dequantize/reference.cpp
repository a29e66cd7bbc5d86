#include "runtime/base/numeric.h"
#include "runtime/kernels/kernels.h"
#include "runtime/kernels/quant/quant_matrix.h"

namespace zp::rt::reference {

void run(const KernelContext &context, const NF4DequantizeArgs &args) {
  const QuantMatrix weight = quantMatrixOf(args, args.target.dims[0], args.target.dims[1]);
  for (int64_t i = 0; i < args.target.elements(); ++i)
    storeElement(args.target, i, weight.valueAt(i));
}

} // namespace zp::rt::reference
