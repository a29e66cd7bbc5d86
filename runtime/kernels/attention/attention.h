// Attention with the multiplier of bf16 given: null means f32 arithmetic on converted operands. Tests give an emulated one.
#ifndef ZP_RUNTIME_KERNELS_ATTENTION_ATTENTION_H
#define ZP_RUNTIME_KERNELS_ATTENTION_ATTENTION_H

#include "runtime/kernels/gemm/bf16_engine.h"
#include "runtime/kernels/kernel.h"

namespace zp::rt {

void attention(const KernelContext &context, const AttentionArgs &args, const Bf16Engine *engine);
void attentionGradient(const KernelContext &context, const AttentionGradientArgs &args, const Bf16Engine *engine);

} // namespace zp::rt

#endif // ZP_RUNTIME_KERNELS_ATTENTION_ATTENTION_H
