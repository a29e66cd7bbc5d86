// What a CUDA kernel folder gets besides its arguments.
#ifndef ZP_RUNTIME_KERNELS_CUDA_CONTEXT_H
#define ZP_RUNTIME_KERNELS_CUDA_CONTEXT_H

#include "runtime/device/cuda/cuda_api.h"

namespace zp::rt::cuda {

class FusedAttention;
class Products;
struct QuantTables;

struct Context {
  Stream stream = nullptr;
  Products *products = nullptr;
  FusedAttention *fusedAttention = nullptr; ///< null: all attention is our own kernels'
  void *scratch = nullptr;                  ///< of the stream alone, kScratchBytes on the device: sums, panels, fused attention's workspace
  const QuantTables *quantTables = nullptr; ///< on the device (quant_tables.h)
  int multiprocessors = 1;
  int rank = 0;
  // A second stream, for what a kernel does beside `stream`, and events to part and meet by: it is empty again before the kernel's last
  // work. Null: there is none, everything is done in `stream`.
  Stream aside = nullptr;
  Event parting = nullptr, meeting = nullptr;
};

/// Counted in the target's reserve (runtime/schema/targets.inc).
inline constexpr uint64_t kScratchBytes = 4u << 20;

} // namespace zp::rt::cuda

#endif // ZP_RUNTIME_KERNELS_CUDA_CONTEXT_H
