// Matrix products on a device, row-major. By cuBLASLt, which is loaded when the first plan runs; emulated by plain loops.
#ifndef ZP_RUNTIME_KERNELS_CUDA_PRODUCTS_H
#define ZP_RUNTIME_KERNELS_CUDA_PRODUCTS_H

#include <memory>

#include "runtime/base/status.h"
#include "runtime/device/cuda/cuda_api.h"
#include "runtime/schema/dtypes.h"

namespace zp::rt::cuda {

/// target[m,n] = alpha·op(a)·op(b) (+ bias[n]) (+ target when accumulate). Sums are f32. Strides are elements between rows as stored.
struct Product {
  int64_t m = 0, n = 0, k = 0;
  const void *a = nullptr; ///< [m,k], or [k,m] when transposed
  const void *b = nullptr; ///< [k,n], or [n,k] when transposed
  void *target = nullptr;
  const void *bias = nullptr; ///< of `targetDtype`
  int64_t strideA = 0, strideB = 0, strideTarget = 0;
  bool transposeA = false, transposeB = false, accumulate = false;
  DType dtype = DType::F32, targetDtype = DType::F32; ///< of a and b; of target and bias: the same, or F32
  double alpha = 1;
};

class Products {
public:
  virtual ~Products() = default;
  virtual Status multiply(const Product &product, Stream stream) = 0;
  /// Takes what memory products in a stream need, so that no run does.
  virtual Status reserve(Stream) { return {}; }
};

/// Errors: Config, naming the library that is missing.
StatusOr<std::unique_ptr<Products>> createProducts();

} // namespace zp::rt::cuda

#endif // ZP_RUNTIME_KERNELS_CUDA_PRODUCTS_H
