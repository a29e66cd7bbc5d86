// The shared memory of the ranks of one host, and who of them is alive.
//
// A rank holds a lock on its own byte of the file for as long as its process lives; the kernel frees it however the process
// ends, so peers can ask. The memory is a file without a name (`createAnonymous`, before a fork) or one under a name that
// rank 0 makes and removes once everyone has come (`createNamed`, `openNamed`).
// Contract: a process opens a segment once (closing a second descriptor of the file would drop its lock).
#ifndef ZP_RUNTIME_COLLECTIVE_LOCAL_SEGMENT_H
#define ZP_RUNTIME_COLLECTIVE_LOCAL_SEGMENT_H

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

#include "runtime/base/status.h"

namespace zp::rt {

class Segment {
public:
  static constexpr size_t kSlotBytes = 512 << 10; ///< what a rank passes on at once; each has two, taken in turn
  static constexpr int kMostRanks = 256;

  /// One rank's words, on a cache line of their own.
  struct alignas(64) Rank {
    std::atomic<uint32_t> arrived;  ///< how many barriers it has reached; peers sleep on it
    std::atomic<uint32_t> sleepers; ///< how many peers do
    std::atomic<uint32_t> joined;
    std::atomic<uint32_t> left; ///< it has ended in order
  };

  static StatusOr<Segment> createAnonymous(int ranks);
  static StatusOr<Segment> createNamed(const std::string &path, int ranks);
  /// Waits until rank 0 has made it, `timeoutSeconds` at most.
  static StatusOr<Segment> openNamed(const std::string &path, int ranks, double timeoutSeconds);
  Segment(Segment &&other) noexcept;
  Segment &operator=(Segment &&) = delete;
  ~Segment();

  int ranks() const;
  Rank &rank(int index) const;
  std::byte *slot(int rank, unsigned half) const;
  /// Bytes from a rank's slot to the next rank's.
  static constexpr size_t slotStride() { return 2 * kSlotBytes; }

  /// Takes this rank's lock and says that it has come.
  Status join(int rank);
  /// Whether a rank that had joined is no more.
  bool isGone(int rank) const;
  /// Whether it is no more and did not end in order.
  bool hasDied(int rank) const;
  /// The first rank that failed, or -1.
  int failedRank() const;
  /// Marks a rank as failed, unless one is marked already, and wakes everybody.
  void markFailed(int rank);
  void wake(int rank) const;
  /// Sleeps until rank's `arrived` differs from `seen`, a tenth of a second at most.
  void sleepOn(int rank, uint32_t seen) const;

private:
  struct Header;
  Segment() = default;
  Status map(int ranks, bool create);
  bool holdsLock(int rank) const;
  Header *header = nullptr;
  int fd = -1;
  size_t bytes = 0;
};

} // namespace zp::rt

#endif // ZP_RUNTIME_COLLECTIVE_LOCAL_SEGMENT_H
