// The activations of runtime/schema/activations.h and their slopes on a device, in f32.
#ifndef ZP_RUNTIME_KERNELS_CUDA_ACTIVATIONS_H
#define ZP_RUNTIME_KERNELS_CUDA_ACTIVATIONS_H

#include "runtime/kernels/cuda/element.h"
#include "runtime/schema/activations.h"

namespace zp::rt::cuda {

constexpr float kInverseRoot2Pi = 0.39894228040143267f; // 1/√(2π)
constexpr float kRoot2OverPi = 0.79788456080286536f;    // √(2/π)
constexpr float kGeluCubic = 0.044715f;

/// (1 + tanh(√(2/π)·(x + c·x³))) / 2 as a sigmoid: nothing cancels where x is far below zero.
ZP_DEVICE float tanhGate(float x) { return 1 / (1 + expf(-2 * kRoot2OverPi * (x + kGeluCubic * x * x * x))); }

ZP_DEVICE float activated(Activation kind, float x) {
  switch (kind) {
  case Activation::Relu:
    return x < 0 ? 0.0f : x;
  case Activation::Gelu:
    return x * normcdff(x);
  case Activation::GeluTanh:
    return x * tanhGate(x);
  }
  return 0;
}

ZP_DEVICE float slopeAt(Activation kind, float x) {
  switch (kind) {
  case Activation::Relu:
    return x <= 0 ? 0.0f : 1.0f;
  case Activation::Gelu:
    return normcdff(x) + x * expf(-0.5f * x * x) * kInverseRoot2Pi;
  case Activation::GeluTanh: {
    const float s = tanhGate(x);
    return s + 2 * x * s * (1 - s) * kRoot2OverPi * (1 + 3 * kGeluCubic * x * x);
  }
  }
  return 0;
}

} // namespace zp::rt::cuda

#endif // ZP_RUNTIME_KERNELS_CUDA_ACTIVATIONS_H
