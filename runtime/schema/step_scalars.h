// The step scalars: what differs from step to step is data in this block, never a decision inside a step.
// The host fills it before an entry runs; instructions read it from device memory. Append only.
#ifndef ZP_RUNTIME_SCHEMA_STEP_SCALARS_H
#define ZP_RUNTIME_SCHEMA_STEP_SCALARS_H

#include <cstddef>
#include <cstdint>

namespace zp {

struct StepScalars {
  uint64_t seed;          // dropout's key
  double countedLabels;   // of the whole update: all ranks, all micro-batches
  float learningRate;     // of this update
  float biasCorrection1;  // 1 - beta1^t, this being the t-th update that is applied
  float biasCorrection2;  // 1 - beta2^t
  uint32_t optimizerStep; // the update, from 1
  uint32_t rowBase;       // place in the update of this micro-batch's first row on this rank
  uint32_t firstToken;    // where a chunk of logits begins
  float lossScale = 1;    // what the sum of losses is multiplied by before the backward pass: fp16's, else 1
  uint32_t reserved[5];
};
static_assert(sizeof(StepScalars) == 64 && offsetof(StepScalars, learningRate) == 16, "plans hold this block: its layout is part of the format");

} // namespace zp

#endif // ZP_RUNTIME_SCHEMA_STEP_SCALARS_H
