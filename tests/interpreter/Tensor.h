// A tensor of doubles: every value of an interpreted program, whatever its element type (i8 and i32 too).
#ifndef ZP_TESTS_INTERPRETER_TENSOR_H
#define ZP_TESTS_INTERPRETER_TENSOR_H

#include <cstddef>
#include <cstdint>
#include <functional>
#include <numeric>
#include <vector>

namespace zp::interpreter {

struct Tensor {
  std::vector<int64_t> shape;
  std::vector<double> data;

  Tensor() = default;
  explicit Tensor(std::vector<int64_t> dims, double value = 0) : shape(std::move(dims)), data(count(shape), value) {}

  static size_t count(const std::vector<int64_t> &shape) {
    return static_cast<size_t>(std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>()));
  }
  int64_t size() const { return static_cast<int64_t>(data.size()); }
  // Of a matrix.
  int64_t rows() const { return shape[0]; }
  int64_t columns() const { return shape[1]; }
  double &at(int64_t row, int64_t column) { return data[static_cast<size_t>(row * shape[1] + column)]; }
  double at(int64_t row, int64_t column) const { return data[static_cast<size_t>(row * shape[1] + column)]; }
  double &operator[](int64_t i) { return data[static_cast<size_t>(i)]; }
  double operator[](int64_t i) const { return data[static_cast<size_t>(i)]; }
};

} // namespace zp::interpreter

#endif // ZP_TESTS_INTERPRETER_TENSOR_H
