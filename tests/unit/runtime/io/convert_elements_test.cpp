#include "runtime/io/convert_elements.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

namespace zp::rt {
namespace {

template <typename To, typename From> std::vector<To> converted(std::vector<From> in, DType from, DType to) {
  std::vector<To> out(in.size());
  convertElements(reinterpret_cast<const std::byte *>(in.data()), from, out.data(), to, in.size());
  return out;
}

TEST(ConvertElements, RoundsToNearestEven) {
  auto f = [](uint32_t bits) { return std::bit_cast<float>(bits); };
  // halfway goes to even, a bit more goes up; infinities stay, a NaN stays one; overflow becomes infinity
  std::vector<float> in = {f(0x3f808000), f(0x3f818000), f(0x3f808001), INFINITY, f(0x7f800001), f(0x7f7fffff), -0.0f};
  std::vector<uint16_t> expected = {0x3f80, 0x3f82, 0x3f81, 0x7f80, 0x7fc0, 0x7f80, 0x8000};
  EXPECT_EQ((converted<uint16_t>(in, DType::F32, DType::BF16)), expected);
  std::vector<float> half = {1.0f, 65504.0f, 65520.0f, 5.9604645e-8f, 2.0f + 1.0f / 1024};
  std::vector<uint16_t> expectedHalf = {0x3c00, 0x7bff, 0x7c00, 0x0001, 0x4000};
  EXPECT_EQ((converted<uint16_t>(half, DType::F32, DType::F16)), expectedHalf);
  std::vector<float> values(1500, 1.00390625f);
  roundElements(values.data(), values.size(), DType::F16);
  EXPECT_EQ(values, std::vector<float>(1500, 1.00390625f)) << "f16 holds it";
  roundElements(values.data(), values.size(), DType::BF16);
  EXPECT_EQ(values, std::vector<float>(1500, 1.0f));
}

TEST(ConvertElements, EveryHalfSurvivesTheWayThroughFloat) {
  std::vector<uint16_t> all(65536);
  for (size_t i = 0; i < all.size(); ++i)
    all[i] = static_cast<uint16_t>(i);
  for (DType dtype : {DType::BF16, DType::F16}) {
    auto floats = converted<float>(all, dtype, DType::F32);
    auto back = converted<uint16_t>(floats, DType::F32, dtype);
    for (size_t i = 0; i < all.size(); ++i)
      ASSERT_TRUE(std::isnan(floats[i]) || back[i] == all[i]) << textOf(dtype) << ' ' << i;
  }
}

TEST(ConvertElements, ReadsUnalignedSources) {
  alignas(4) std::byte bytes[9] = {};
  float value = 1.5f;
  std::memcpy(bytes + 1, &value, 4);
  uint16_t out;
  convertElements(bytes + 1, DType::F32, &out, DType::BF16, 1);
  EXPECT_EQ(out, 0x3fc0);
}

} // namespace
} // namespace zp::rt
