// The activations of runtime/schema/activations.h and their slopes in double: what the reference kernels are made of.
#ifndef ZP_RUNTIME_KERNELS_ACTIVATION_REFERENCE_H
#define ZP_RUNTIME_KERNELS_ACTIVATION_REFERENCE_H

#include <cmath>
#include <numbers>

#include "runtime/schema/activations.h"

namespace zp::rt::reference {

inline double normalDistribution(double x) { return std::erfc(-x / std::numbers::sqrt2) / 2; }
inline double tanhOfGelu(double x) { return std::tanh(std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x)); }

inline double activated(int64_t kind, double x) {
  switch (static_cast<Activation>(kind)) {
  case Activation::Relu:
    return x < 0 ? 0 : x;
  case Activation::Gelu:
    return x * normalDistribution(x);
  case Activation::GeluTanh:
    return x / 2 * (1 + tanhOfGelu(x));
  }
  return 0;
}

inline double slopeAt(int64_t kind, double x) {
  switch (static_cast<Activation>(kind)) {
  case Activation::Relu:
    return x <= 0 ? 0 : 1;
  case Activation::Gelu:
    return normalDistribution(x) + x * std::exp(-x * x / 2) / std::sqrt(2 * std::numbers::pi);
  case Activation::GeluTanh: {
    double t = tanhOfGelu(x), inner = std::sqrt(2 / std::numbers::pi) * (1 + 3 * 0.044715 * x * x);
    return (1 + t) / 2 + x / 2 * (1 - t * t) * inner;
  }
  }
  return 0;
}

} // namespace zp::rt::reference

#endif // ZP_RUNTIME_KERNELS_ACTIVATION_REFERENCE_H
