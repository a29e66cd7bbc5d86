// The best rate that the vendor library reaches on a 2048³ product in this process: what `model_bound` is measured by.
#ifndef ZP_RUNTIME_TRAINER_MATMUL_RATE_H
#define ZP_RUNTIME_TRAINER_MATMUL_RATE_H

namespace zp::rt {

struct MatmulRate {
  double flopsPerSecond = 0; ///< 0: built without the library
  const char *dtype = "f32";
};

/// In bf16 when `bf16` and the CPU has instructions for it, else in f32. `threads` 0: the cores divided by the host's ranks.
MatmulRate bestMatmulRate(bool bf16, int threads, int ranksHere);

} // namespace zp::rt

#endif // ZP_RUNTIME_TRAINER_MATMUL_RATE_H
