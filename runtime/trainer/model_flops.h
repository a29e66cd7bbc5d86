// What the mathematics of a training step needs, whatever the implementation does: the numerator of `model_bound`.
#ifndef ZP_RUNTIME_TRAINER_MODEL_FLOPS_H
#define ZP_RUNTIME_TRAINER_MODEL_FLOPS_H

#include "runtime/base/status.h"

namespace zp::fbs {
struct Plan;
}

namespace zp::rt {

/// Floating point operations a token: frozen linears 4·N, head 4·V·H, adapters and other trained linears 6·P, causal
/// attention 7·S·H a layer. Recomputation is not counted. Of an encoder-decoder: a token of the decoder, with its share of what
/// the row's `sourceLength` tokens need.
StatusOr<double> flopsPerToken(const fbs::Plan &plan, uint32_t rowLength, uint32_t sourceLength = 0);

} // namespace zp::rt

#endif // ZP_RUNTIME_TRAINER_MODEL_FLOPS_H
