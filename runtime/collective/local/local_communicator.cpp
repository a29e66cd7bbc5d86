#include "runtime/collective/local/local_communicator.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <string>

#include "runtime/base/spin.h"
#include "runtime/collective/ordered_sum.h"

namespace zp::rt {
namespace {

constexpr int kSpinRounds = 1000;

class LocalCommunicator : public Communicator {
public:
  LocalCommunicator(Segment segment, int rank) : segment(std::move(segment)), own(rank) {}
  ~LocalCommunicator() override {
    segment.rank(own).left.store(1);
    segment.wake(own);
  }

  int rank() const override { return own; }
  int size() const override { return segment.ranks(); }
  const char *engine() const override { return "local"; }
  int localSize() const override { return segment.ranks(); }
  Status allGather(const void *shard, void *whole, size_t bytes) override;
  Status reduceScatter(void *whole, void *shard, size_t count, DType dtype) override;
  Status allReduce(void *data, size_t count, DType dtype) override;
  Status barrier() override { return meet(); }
  Status checkPeers() const override;
  void abort() override { segment.markFailed(own); }

  Status awaitAll(double timeoutSeconds);

private:
  /// All ranks have come here as often as this one.
  Status meet();
  Status awaitArrival(int peer);
  Status lost(int peer) const {
    return Status(ErrorCode::PeerLost, "rank " + std::to_string(own) + ": rank " + std::to_string(peer) +
                                           " is gone, expected all ranks until the end; look at its messages and start the job again");
  }
  std::byte *slot(int rank) const { return segment.slot(rank, piece); }

  Segment segment;
  int own;
  uint32_t meetings = 0;
  unsigned piece = 0; // counts pieces since the start: its parity is the slot
};

Status LocalCommunicator::awaitAll(double timeoutSeconds) {
  auto deadline = std::chrono::steady_clock::now() + std::chrono::duration<double>(timeoutSeconds);
  for (int peer = 0; peer < size(); ++peer)
    while (segment.rank(peer).joined.load() == 0) {
      if (int failed = segment.failedRank(); failed >= 0)
        return lost(failed);
      if (std::chrono::steady_clock::now() > deadline)
        return Status(ErrorCode::Network, "rank " + std::to_string(own) + ": rank " + std::to_string(peer) + " did not come within " +
                                              std::to_string(static_cast<int>(timeoutSeconds)) + " seconds, expected " + std::to_string(size()) +
                                              " ranks on this host; start all of them");
      segment.sleepOn(peer, segment.rank(peer).arrived.load());
    }
  return meet();
}

Status LocalCommunicator::meet() {
  Segment::Rank &mine = segment.rank(own);
  mine.arrived.store(++meetings);
  if (mine.sleepers.load() != 0)
    segment.wake(own);
  for (int peer = 0; peer < size(); ++peer)
    if (peer != own)
      ZP_RETURN_IF_ERROR(awaitArrival(peer));
  return {};
}

Status LocalCommunicator::checkPeers() const {
  if (int failed = segment.failedRank(); failed >= 0)
    return lost(failed);
  for (int peer = 0; peer < size(); ++peer)
    if (peer != own && segment.hasDied(peer))
      return lost(peer);
  return {};
}

Status LocalCommunicator::awaitArrival(int peer) {
  const Segment::Rank &other = segment.rank(peer);
  // Counters wrap; they are never further apart than one.
  auto arrived = [&] { return static_cast<int32_t>(other.arrived.load(std::memory_order_acquire) - meetings) >= 0; };
  if (spinUntil(arrived, kSpinRounds))
    return {};
  while (true) {
    uint32_t seen = other.arrived.load();
    if (arrived())
      return {};
    if (int failed = segment.failedRank(); failed >= 0)
      return lost(failed);
    segment.sleepOn(peer, seen);
    // Whoever came and then ended has still come.
    if (!arrived() && segment.isGone(peer) && !arrived())
      return lost(peer);
  }
}

Status LocalCommunicator::allGather(const void *shard, void *whole, size_t bytes) {
  auto *target = static_cast<std::byte *>(whole);
  auto *source = static_cast<const std::byte *>(shard);
  for (size_t done = 0; done < bytes; done += Segment::kSlotBytes, ++piece) {
    size_t n = std::min(Segment::kSlotBytes, bytes - done);
    std::memcpy(slot(own), source + done, n);
    ZP_RETURN_IF_ERROR(meet());
    // Each begins with its neighbour, so that they don't all read one slot at a time.
    for (int i = 1; i < size(); ++i) {
      int peer = (own + i) % size();
      std::memcpy(target + static_cast<size_t>(peer) * bytes + done, slot(peer), n);
    }
  }
  if (target + static_cast<size_t>(own) * bytes != source)
    std::memmove(target + static_cast<size_t>(own) * bytes, source, bytes);
  return {};
}

Status LocalCommunicator::reduceScatter(void *whole, void *shard, size_t count, DType dtype) {
  ZP_RETURN_IF_ERROR(checkSummed("reduce_scatter", dtype));
  const size_t element = bytesOf(dtype, 1), ranks = static_cast<size_t>(size());
  const size_t share = Segment::kSlotBytes / ranks / 64 * 64; // of a slot, for each reader
  for (size_t done = 0; done < count; done += share / element, ++piece) {
    size_t n = std::min(share / element, count - done);
    for (size_t reader = 0; reader < ranks; ++reader)
      std::memcpy(slot(own) + reader * share, static_cast<std::byte *>(whole) + (reader * count + done) * element, n * element);
    ZP_RETURN_IF_ERROR(meet());
    sumInOrder(slot(0) + static_cast<size_t>(own) * share, Segment::slotStride(), size(), n, dtype, static_cast<std::byte *>(shard) + done * element);
  }
  return {};
}

Status LocalCommunicator::allReduce(void *data, size_t count, DType dtype) {
  ZP_RETURN_IF_ERROR(checkSummed("all_reduce", dtype));
  const size_t element = bytesOf(dtype, 1), most = Segment::kSlotBytes / element;
  for (size_t done = 0; done < count; done += most, ++piece) {
    size_t n = std::min(most, count - done);
    std::byte *here = static_cast<std::byte *>(data) + done * element;
    std::memcpy(slot(own), here, n * element);
    ZP_RETURN_IF_ERROR(meet());
    sumInOrder(slot(0), Segment::slotStride(), size(), n, dtype, here);
  }
  return {};
}

} // namespace

StatusOr<std::unique_ptr<Communicator>> createLocalCommunicator(Segment segment, int rank, bool joined, double timeoutSeconds) {
  if (!joined)
    ZP_RETURN_IF_ERROR(segment.join(rank));
  auto communicator = std::make_unique<LocalCommunicator>(std::move(segment), rank);
  ZP_RETURN_IF_ERROR(communicator->awaitAll(timeoutSeconds));
  return std::unique_ptr<Communicator>(std::move(communicator));
}

} // namespace zp::rt
