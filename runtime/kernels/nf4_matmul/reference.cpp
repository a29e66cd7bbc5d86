#include "runtime/base/numeric.h"
#include "runtime/kernels/kernels.h"
#include "runtime/kernels/matmul/reference_product.h"
#include "runtime/kernels/quant/quant_matrix.h"

namespace zp::rt::reference {

void run(const KernelContext &context, const NF4MatmulArgs &args) {
  const QuantMatrix weight = quantMatrixOf(args, args.rows, args.columns);
  std::vector<double> elements(static_cast<size_t>(args.rows * args.columns));
  for (int64_t i = 0; i < args.rows * args.columns; ++i) {
    elements[static_cast<size_t>(i)] = roundTo(args.a.dtype, weight.valueAt(i));
    if (args.floats)
      storeElement(args.floats, i, elements[static_cast<size_t>(i)]);
  }
  const int64_t m = args.target.dims[0], n = args.target.dims[1], k = args.a.dims[1];
  multiply(args, Factor(elementsOf(args.a), m, k, false), Factor(std::move(elements), k, n, args.transpose), k, args.transpose);
}

} // namespace zp::rt::reference
