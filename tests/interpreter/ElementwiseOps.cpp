#include "tests/interpreter/OpMath.h"

#include <cmath>
#include <cstring>
#include <numbers>

namespace zp::interpreter {

Tensor scalarsToTensor(const StepScalars &scalars) {
  unsigned char bytes[sizeof(StepScalars)];
  std::memcpy(bytes, &scalars, sizeof(bytes));
  Tensor result({static_cast<int64_t>(sizeof(bytes))});
  for (size_t i = 0; i < sizeof(bytes); ++i)
    result.data[i] = bytes[i];
  return result;
}

StepScalars scalarsOf(const Tensor &bytes) {
  unsigned char raw[sizeof(StepScalars)] = {};
  for (size_t i = 0; i < sizeof(raw) && i < bytes.data.size(); ++i)
    raw[i] = static_cast<unsigned char>(bytes.data[i]);
  StepScalars scalars;
  std::memcpy(&scalars, raw, sizeof(scalars));
  return scalars;
}

Tensor add(const Tensor &a, const Tensor &b) {
  Tensor result = a;
  for (int64_t i = 0; i < a.size(); ++i)
    result[i] += b[i];
  return result;
}

Tensor scale(const Tensor &x, double factor) {
  Tensor result = x;
  for (double &value : result.data)
    value *= factor;
  return result;
}

Tensor reshape(const Tensor &x, std::vector<int64_t> shape) {
  Tensor result = x;
  result.shape = std::move(shape);
  return result;
}

void philox(uint64_t key, const uint32_t counter[4], uint32_t out[4]) {
  uint32_t k0 = static_cast<uint32_t>(key), k1 = static_cast<uint32_t>(key >> 32);
  uint32_t c[4] = {counter[0], counter[1], counter[2], counter[3]};
  for (int round = 0; round < 10; ++round) {
    uint64_t p0 = uint64_t{0xD2511F53} * c[0], p1 = uint64_t{0xCD9E8D57} * c[2];
    uint32_t next[4] = {static_cast<uint32_t>(p1 >> 32) ^ c[1] ^ k0, static_cast<uint32_t>(p1), static_cast<uint32_t>(p0 >> 32) ^ c[3] ^ k1,
                        static_cast<uint32_t>(p0)};
    std::memcpy(c, next, sizeof(c));
    k0 += 0x9E3779B9;
    k1 += 0xBB67AE85;
  }
  std::memcpy(out, c, sizeof(c));
}

// The formula of plan.dropout: element (t, d) is e = (t mod length)·D + d of update row row_base + t / length.
Tensor dropout(const Tensor &x, const StepScalars &scalars, double probability, int64_t site, int64_t length) {
  Tensor result = x;
  for (int64_t t = 0; t < x.rows(); ++t) {
    uint32_t row = scalars.rowBase + static_cast<uint32_t>(t / length);
    for (int64_t d = 0; d < x.columns(); ++d) {
      int64_t e = (t % length) * x.columns() + d;
      uint32_t counter[4] = {static_cast<uint32_t>(e / 4), row, static_cast<uint32_t>(site), scalars.optimizerStep};
      uint32_t words[4];
      philox(scalars.seed, counter, words);
      double u = words[e % 4] * 0x1p-32;
      result.at(t, d) = u >= probability ? x.at(t, d) / (1 - probability) : 0;
    }
  }
  return result;
}

static double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

Tensor siluMul(const Tensor &gate, const Tensor &up) {
  Tensor result = gate;
  for (int64_t i = 0; i < gate.size(); ++i)
    result[i] = gate[i] * sigmoid(gate[i]) * up[i];
  return result;
}

void siluMulGradient(const Tensor &gradient, const Tensor &gate, const Tensor &up, Tensor &gateGradient, Tensor &upGradient) {
  gateGradient = upGradient = gate;
  for (int64_t i = 0; i < gate.size(); ++i) {
    double s = sigmoid(gate[i]);
    upGradient[i] = gradient[i] * gate[i] * s;
    gateGradient[i] = gradient[i] * up[i] * (s + gate[i] * s * (1 - s));
  }
}

// gelu_tanh's argument, and its slope.
static double tanhArgument(double x) { return std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * std::pow(x, 3)); }
static double tanhArgumentSlope(double x) { return std::sqrt(2 / std::numbers::pi) * (1 + 3 * 0.044715 * x * x); }

static double activated(double x, Activation kind) {
  switch (kind) {
  case Activation::Relu:
    return std::max(x, 0.0);
  case Activation::Gelu:
    return x * (1 + std::erf(x / std::sqrt(2.0))) / 2;
  case Activation::GeluTanh:
    return x / 2 * (1 + std::tanh(tanhArgument(x)));
  }
  return 0;
}

static double slopeAt(double x, Activation kind) {
  switch (kind) {
  case Activation::Relu:
    return x > 0 ? 1 : 0;
  case Activation::Gelu:
    return (1 + std::erf(x / std::sqrt(2.0))) / 2 + x * std::exp(-x * x / 2) / std::sqrt(2 * std::numbers::pi);
  case Activation::GeluTanh: {
    double t = std::tanh(tanhArgument(x));
    return (1 + t) / 2 + x / 2 * (1 - t * t) * tanhArgumentSlope(x);
  }
  }
  return 0;
}

Tensor activation(const Tensor &x, Activation kind) {
  Tensor result = x;
  for (double &value : result.data)
    value = activated(value, kind);
  return result;
}

Tensor activationGradient(const Tensor &gradient, const Tensor &x, Activation kind) {
  Tensor result = gradient;
  for (int64_t i = 0; i < x.size(); ++i)
    result[i] *= slopeAt(x[i], kind);
  return result;
}

constexpr double kHalfClamp = 64512; // 65504 - 1000, to the nearest number of f16

Tensor clampHalf(const Tensor &x) {
  Tensor result = x;
  for (double &value : result.data)
    if (std::isinf(value))
      value = value > 0 ? kHalfClamp : -kHalfClamp;
  return result;
}

Tensor clampHalfGradient(const Tensor &gradient, const Tensor &clamped) {
  Tensor result = gradient;
  for (int64_t i = 0; i < gradient.size(); ++i)
    if (std::abs(clamped[i]) == kHalfClamp)
      result[i] = 0;
  return result;
}

Tensor product(const Tensor &a, const Tensor &b) {
  Tensor result = a;
  for (int64_t i = 0; i < a.size(); ++i)
    result[i] *= b[i];
  return result;
}

// Calls visit(part, column of the part, column of the fused matrix): parts are 0 query, 1 key, 2 value.
template <typename Visit> static void forFusedColumns(int64_t heads, int64_t kvHeads, int64_t headDim, Visit &&visit) {
  int64_t group = heads / kvHeads, fused = 0;
  for (int64_t kvHead = 0; kvHead < kvHeads; ++kvHead) {
    for (int64_t i = 0; i < group * headDim; ++i)
      visit(0, kvHead * group * headDim + i, fused++);
    for (int part : {1, 2})
      for (int64_t i = 0; i < headDim; ++i)
        visit(part, kvHead * headDim + i, fused++);
  }
}

void splitQkv(const Tensor &x, int64_t heads, int64_t kvHeads, Tensor &query, Tensor &key, Tensor &value) {
  int64_t headDim = x.columns() / (heads + 2 * kvHeads);
  query = Tensor({x.rows(), heads * headDim});
  key = value = Tensor({x.rows(), kvHeads * headDim});
  Tensor *parts[] = {&query, &key, &value};
  forFusedColumns(heads, kvHeads, headDim, [&](int part, int64_t column, int64_t fused) {
    for (int64_t t = 0; t < x.rows(); ++t)
      parts[part]->at(t, column) = x.at(t, fused);
  });
}

Tensor joinQkv(MaybeTensor query, MaybeTensor key, MaybeTensor value, int64_t heads, int64_t kvHeads, std::vector<int64_t> shape) {
  Tensor result(std::move(shape));
  MaybeTensor parts[] = {query, key, value};
  forFusedColumns(heads, kvHeads, result.columns() / (heads + 2 * kvHeads), [&](int part, int64_t column, int64_t fused) {
    for (int64_t t = 0; t < result.rows() && parts[part]; ++t)
      result.at(t, fused) = parts[part]->at(t, column);
  });
  return result;
}

Tensor rowsFrom(const Tensor &x, int64_t first, int64_t count) {
  Tensor result({count, x.columns()});
  for (int64_t r = 0; r < count && first + r < x.rows(); ++r)
    for (int64_t d = 0; d < x.columns(); ++d)
      result.at(r, d) = x.at(first + r, d);
  return result;
}

} // namespace zp::interpreter
