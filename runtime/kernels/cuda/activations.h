// The activations of runtime/schema/activations.h and their slopes on a device, in f32.
#ifndef ZP_RUNTIME_KERNELS_CUDA_ACTIVATIONS_H
#define ZP_RUNTIME_KERNELS_CUDA_ACTIVATIONS_H

#include "runtime/kernels/cuda/element.h"
#include "runtime/schema/activations.h"

namespace zp::rt::cuda {

constexpr float kInverseRoot2Pi = 0.39894228040143267f; // 1/√(2π)
constexpr float kRoot2OverPi = 0.79788456080286536f;    // √(2/π)
constexpr float kGeluCubic = 0.044715f;

/// 1 / (1 + e⁻ˣ). What is stored as a T of 16 bits is far coarser than a GPU's own exponential and reciprocal, some roundings of an f32 each: two
/// instructions, where the library's guard results below f32's normal range, to which 1 is added, and divisors that 1 + e⁻ˣ never is.
template <typename T> ZP_DEVICE float sigmoid(float x) {
#ifdef __CUDACC__
  if constexpr (sizeof(T) == 2) {
    constexpr float kLog2E = 1.44269504f;
    float power, result;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(power) : "f"(-kLog2E * x));
    asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(result) : "f"(1 + power));
    return result;
  }
#endif
  return 1 / (1 + expf(-x));
}

/// (1 + tanh(√(2/π)·(x + c·x³))) / 2 as a sigmoid: nothing cancels where x is far below zero.
template <typename T> ZP_DEVICE float tanhGate(float x) { return sigmoid<T>(2 * kRoot2OverPi * (x + kGeluCubic * x * x * x)); }

/// In f32, of elements of type T.
template <typename T> ZP_DEVICE float activated(Activation kind, float x) {
  switch (kind) {
  case Activation::Relu:
    return x < 0 ? 0.0f : x;
  case Activation::Gelu:
    return x * normcdff(x);
  case Activation::GeluTanh:
    return x * tanhGate<T>(x);
  }
  return 0;
}

template <typename T> ZP_DEVICE float slopeAt(Activation kind, float x) {
  switch (kind) {
  case Activation::Relu:
    return x <= 0 ? 0.0f : 1.0f;
  case Activation::Gelu:
    return normcdff(x) + x * expf(-0.5f * x * x) * kInverseRoot2Pi;
  case Activation::GeluTanh: {
    const float s = tanhGate<T>(x);
    return s + 2 * x * s * (1 - s) * kRoot2OverPi * (1 + 3 * kGeluCubic * x * x);
  }
  }
  return 0;
}

} // namespace zp::rt::cuda

#endif // ZP_RUNTIME_KERNELS_CUDA_ACTIVATIONS_H
