// What is refused on the way from a file to 4 bits.
#include "runtime/quant/quantize_weights.h"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/runtime/quant/bytes.h"

namespace zp::rt {
namespace {

constexpr uint64_t kTotal = 100;

struct Weights : testing::Test {
  std::vector<float> values = std::vector<float>(kTotal, 0.5f);
  std::vector<uint8_t> packed = std::vector<uint8_t>(kTotal / 2);
  std::vector<float> absmax = std::vector<float>(4);

  WeightPiece piece(uint64_t first, uint64_t count) const {
    return {"m.safetensors", "q.weight", reinterpret_cast<const std::byte *>(values.data() + first), DType::F32, first, count, kTotal};
  }
  Status quantize(const WeightPiece &from, uint32_t blockSize = 32) {
    return quantizeWeights({QuantType::NF4, blockSize}, from, packed.data(), absmax.data());
  }
};

TEST_F(Weights, NamesTheFirstElementThatIsNotFinite) {
  EXPECT_TRUE(quantize(piece(0, kTotal)).ok());
  values[70] = INFINITY;
  Status status = quantize(piece(0, kTotal));
  EXPECT_EQ(status.code(), ErrorCode::NonFinite);
  EXPECT_EQ(status.message(), "m.safetensors: tensor q.weight: element 70 of the flattened weight is infinite, expected "
                              "finite weights; fetch the checkpoint again or mend it");
  EXPECT_EQ(quantize(piece(64, 36)).message(), status.message()); // whichever piece it is in
  EXPECT_TRUE(quantize(piece(0, 64)).ok());
  values[99] = NAN; // in the tail
  values[70] = 0;
  EXPECT_NE(quantize(piece(96, 4)).message().find("element 99 of the flattened weight is not a number"), std::string::npos);
}

TEST_F(Weights, ReadsHalves) {
  std::vector<uint16_t> halves(kTotal, 0x3c00); // 1 as f16
  halves[40] = 0x7f80;                          // infinite as bf16, a NaN as f16
  WeightPiece from = piece(0, kTotal);
  from.elements = reinterpret_cast<const std::byte *>(halves.data());
  from.dtype = DType::BF16;
  EXPECT_NE(quantize(from).message().find("element 40 of the flattened weight is infinite"), std::string::npos);
  from.dtype = DType::F16;
  EXPECT_NE(quantize(from).message().find("element 40 of the flattened weight is not a number"), std::string::npos);
}

TEST_F(Weights, RefusesWhatIsNoFloat) {
  WeightPiece from = piece(0, kTotal);
  from.dtype = DType::U8;
  Status status = quantize(from);
  EXPECT_EQ(status.code(), ErrorCode::TensorDtype);
  EXPECT_NE(status.message().find("q.weight: is u8, expected f32, bf16 or f16 weights to quantize"), std::string::npos);
}

TEST_F(Weights, PiecesAreWholeBlocks) {
  EXPECT_TRUE(quantize(piece(32, 64)).ok());
  EXPECT_TRUE(quantize(piece(100, 0)).ok()); // a rank that owns nothing of it
  for (WeightPiece bad : {piece(16, 32), piece(0, 33), piece(96, 5), piece(64, UINT64_MAX)})
    EXPECT_EQ(quantize(bad).code(), ErrorCode::Internal) << bad.first << ' ' << bad.count;
  EXPECT_EQ(quantize(piece(0, kTotal), 48).code(), ErrorCode::Internal);
}

TEST(QuantizeWeights, ScalesAloneAreTheSame) {
  std::vector<float> weight(300);
  for (size_t i = 0; i < weight.size(); ++i)
    weight[i] = static_cast<float>(i * 37 % 101) - 50;
  for (uint64_t count : {64, 128, 300, 33, 1})
    for (bool zeros : {false, true}) {
      std::vector<float> values(zeros ? std::vector<float>(count, 0.0f)
                                      : std::vector<float>(weight.begin(), weight.begin() + static_cast<long>(count)));
      WeightPiece piece{"f", "w", reinterpret_cast<const std::byte *>(values.data()), DType::F32, 0, count, count};
      std::vector<uint8_t> packed(packedBytesOf(count));
      std::vector<float> scales(blocksOf(count, 64)), alone(blocksOf(count, 64), -1.0f);
      ASSERT_TRUE(quantizeWeights({QuantType::NF4, 64}, piece, packed.data(), scales.data()).ok());
      ASSERT_TRUE(scalesOfWeights({QuantType::NF4, 64}, piece, alone.data()).ok());
      EXPECT_EQ(test::bitsOf(alone), test::bitsOf(scales));
    }
  weight[299] = INFINITY;
  WeightPiece piece{"f", "w", reinterpret_cast<const std::byte *>(weight.data()), DType::F32, 0, 300, 300};
  std::vector<float> scales(5);
  EXPECT_EQ(scalesOfWeights({QuantType::NF4, 64}, piece, scales.data()).code(), ErrorCode::NonFinite);
}

} // namespace
} // namespace zp::rt
