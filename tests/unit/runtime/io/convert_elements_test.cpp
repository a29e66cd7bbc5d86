#include "runtime/io/convert_elements.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "hwy/targets.h"

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

/// The meaning of all conversions, an element at a time by the compiler's own.
float floatOf(DType dtype, uint32_t bits) {
  if (dtype == DType::F32)
    return std::bit_cast<float>(bits);
  if (dtype == DType::BF16)
    return std::bit_cast<float>(bits << 16);
  return static_cast<float>(std::bit_cast<_Float16>(static_cast<uint16_t>(bits)));
}
uint32_t bitsOfFloat(DType dtype, float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  if (dtype == DType::F32)
    return bits;
  if (dtype == DType::F16)
    return std::bit_cast<uint16_t>(static_cast<_Float16>(value));
  return value != value ? 0x7fc0 : (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
}

/// All patterns of 16 bits; of 32 those around every value, tie and border of both types of 16, and many others.
std::vector<uint32_t> patternsOf(DType dtype) {
  std::vector<uint32_t> patterns;
  for (uint32_t i = 0; i < 65536; ++i)
    if (dtype != DType::F32)
      patterns.push_back(i);
    else
      for (uint32_t low : {0x0u, 0x1u, 0x0fffu, 0x1000u, 0x1001u, 0x1fffu, 0x2000u, 0x3000u, 0x7fffu, 0x8000u, 0x8001u, 0xffffu})
        patterns.push_back(i << 16 | low);
  for (uint32_t i = 0, bits = 1; dtype == DType::F32 && i < 1'000'000; ++i, bits = bits * 1664525 + 1013904223)
    patterns.push_back(bits);
  return patterns;
}

class ConvertElementsBy : public testing::TestWithParam<int64_t> {
protected:
  void SetUp() override {
    if ((hwy::SupportedTargets() & GetParam()) == 0)
      GTEST_SKIP() << "this CPU lacks it";
    hwy::SetSupportedTargetsForTest(GetParam());
    hwy::GetChosenTarget().DeInit(); // the next dispatch chooses anew
  }
  void TearDown() override {
    hwy::SetSupportedTargetsForTest(0);
    hwy::GetChosenTarget().DeInit();
  }
};

TEST_P(ConvertElementsBy, EveryPairAsTheScalarCode) {
  constexpr DType kFloats[] = {DType::F32, DType::BF16, DType::F16};
  for (DType from : kFloats)
    for (DType to : kFloats) {
      if (from == to)
        continue;
      const std::vector<uint32_t> patterns = patternsOf(from);
      const size_t in = bytesOf(from, 1), out = bytesOf(to, 1);
      // An odd address, and calls of 1 to 40 elements: whole vectors and tails.
      std::vector<std::byte> source(1 + in * patterns.size()), target(1 + out * (patterns.size() + 1), std::byte(0xab));
      for (size_t i = 0; i < patterns.size(); ++i)
        std::memcpy(&source[1 + in * i], &patterns[i], in);
      for (size_t i = 0, n = 1; i < patterns.size(); i += n, n = n % 40 + 1)
        convertElements(&source[1 + in * i], from, &target[1 + out * i], to, std::min(n, patterns.size() - i));
      for (size_t i = 0; i < patterns.size(); ++i) {
        uint32_t got = 0;
        std::memcpy(&got, &target[1 + out * i], out);
        ASSERT_EQ(got, bitsOfFloat(to, floatOf(from, patterns[i]))) << textOf(from) << " to " << textOf(to) << " of " << patterns[i];
      }
      EXPECT_EQ(target.back(), std::byte(0xab)) << "behind the last";
    }
}

TEST_P(ConvertElementsBy, RoundsInPlaceAsThroughTheType) {
  std::vector<float> values;
  for (uint32_t bits : patternsOf(DType::F32))
    values.push_back(std::bit_cast<float>(bits));
  values.pop_back(); // a tail
  for (DType dtype : {DType::BF16, DType::F16}) {
    std::vector<float> rounded = values;
    roundElements(rounded.data(), rounded.size(), dtype);
    for (size_t i = 0; i < values.size(); ++i)
      ASSERT_EQ(std::bit_cast<uint32_t>(rounded[i]), std::bit_cast<uint32_t>(floatOf(dtype, bitsOfFloat(dtype, values[i]))))
          << textOf(dtype) << " of " << std::bit_cast<uint32_t>(values[i]);
  }
}

INSTANTIATE_TEST_SUITE_P(Cpus, ConvertElementsBy, testing::Values(int64_t{HWY_STATIC_TARGET}, int64_t{HWY_AVX2}, int64_t{HWY_AVX3}),
                         [](const auto &cpu) { return std::string(hwy::TargetName(cpu.param)); });

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
