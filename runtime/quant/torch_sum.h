// The sum of fp32 numbers in the order in which PyTorch's CPU kernel takes them, on one thread.
//
// The order is a part of the checkpoint format: a nested scale's offset is a mean of this sum, and any other order ends
// a few units in the last place away.
#ifndef ZP_RUNTIME_QUANT_TORCH_SUM_H
#define ZP_RUNTIME_QUANT_TORCH_SUM_H

#include <span>

namespace zp::rt {

float torchSum(std::span<const float> values);

} // namespace zp::rt

#endif // ZP_RUNTIME_QUANT_TORCH_SUM_H
