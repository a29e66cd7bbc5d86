// The mean in PyTorch's order and one doubly quantised weight, as bitsandbytes 0.50.2 makes them on a CPU, one thread.
#include <vector>

#include <gtest/gtest.h>

#include "runtime/quant/block_codec.h"
#include "runtime/quant/nested_scales.h"
#include "tests/unit/runtime/quant/bytes.h"

namespace zp::rt {
namespace {

using test::bitsOf;
using test::crc32;
using test::f32;
using test::hexOf;

uint32_t scrambled(uint64_t i) { return static_cast<uint32_t>(i * 2654435761u); }

TEST(NestedScales, OffsetsAreMeansInTheReferencesOrder) {
  const std::vector<std::pair<uint64_t, uint32_t>> means = {{7, 0x3ed9df22},     {31, 0x3efe1d28},     {33, 0x3efd3cca},
                                                            {100, 0x3efc40dc},   {1000, 0x3efffce6},   {4096, 0x3f0001cb},
                                                            {32769, 0x3efffdf8}, {100000, 0x3f00001b}, {262144, 0x3f000003}};
  for (auto [n, mean] : means) {
    std::vector<float> z(n);
    for (uint64_t i = 0; i < n; ++i)
      z[i] = static_cast<float>(scrambled(i) >> 8) * 0x1p-24f;
    EXPECT_EQ(std::bit_cast<uint32_t>(offsetOfScales(z)), mean) << n;
  }
}

class VectorE : public testing::Test {
protected:
  static constexpr uint64_t kElements = 300 * 64, kBlocks = 300;

  void SetUp() override {
    std::vector<float> x(kElements);
    for (uint64_t i = 0; i < kElements; ++i)
      x[i] = (static_cast<float>(scrambled(i) >> 16) - 32768) * static_cast<float>(16 + 7 * (i / 64) % 29) * 0x1p-24f;
    quantizeBlocks({}, reinterpret_cast<const std::byte *>(x.data()), DType::F32, kElements, packed.data(), absmax.data());
    offset = offsetOfScales(absmax);
    quantizeScales(absmax, offset, 0, codes);
    nestScales(absmax, offset, 0, nested);
    dequantizeScales(codes, nested, offset, dynamicMap(), 0, restored);
  }
  template <typename T> std::vector<T> dequantized(DType dtype) {
    std::vector<T> out(kElements);
    dequantizeBlocks({}, packed.data(), restored.data(), kElements, dtype, out.data());
    return out;
  }
  template <typename T> static std::vector<T> firstFour(const std::vector<T> &all) { return {all.begin(), all.begin() + 4}; }

  std::vector<uint8_t> packed = std::vector<uint8_t>(kElements / 2), codes = std::vector<uint8_t>(kBlocks);
  std::vector<float> absmax = std::vector<float>(kBlocks), nested = std::vector<float>(2), restored = std::vector<float>(kBlocks);
  float offset = 0;
};

TEST_F(VectorE, Quantizes) {
  EXPECT_EQ(crc32(packed), 0xb35cee9au);
  EXPECT_EQ(bitsOf(firstFour(absmax)), (std::vector<uint32_t>{0x3d000000, 0x3d362710, 0x3d6e8180, 0x3d936f78}));
  EXPECT_EQ(crc32(absmax), 0xace950cbu);
  EXPECT_EQ(std::bit_cast<uint32_t>(offset), 0x3d6dfd30u);
  EXPECT_EQ(hexOf({codes.begin(), codes.begin() + 16}), "022495dbfc2043d5f81b3cd1f01537cc");
  EXPECT_EQ(crc32(codes), 0x41c512a1u);
  EXPECT_EQ(bitsOf(nested), (std::vector<uint32_t>{0x3ce3df20, 0x3cdee8a0}));
}

TEST_F(VectorE, Dequantizes) {
  EXPECT_EQ(bitsOf(firstFour(restored)), (std::vector<uint32_t>{0x3d000f0c, 0x3d3688ca, 0x3d6e8500, 0x3d9385e1}));
  EXPECT_EQ(crc32(restored), 0x2f4ef8f5u);
  EXPECT_EQ(crc32(dequantized<float>(DType::F32)), 0x264ba905u);
  auto bf16 = dequantized<uint16_t>(DType::BF16), f16 = dequantized<uint16_t>(DType::F16);
  EXPECT_EQ(firstFour(bf16), (std::vector<uint16_t>{0xbd00, 0x3bfc, 0xbc86, 0x3cb9}));
  EXPECT_EQ(crc32(bf16), 0x0d805044u);
  EXPECT_EQ(firstFour(f16), (std::vector<uint16_t>{0xa800, 0x1fe1, 0xa434, 0x25c9}));
  EXPECT_EQ(crc32(f16), 0x31812021u);
}

TEST(NestedScales, TheCodeOfEveryPlace) {
  // A group whose scales less the offset are ±1 at the most and all 65536 places of the reference's table in turn.
  std::vector<uint8_t> table;
  for (int first = 0; first < 65536; first += 255) {
    std::vector<float> group = {1};
    for (int place = first; place < std::min(first + 255, 65536); ++place)
      group.push_back(static_cast<float>(2 * place) / 65535.0f - 1.0f);
    std::vector<uint8_t> codes(group.size());
    quantizeScales(group, 0, 0, codes);
    table.insert(table.end(), codes.begin() + 1, codes.end());
  }
  EXPECT_EQ(table.size(), 65536u);
  EXPECT_EQ(crc32(table), 0x9df57f4cu);
}

TEST(NestedScales, ZeroGroupsAndTheSmallestScales) {
  std::vector<float> equal(300, 0.125f);
  std::vector<uint8_t> codes(300, 77);
  quantizeScales(equal, 0.125f, 0, codes);
  EXPECT_EQ(codes, std::vector<uint8_t>(300, 0));
  // 1/2⁻¹⁴⁹ is infinite: the largest lands on ±1 and a zero, then NaN, on the lowest place
  std::vector<float> tiny = {f32(1), 0, f32(0x80000001)};
  codes.assign(3, 77);
  quantizeScales(tiny, 0, 0, codes);
  EXPECT_EQ(codes, (std::vector<uint8_t>{255, 0, 0}));
}

} // namespace
} // namespace zp::rt
