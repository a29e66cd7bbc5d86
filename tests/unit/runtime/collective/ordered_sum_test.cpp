#include "runtime/collective/ordered_sum.h"

#include <gtest/gtest.h>
#include <vector>

namespace zp::rt {
namespace {

TEST(OrderedSum, AddsFromTheFirstRankOn) {
  // (1e8 + 1) - 1e8 is 0 in f32; in another order it is 1.
  std::vector<float> parts = {1e8f, 1.0f, -1e8f};
  float out = 7;
  sumInOrder(parts.data(), sizeof(float), 3, 1, DType::F32, &out);
  EXPECT_EQ(out, 0.0f);
  parts = {1e8f, -1e8f, 1.0f};
  sumInOrder(parts.data(), sizeof(float), 3, 1, DType::F32, &out);
  EXPECT_EQ(out, 1.0f);
}

TEST(OrderedSum, MayOverwriteAPart) {
  std::vector<double> parts(3 * 1000);
  for (size_t i = 0; i < parts.size(); ++i)
    parts[i] = static_cast<double>(i);
  sumInOrder(parts.data(), 1000 * sizeof(double), 3, 1000, DType::F64, parts.data() + 1000);
  for (size_t i = 0; i < 1000; ++i)
    ASSERT_EQ(parts[1000 + i], static_cast<double>(3 * i + 3000));
}

} // namespace
} // namespace zp::rt
