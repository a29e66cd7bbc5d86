// Work over a range on a rank's threads, as kernels and loaders ask for it; runtime/device/cpu has the threads.
#ifndef ZP_RUNTIME_BASE_PARALLEL_FOR_H
#define ZP_RUNTIME_BASE_PARALLEL_FOR_H

#include <cstdint>
#include <functional>

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

} // namespace zp::rt

#endif // ZP_RUNTIME_BASE_PARALLEL_FOR_H
