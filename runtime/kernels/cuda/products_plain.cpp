// Products by plain loops, for the emulated device.
#include <iterator>
#include <numeric>
#include <vector>

#include "runtime/base/numeric.h"
#include "runtime/device/cuda/emulated/streams.h"
#include "runtime/kernels/cuda/products.h"

namespace zp::rt::cuda {
namespace {

TensorView viewOf(const void *data, DType dtype) {
  TensorView view;
  view.data = const_cast<void *>(data);
  view.dtype = dtype;
  return view;
}

/// Rows of op(matrix), each of its elements converted once.
std::vector<double> rowsOf(const void *data, DType dtype, int64_t rows, int64_t columns, int64_t stride, bool transposed) {
  const TensorView view = viewOf(data, dtype);
  std::vector<double> out(static_cast<size_t>(rows * columns));
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < columns; ++j)
      out[static_cast<size_t>(i * columns + j)] = loadElement(view, transposed ? j * stride + i : i * stride + j);
  return out;
}

/// In eight sums, so that none waits for the one before it.
double dot(const double *x, const double *y, int64_t n) {
  double parts[8] = {}, rest = 0;
  int64_t i = 0;
  for (; i + 8 <= n; i += 8)
    for (int j = 0; j < 8; ++j)
      parts[j] += x[i + j] * y[i + j];
  for (; i < n; ++i)
    rest += x[i] * y[i];
  return std::accumulate(std::begin(parts), std::end(parts), rest);
}

class PlainProducts final : public Products {
public:
  Status multiply(const Product &product, Stream stream) override {
    emulated::ask(stream, [product] { multiplyNow(product); });
    return {};
  }

private:
  static void multiplyNow(const Product &p) {
    const std::vector<double> a = rowsOf(p.a, p.dtype, p.m, p.k, p.strideA, p.transposeA);
    const std::vector<double> b = rowsOf(p.b, p.dtype, p.n, p.k, p.strideB, !p.transposeB); // a row an output
    const TensorView bias = viewOf(p.bias, p.targetDtype), target = viewOf(p.target, p.targetDtype);
    for (int64_t i = 0; i < p.m; ++i)
      for (int64_t j = 0; j < p.n; ++j) {
        double sum = p.alpha * dot(a.data() + i * p.k, b.data() + j * p.k, p.k);
        if (p.bias)
          sum += loadElement(bias, j);
        if (p.accumulate)
          sum += loadElement(target, i * p.strideTarget + j);
        storeElement(target, i * p.strideTarget + j, sum);
      }
  }
};

} // namespace

StatusOr<std::unique_ptr<Products>> createProducts() { return std::unique_ptr<Products>(std::make_unique<PlainProducts>()); }

} // namespace zp::rt::cuda
