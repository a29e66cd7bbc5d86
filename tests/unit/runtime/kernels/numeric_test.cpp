#include "runtime/base/numeric.h"

#include <cmath>

#include "gtest/gtest.h"

namespace zp::rt {
namespace {

TEST(Numeric, EveryBf16SurvivesTheWayThroughF32) {
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    float value = bf16ToFloat(static_cast<uint16_t>(bits));
    if (std::isnan(value))
      EXPECT_TRUE(std::isnan(bf16ToFloat(floatToBf16(value)))) << bits;
    else
      EXPECT_EQ(floatToBf16(value), bits);
  }
}

TEST(Numeric, EveryF16SurvivesTheWayThroughF32) {
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    float value = f16ToFloat(static_cast<uint16_t>(bits));
    if (std::isnan(value))
      EXPECT_TRUE(std::isnan(f16ToFloat(floatToF16(value)))) << bits;
    else
      EXPECT_EQ(floatToF16(value), bits);
  }
}

// Between two neighbours: below the middle goes down, above goes up, the middle goes to the even one.
TEST(Numeric, HalvesRoundToNearestEven) {
  for (uint32_t bits = 1; bits < 0x7bff; ++bits) {
    float low = f16ToFloat(static_cast<uint16_t>(bits)), high = f16ToFloat(static_cast<uint16_t>(bits + 1)), middle = (low + high) / 2;
    ASSERT_EQ(floatToF16(std::nextafter(middle, low)), bits);
    ASSERT_EQ(floatToF16(std::nextafter(middle, high)), bits + 1);
    ASSERT_EQ(floatToF16(middle), bits % 2 == 0 ? bits : bits + 1);
  }
  for (uint32_t bits = 1; bits < 0x7f7f; ++bits) {
    float low = bf16ToFloat(static_cast<uint16_t>(bits)), high = bf16ToFloat(static_cast<uint16_t>(bits + 1));
    float middle = low + (high - low) / 2;
    ASSERT_EQ(floatToBf16(std::nextafter(middle, low)), bits);
    ASSERT_EQ(floatToBf16(std::nextafter(middle, high)), bits + 1);
    ASSERT_EQ(floatToBf16(middle), bits % 2 == 0 ? bits : bits + 1);
  }
}

} // namespace
} // namespace zp::rt
