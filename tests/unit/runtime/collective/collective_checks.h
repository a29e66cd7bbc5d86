// What every engine must do, checked on each rank of a world: a text that says what went wrong, empty when nothing did.
// The oracle computes each rank's data anew and adds it up in rank order.
#ifndef ZP_TESTS_UNIT_RUNTIME_COLLECTIVE_COLLECTIVE_CHECKS_H
#define ZP_TESTS_UNIT_RUNTIME_COLLECTIVE_COLLECTIVE_CHECKS_H

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "runtime/collective/communicator.h"
#include "runtime/collective/shared_memory.h"

namespace zp::rt::test {

/// Numbers of widely differing size, so that another order of adding gives other bits.
template <typename T> std::vector<T> dataOf(int rank, size_t count, unsigned seed) {
  std::mt19937 generator(seed * 1000 + static_cast<unsigned>(rank));
  std::vector<T> data(count);
  for (T &value : data) {
    uint32_t bits = generator();
    value = static_cast<T>(std::ldexp(static_cast<double>(bits >> 8) - (1 << 23), static_cast<int>(bits % 40)));
  }
  return data;
}

template <typename T> std::vector<T> sumInRankOrder(int ranks, size_t count, unsigned seed) {
  std::vector<T> sum = dataOf<T>(0, count, seed);
  for (int rank = 1; rank < ranks; ++rank) {
    std::vector<T> next = dataOf<T>(rank, count, seed);
    for (size_t i = 0; i < count; ++i)
      sum[i] += next[i];
  }
  return sum;
}

#define ZP_CHECK(condition, text)                                                                                                                    \
  if (!(condition))                                                                                                                                  \
  return std::string(text)
#define ZP_CHECK_OK(expression)                                                                                                                      \
  if (Status status = (expression); !status.ok())                                                                                                    \
  return status.toString()

inline std::string checkGather(Communicator &c, size_t bytes, bool inPlace) {
  const auto ranks = static_cast<size_t>(c.size()), own = static_cast<size_t>(c.rank());
  auto value = [](size_t rank, size_t i) { return static_cast<unsigned char>(rank * 31 + i * 7 + (i >> 13)); };
  std::vector<unsigned char> whole(ranks * bytes, 0xee), shard(bytes);
  for (size_t i = 0; i < bytes; ++i)
    shard[i] = value(own, i);
  unsigned char *source = shard.data();
  if (inPlace) {
    std::copy(shard.begin(), shard.end(), whole.begin() + static_cast<std::ptrdiff_t>(own * bytes));
    source = whole.data() + own * bytes;
  }
  ZP_CHECK_OK(c.allGather(source, whole.data(), bytes));
  for (size_t rank = 0; rank < ranks; ++rank)
    for (size_t i = 0; i < bytes; ++i)
      ZP_CHECK(whole[rank * bytes + i] == value(rank, i),
               "all_gather of " + std::to_string(bytes) + " bytes: byte " + std::to_string(i) + " of rank " + std::to_string(rank));
  return {};
}

template <typename T> std::string checkSums(Communicator &c, size_t count, DType dtype, unsigned seed) {
  const auto ranks = static_cast<size_t>(c.size()), own = static_cast<size_t>(c.rank());
  std::vector<T> expected = sumInRankOrder<T>(c.size(), count * ranks, seed), whole = dataOf<T>(c.rank(), count * ranks, seed), shard(count);
  ZP_CHECK_OK(c.reduceScatter(whole.data(), shard.data(), count, dtype));
  ZP_CHECK(std::memcmp(shard.data(), expected.data() + own * count, count * sizeof(T)) == 0,
           "reduce_scatter of " + std::to_string(count) + " " + textOf(dtype) + ": other bits than the sum in rank order");
  std::vector<T> data = dataOf<T>(c.rank(), count, seed + 1);
  ZP_CHECK_OK(c.allReduce(data.data(), count, dtype));
  expected = sumInRankOrder<T>(c.size(), count, seed + 1);
  ZP_CHECK(std::memcmp(data.data(), expected.data(), count * sizeof(T)) == 0,
           "all_reduce of " + std::to_string(count) + " " + textOf(dtype) + ": other bits than the sum in rank order");
  return {};
}

/// Each rank writes its part of a memory that all see, and then another's.
inline std::string checkSharedMemory(Communicator &c, size_t bytes) {
  const auto ranks = static_cast<size_t>(c.size()), own = static_cast<size_t>(c.rank());
  auto value = [](size_t rank, size_t i) { return static_cast<std::byte>(rank * 31 + i * 7 + (i >> 13) + 1); };
  auto memory = SharedMemory::create(c, ranks * bytes);
  ZP_CHECK_OK(memory.status());
  ZP_CHECK(memory->data(), "no shared memory: " + memory->whyNone());
  ZP_CHECK(memory->holds(memory->data() + ranks * bytes - 1) && !memory->holds(memory->data() + ranks * bytes) && !memory->holds(&c),
           "shared memory does not know what it holds");
  for (size_t i = 0; i < ranks * bytes; ++i)
    ZP_CHECK(memory->data()[i] == std::byte{0}, "shared memory begins with something");
  for (size_t turn = 0; turn < 2; ++turn) {
    ZP_CHECK_OK(c.barrier());
    const size_t part = (own + turn) % ranks;
    for (size_t i = 0; i < bytes; ++i)
      memory->data()[part * bytes + i] = value(own, i);
    ZP_CHECK_OK(c.barrier());
    for (size_t i = 0; i < ranks * bytes; ++i)
      ZP_CHECK(memory->data()[i] == value((i / bytes + ranks - turn) % ranks, i % bytes), "shared memory: byte " + std::to_string(i));
  }
  return {};
}

/// Sizes below, at and above what an engine passes on at once, and such that nothing divides evenly.
inline std::string checkCollectives(Communicator &c) {
  for (size_t bytes : {size_t{1}, size_t{7}, size_t{4096}, size_t{512} << 10, (size_t{512} << 10) + 3, size_t{3000001}})
    for (bool inPlace : {false, true})
      if (std::string wrong = checkGather(c, bytes, inPlace); !wrong.empty())
        return wrong;
  unsigned seed = 1;
  for (size_t count : {1, 5, 1000, 131072, 131073, 300001}) {
    if (std::string wrong = checkSums<float>(c, count, DType::F32, seed++); !wrong.empty())
      return wrong;
    if (std::string wrong = checkSums<double>(c, count, DType::F64, seed++); !wrong.empty())
      return wrong;
  }
  for (DType dtype : {DType::BF16, DType::F16, DType::I32, DType::I64, DType::U8}) {
    uint64_t nothing[64] = {};
    ZP_CHECK(!c.allReduce(nothing, 1, dtype).ok(), std::string("all_reduce takes ") + textOf(dtype));
    ZP_CHECK(!c.reduceScatter(nothing, nothing, 1, dtype).ok(), std::string("reduce_scatter takes ") + textOf(dtype));
  }
  ZP_CHECK_OK(c.barrier());
  return c.onOneHost() ? checkSharedMemory(c, 70001) : std::string();
}

} // namespace zp::rt::test

#endif // ZP_TESTS_UNIT_RUNTIME_COLLECTIVE_COLLECTIVE_CHECKS_H
