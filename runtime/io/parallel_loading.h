// What loaders spread over a rank's threads.
#ifndef ZP_RUNTIME_IO_PARALLEL_LOADING_H
#define ZP_RUNTIME_IO_PARALLEL_LOADING_H

#include <cstddef>
#include <cstring>
#include <mutex>
#include <utility>

#include "runtime/base/parallel_for.h"
#include "runtime/base/status.h"

namespace zp::rt {

inline void zeroBytes(ParallelFor &parallel, std::byte *at, uint64_t bytes) {
  parallel.run(static_cast<int64_t>(bytes), 1 << 20,
               [at](int64_t begin, int64_t end) { std::memset(at + begin, 0, static_cast<size_t>(end - begin)); });
}

/// body(from, to) over [begin, end) in pieces of at least `grain`, each of which goes on to its own first failure: the answer is the
/// first of all, whatever the number of threads.
template <typename Body> Status loadInPieces(ParallelFor &parallel, uint64_t begin, uint64_t end, int64_t grain, const Body &body) {
  std::mutex mutex;
  Status failure;
  int64_t at = 0; // where the piece that failed begins
  parallel.run(static_cast<int64_t>(end - begin), grain, [&](int64_t from, int64_t to) {
    Status status = body(begin + static_cast<uint64_t>(from), begin + static_cast<uint64_t>(to));
    if (status.ok())
      return;
    std::lock_guard<std::mutex> lock(mutex);
    if (failure.ok() || from < at) {
      failure = std::move(status);
      at = from;
    }
  });
  return failure;
}

} // namespace zp::rt

#endif // ZP_RUNTIME_IO_PARALLEL_LOADING_H
