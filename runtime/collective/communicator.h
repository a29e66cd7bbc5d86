// Collectives among the ranks of a job. Every rank calls the same sequence with the same sizes; sums are taken in rank order,
// so a result has the same bits whatever the engine. A lost peer is an error (PeerLost) on every other rank within seconds,
// never a hang.
#ifndef ZP_RUNTIME_COLLECTIVE_COMMUNICATOR_H
#define ZP_RUNTIME_COLLECTIVE_COMMUNICATOR_H

#include <cstddef>
#include <memory>

#include "runtime/base/status.h"
#include "runtime/schema/dtypes.h"

namespace zp::rt {

class Communicator {
public:
  virtual ~Communicator() = default;
  virtual int rank() const = 0;
  virtual int size() const = 0;
  virtual const char *engine() const = 0; ///< single, local, mpi
  /// Ranks on this host.
  virtual int localSize() const = 0;
  /// This rank's place among them; engines of one host have no other ranks.
  virtual int localRank() const { return rank(); }
  /// Whether all ranks may look into one memory: none is on another host, or is to seem so.
  virtual bool onOneHost() const { return localSize() == size(); }

  /// whole[r·bytes, (r+1)·bytes) = rank r's shard. `shard` may be this rank's own place in `whole`.
  virtual Status allGather(const void *shard, void *whole, size_t bytes) = 0;
  /// shard = Σ over ranks (in rank order) of whole_r[rank·count, (rank+1)·count); F32 or F64. `whole` is left undefined.
  virtual Status reduceScatter(void *whole, void *shard, size_t count, DType dtype) = 0;
  /// data = Σ over ranks, in rank order; F32 or F64.
  virtual Status allReduce(void *data, size_t count, DType dtype) = 0;
  virtual Status barrier() = 0;
  /// Whether every peer lives, as far as the engine can tell without them (PeerLost when one doesn't): for who waits for something other
  /// than a collective of this engine. Never waits; any thread may ask, beside a collective. A peer that has ended in order is none that is
  /// lost.
  virtual Status checkPeers() const { return {}; }
  /// Tells the peers that this rank has failed, so that they stop with PeerLost. Never waits; any thread may.
  virtual void abort() = 0;
};

} // namespace zp::rt

#endif // ZP_RUNTIME_COLLECTIVE_COMMUNICATOR_H
