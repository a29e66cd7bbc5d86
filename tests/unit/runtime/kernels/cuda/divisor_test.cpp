#include "runtime/kernels/cuda/divisor.h"

#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace zp::rt::cuda {
namespace {

TEST(Divisor, GivesTheQuotientOfAll31Bits) {
  std::mt19937 random(1);
  std::uniform_int_distribution<uint32_t> any(1, INT32_MAX);
  std::vector<uint32_t> divisors = {
      1, 2, 3, 5, 7, 8, 512, 641, 1376, 11008, 65535, 65536, 65537, (1u << 30) - 1, 1u << 30, (1u << 30) + 1, INT32_MAX - 1, INT32_MAX};
  for (int i = 0; i < 2000; ++i)
    divisors.push_back(any(random) >> (i % 31) | 1u);
  for (uint32_t value : divisors) {
    const Divisor divisor(value);
    auto holds = [&](uint32_t number) { ASSERT_EQ(number / divisor, number / value) << number << " / " << value; };
    for (uint32_t number : {0u, 1u, value - 1, value, uint32_t{INT32_MAX} - 1, uint32_t{INT32_MAX}})
      holds(number);
    for (int i = 0; i < 200; ++i) { // around multiples, where a quotient that is off by one shows
      const uint32_t multiple = any(random) / value * value;
      holds(multiple);
      holds(multiple > 0 ? multiple - 1 : 0);
    }
    EXPECT_EQ(int64_t{1000} * value / divisor, 1000);
  }
}

} // namespace
} // namespace zp::rt::cuda
