// How kernels split work: a body over [0, count) without an allocation for its closure.
#ifndef ZP_RUNTIME_KERNELS_PARALLEL_H
#define ZP_RUNTIME_KERNELS_PARALLEL_H

#include <functional>

#include "runtime/kernels/kernel.h"

namespace zp::rt {

template <typename Body> void parallelFor(const KernelContext &context, int64_t count, int64_t grain, Body &&body) {
  if (!context.parallel || count <= grain) {
    if (count > 0)
      body(int64_t{0}, count);
    return;
  }
  context.parallel->run(count, grain, std::ref(body));
}

/// Elements of an elementwise piece: large enough to pay for handing it to a thread.
inline constexpr int64_t kElementwiseGrain = 16384;

} // namespace zp::rt

#endif // ZP_RUNTIME_KERNELS_PARALLEL_H
