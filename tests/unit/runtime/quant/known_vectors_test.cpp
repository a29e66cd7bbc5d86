// Small blocks with their bytes written out, as bitsandbytes 0.50.2 makes them on a CPU.
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/quant/block_codec.h"
#include "tests/unit/runtime/quant/bytes.h"

namespace zp::rt {
namespace {

using test::bitsOf;
using test::f32;
using test::hexOf;
using test::repeated;

struct KnownVector {
  std::string packed;
  std::vector<uint32_t> absmax;
  bool operator==(const KnownVector &) const = default;
};
void PrintTo(const KnownVector &q, std::ostream *out) {
  *out << q.packed << std::hex;
  for (uint32_t bits : q.absmax)
    *out << ' ' << bits;
}

KnownVector quantized(const std::vector<float> &x, QuantType type, uint32_t blockSize) {
  std::vector<uint8_t> packed(packedBytesOf(x.size()));
  std::vector<float> absmax(blocksOf(x.size(), blockSize));
  quantizeBlocks({type, blockSize}, reinterpret_cast<const std::byte *>(x.data()), DType::F32, x.size(), packed.data(), absmax.data());
  return {hexOf(packed), bitsOf(absmax)};
}

std::vector<float> withZeros(std::vector<float> x, size_t size) {
  x.resize(size);
  return x;
}

TEST(KnownVectors, A_ABlock) {
  std::vector<float> x;
  for (int i = 0; i < 64; ++i)
    x.push_back(static_cast<float>((37 * i + 11) % 101 - 50) / 64);
  const char *nf4 = "17e29f3b05d17e2af4c06d18e2a04c16e29f3b05d17e29f3c05d18e2af4c16e1";
  const char *fp4 = "a92d63c4be5a12d73c5be2a12d7bf5a92a63c4be5a02d63c4be2a12d73f5a92a";
  EXPECT_EQ(quantized(x, QuantType::NF4, 64), (KnownVector{nf4, {0x3f480000}}));
  EXPECT_EQ(quantized(x, QuantType::NF4, 32), (KnownVector{nf4, {0x3f480000, 0x3f480000}}));
  EXPECT_EQ(quantized(x, QuantType::FP4, 64), (KnownVector{fp4, {0x3f480000}}));
  EXPECT_EQ(quantized(x, QuantType::FP4, 32), (KnownVector{fp4, {0x3f480000, 0x3f480000}}));
}

std::vector<float> atBounds(QuantType type) {
  std::vector<float> x = {1};
  for (float bound : tableOf(type).bounds)
    x.push_back(bound);
  for (float bound : tableOf(type).bounds)
    x.push_back(std::nextafter(bound, 9.0f));
  return withZeros(x, 64);
}

TEST(KnownVectors, B_TiesOfNF4GoDown) {
  EXPECT_EQ(quantized(atBounds(QuantType::NF4), QuantType::NF4, 64),
            (KnownVector{"f0123456789abcde123456789abcdef7" + repeated("77", 16), {0x3f800000}}));
}

TEST(KnownVectors, C_TiesOfFP4GoDown) {
  EXPECT_EQ(quantized(atBounds(QuantType::FP4), QuantType::FP4, 64),
            (KnownVector{"3badcfe908167452adcfe90816745230" + repeated("00", 16), {0x3f800000}}));
}

TEST(KnownVectors, D_AnOddTail) {
  std::vector<float> x;
  for (int i = 0; i < 37; ++i)
    x.push_back(static_cast<float>((29 * i + 3) % 61 - 30) / 512);
  EXPECT_EQ(quantized(x, QuantType::NF4, 32), (KnownVector{"0807f6e5e4d3d2c1b1a1907f6f5e4e3d1e0d07", {0x3d700000, 0x3d200000}}));
  EXPECT_EQ(quantized(x, QuantType::FP4, 32), (KnownVector{"b1b93e2f2c2d5d5a4a7b6b1393e2f2c2a2b2b0", {0x3d700000, 0x3d200000}}));
}

TEST(KnownVectors, F_AFullBlockTakesTheReciprocalATailDivides) {
  std::vector<float> x = {f32(0x3e8e0000), f32(0x3e0e78f1)};
  EXPECT_EQ(quantized(withZeros(x, 64), QuantType::NF4, 64), (KnownVector{"fc" + repeated("77", 31), {0x3e8e0000}}));
  EXPECT_EQ(quantized(x, QuantType::NF4, 64), (KnownVector{"fd", {0x3e8e0000}}));
}

TEST(KnownVectors, G_Zeros) {
  EXPECT_EQ(quantized(withZeros({}, 64), QuantType::NF4, 64), (KnownVector{repeated("77", 32), {0}}));
  EXPECT_EQ(quantized(withZeros({}, 64), QuantType::FP4, 64), (KnownVector{repeated("00", 32), {0}}));
  EXPECT_EQ(quantized(withZeros({}, 33), QuantType::NF4, 64), (KnownVector{repeated("77", 17), {0x006ce3ee}}));
  EXPECT_EQ(quantized(withZeros({}, 33), QuantType::FP4, 64), (KnownVector{repeated("00", 17), {0x006ce3ee}}));
}

TEST(KnownVectors, H_Denormals) {
  std::vector<float> x = withZeros({f32(0x000116c2), f32(0x802b8e5f)}, 64);
  EXPECT_EQ(quantized(x, QuantType::NF4, 64), (KnownVector{"73" + repeated("77", 31), {0x002b8e5f}}));
  EXPECT_EQ(quantized(x, QuantType::FP4, 64), (KnownVector{"1c" + repeated("00", 31), {0x002b8e5f}}));
}

TEST(KnownVectors, I_NotFinite) {
  std::vector<float> x(64);
  x[6] = 1;
  x[5] = INFINITY;
  EXPECT_EQ(quantized(x, QuantType::NF4, 64), (KnownVector{"77777f" + repeated("77", 29), {0x7f800000}}));
  EXPECT_EQ(quantized(x, QuantType::FP4, 64), (KnownVector{"000003" + repeated("00", 29), {0x7f800000}}));
  x[5] = NAN;
  KnownVector nf4 = quantized(x, QuantType::NF4, 64), fp4 = quantized(x, QuantType::FP4, 64);
  EXPECT_TRUE(std::isnan(f32(nf4.absmax[0])) && std::isnan(f32(fp4.absmax[0])));
  EXPECT_EQ(nf4.packed, repeated("ff", 32));
  EXPECT_EQ(fp4.packed, repeated("33", 32));
}

} // namespace
} // namespace zp::rt
