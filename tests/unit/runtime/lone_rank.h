// A communicator that is one rank of several without the others: each of them has what this one has.
#ifndef ZP_TESTS_UNIT_RUNTIME_LONE_RANK_H
#define ZP_TESTS_UNIT_RUNTIME_LONE_RANK_H

#include <cstring>

#include "runtime/collective/communicator.h"

namespace zp::test {

class LoneRank : public rt::Communicator {
public:
  LoneRank(int rank, int size) : me(rank), all(size) {}
  int rank() const override { return me; }
  int size() const override { return all; }
  const char *engine() const override { return "test"; }
  int localSize() const override { return all; }
  bool onOneHost() const override { return false; } // there is nobody to share memory with
  Status allGather(const void *shard, void *whole, size_t bytes) override {
    for (int r = 0; r < all; ++r)
      std::memcpy(static_cast<char *>(whole) + static_cast<size_t>(r) * bytes, shard, bytes);
    return {};
  }
  Status reduceScatter(void *, void *, size_t, DType) override { return {}; }
  Status allReduce(void *, size_t, DType) override { return {}; }
  Status barrier() override { return {}; }
  void abort() override {}

private:
  int me, all;
};

} // namespace zp::test

#endif // ZP_TESTS_UNIT_RUNTIME_LONE_RANK_H
