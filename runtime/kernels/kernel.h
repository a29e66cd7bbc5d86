// What a kernel is: a function of a context and of its arguments (generated from the op table, one struct per op).
//
// Contract. Arguments were checked once, at load: operand count, dtype sets, shapes that agree, workspace large enough.
// A kernel allocates nothing, takes no policy decision, and gives the same bits whatever the number of threads.
#ifndef ZP_RUNTIME_KERNELS_KERNEL_H
#define ZP_RUNTIME_KERNELS_KERNEL_H

#include <cstdint>
#include <functional>

#include "runtime/base/status.h"
#include "runtime/schema/generated/op_args.h"

namespace zp::rt {

/// Runs `body(begin, end)` over [0, count) in pieces of at least `grain`, on this rank's threads. Pieces are disjoint;
/// their borders depend on the number of threads, so a body must not reduce across elements of the range.
class ParallelFor {
public:
  using Body = std::function<void(int64_t begin, int64_t end)>;
  virtual ~ParallelFor() = default;
  virtual void run(int64_t count, int64_t grain, const Body &body) = 0;
  virtual int threads() const = 0;
};

struct KernelContext {
  ParallelFor *parallel = nullptr;
  int rank = 0;
  int ranks = 1;
};

} // namespace zp::rt

#endif // ZP_RUNTIME_KERNELS_KERNEL_H
