// The oracle of products: sums in f64, whatever their factors are kept as.
#ifndef ZP_RUNTIME_KERNELS_MATMUL_REFERENCE_PRODUCT_H
#define ZP_RUNTIME_KERNELS_MATMUL_REFERENCE_PRODUCT_H

#include <vector>

#include "runtime/base/numeric.h"

namespace zp::rt::reference {

/// A factor's elements, in f64.
struct Factor {
  std::vector<double> elements;
  int64_t rowStep = 0, columnStep = 0;

  /// Of [rows, columns], stored so or transposed.
  Factor(std::vector<double> stored, int64_t rows, int64_t columns, bool transposed)
      : elements(std::move(stored)), rowStep(transposed ? 1 : columns), columnStep(transposed ? rows : 1) {}
  double at(int64_t row, int64_t column) const { return elements[static_cast<size_t>(row * rowStep + column * columnStep)]; }
};

inline std::vector<double> elementsOf(const TensorView &tensor) {
  std::vector<double> elements(tensor ? static_cast<size_t>(tensor.elements()) : 0);
  for (size_t i = 0; i < elements.size(); ++i)
    elements[i] = loadElement(tensor, static_cast<int64_t>(i));
  return elements;
}

/// target = alpha·a·b (+ branch_alpha·branch_a·branch_b) (+ bias) (+ target), a of k columns, the branch's factor stored as b's is.
template <typename Args> void multiply(const Args &args, const Factor &a, const Factor &b, int64_t k, bool transposeB) {
  const int64_t m = args.target.dims[0], n = args.target.dims[1], rank = args.branchA ? args.branchA.dims[1] : 0;
  const Factor branchA(elementsOf(args.branchA), m, rank, false), branchB(elementsOf(args.branchB), rank, n, transposeB);
  for (int64_t i = 0; i < m; ++i)
    for (int64_t j = 0; j < n; ++j) {
      double sum = 0;
      for (int64_t p = 0; p < k; ++p)
        sum += a.at(i, p) * b.at(p, j);
      sum *= args.alpha;
      for (int64_t p = 0; p < rank; ++p)
        sum += args.branchAlpha * branchA.at(i, p) * branchB.at(p, j);
      if (args.bias)
        sum += loadElement(args.bias, j);
      if (args.accumulate)
        sum += loadElement(args.target, i * n + j);
      storeElement(args.target, i * n + j, sum);
    }
}

} // namespace zp::rt::reference

#endif // ZP_RUNTIME_KERNELS_MATMUL_REFERENCE_PRODUCT_H
