// Products by plain loops, for the emulated device.
#include <algorithm>

#include "runtime/kernels/cuda/products.h"
#include "runtime/kernels/numeric.h"

namespace zp::rt::cuda {
namespace {

TensorView viewOf(const void *data, DType dtype) {
  TensorView view;
  view.data = const_cast<void *>(data);
  view.dtype = dtype;
  return view;
}

class PlainProducts final : public Products {
public:
  Status multiply(const Product &p, Stream) override {
    const TensorView a = viewOf(p.a, p.dtype), b = viewOf(p.b, p.dtype), bias = viewOf(p.bias, p.dtype), target = viewOf(p.target, p.targetDtype);
    for (int64_t i = 0; i < p.m; ++i)
      for (int64_t j = 0; j < p.n; ++j) {
        double sum = 0;
        for (int64_t x = 0; x < p.k; ++x)
          sum += loadElement(a, p.transposeA ? x * p.strideA + i : i * p.strideA + x) *
                 loadElement(b, p.transposeB ? j * p.strideB + x : x * p.strideB + j);
        sum *= p.alpha;
        if (p.bias)
          sum += loadElement(bias, j);
        if (p.accumulate)
          sum += loadElement(target, i * p.strideTarget + j);
        storeElement(target, i * p.strideTarget + j, sum);
      }
    return {};
  }
};

} // namespace

StatusOr<std::unique_ptr<Products>> createProducts() { return std::unique_ptr<Products>(std::make_unique<PlainProducts>()); }

} // namespace zp::rt::cuda
