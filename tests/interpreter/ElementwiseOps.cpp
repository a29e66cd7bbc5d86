#include "tests/interpreter/OpMath.h"

#include <cmath>
#include <cstring>

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
    uint32_t next[4] = {static_cast<uint32_t>(p1 >> 32) ^ c[1] ^ k0, static_cast<uint32_t>(p1),
                        static_cast<uint32_t>(p0 >> 32) ^ c[3] ^ k1, static_cast<uint32_t>(p0)};
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

Tensor rowsFrom(const Tensor &x, int64_t first, int64_t count) {
  Tensor result({count, x.columns()});
  for (int64_t r = 0; r < count && first + r < x.rows(); ++r)
    for (int64_t d = 0; d < x.columns(); ++d)
      result.at(r, d) = x.at(first + r, d);
  return result;
}

} // namespace zp::interpreter
