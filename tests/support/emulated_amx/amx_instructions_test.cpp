// The emulation against Intel's manual: bytes put together by its opcode tables, sums by its pseudo-code, what it says a CPU refuses.
#include "tests/support/emulated_amx/amx_instructions.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "runtime/base/numeric.h"
#include "gtest/gtest.h"

namespace zp::rt::test {
namespace {

enum : int { kRax, kRcx, kRdx, kRbx, kRsp, kRbp, kRsi, kRdi, kR8, kR9, kR10, kR11, kR12, kR13, kR14, kR15 };

struct Config {
  uint8_t bytes[64] = {1};
  Config &tile(int at, uint8_t rows, uint8_t rowBytes) {
    bytes[16 + 2 * at] = rowBytes, bytes[48 + at] = rows;
    return *this;
  }
};

class EmulatedAmx : public ::testing::Test {
protected:
  TileState tiles;
  Registers registers = {};

  Outcome run(std::vector<uint8_t> code) {
    const size_t length = code.size();
    code.resize(length + 16);
    const Outcome outcome = emulateAmx(code.data(), registers, tiles);
    if (outcome.what != Emulated::NotAmx) {
      EXPECT_EQ(outcome.length, static_cast<int>(length));
    }
    return outcome;
  }
  void does(std::vector<uint8_t> code) {
    const Outcome outcome = run(std::move(code));
    EXPECT_EQ(outcome.what, Emulated::Done) << (outcome.reason ? outcome.reason : "taken for no AMX");
  }
  Emulated configure(const Config &config) {
    registers.general[kRax] = reinterpret_cast<uint64_t>(config.bytes);
    return run({0xC4, 0xE2, 0x78, 0x49, 0x00}).what; // ldtilecfg [rax]
  }
  float at(int tile, int row, int column) const {
    float value;
    std::memcpy(&value, tiles.data[tile][row] + 4 * column, 4);
    return value;
  }
  void setPair(int tile, int row, int pair, float even, float odd) {
    const uint16_t bits[2] = {floatToBf16(even), floatToBf16(odd)};
    std::memcpy(tiles.data[tile][row] + 4 * pair, bits, 4);
  }
};

TEST_F(EmulatedAmx, RowsComeFromBaseAndIndex) {
  ASSERT_EQ(configure(Config().tile(3, 5, 12)), Emulated::Done);
  uint8_t memory[600];
  for (int i = 0; i < 600; ++i)
    memory[i] = static_cast<uint8_t>(i * 7 + i / 256);
  registers.general[kR13] = reinterpret_cast<uint64_t>(memory) - 8;
  registers.general[kR9] = 25;
  std::memset(tiles.data[3], 0xFF, sizeof tiles.data[3]);
  does({0xC4, 0x82, 0x7B, 0x4B, 0x5C, 0x8D, 0x08}); // tileloadd tmm3, [r13 + r9*4 + 8]: rows 100 bytes apart
  for (int row = 0; row < 16; ++row)
    for (int byte = 0; byte < 64; ++byte)
      ASSERT_EQ(tiles.data[3][row][byte], row < 5 && byte < 12 ? memory[100 * row + byte] : 0) << row << " " << byte;
  uint8_t stored[600] = {};
  registers.general[kRbx] = reinterpret_cast<uint64_t>(stored) - 0x1000;
  registers.general[kRsi] = 20;
  does({0xC4, 0xE2, 0x7A, 0x4B, 0x9C, 0x33, 0x00, 0x10, 0x00, 0x00}); // tilestored [rbx + rsi + 0x1000], tmm3
  for (int i = 0; i < 600; ++i)
    ASSERT_EQ(stored[i], i / 20 < 5 && i % 20 < 12 ? memory[100 * (i / 20) + i % 20] : 0) << i;
  does({0xC4, 0xE2, 0x7B, 0x49, 0xD8}); // tilezero tmm3
  EXPECT_EQ(at(3, 0, 0), 0);
}

TEST_F(EmulatedAmx, WithoutIndexEveryRowIsTheSame) {
  ASSERT_EQ(configure(Config().tile(0, 2, 4)), Emulated::Done);
  const float value = 3;
  registers.general[kRsp] = reinterpret_cast<uint64_t>(&value);
  does({0xC4, 0xE2, 0x79, 0x4B, 0x04, 0x24}); // tileloaddt1 tmm0, [rsp]
  EXPECT_EQ(at(0, 0, 0), 3);
  EXPECT_EQ(at(0, 1, 0), 3);
}

TEST_F(EmulatedAmx, ConfigurationBesideTheCode) {
  struct {
    uint8_t code[16] = {0xC4, 0xE2, 0x78, 0x49, 0x05, 0x07, 0x00, 0x00, 0x00}; // ldtilecfg [rip + 7]: after 9 bytes, at 16
    Config config = Config().tile(7, 16, 64);
  } text;
  EXPECT_EQ(emulateAmx(text.code, registers, tiles).what, Emulated::Done);
  EXPECT_TRUE(tiles.configured);
  EXPECT_EQ(tiles.rows[7], 16);
}

TEST_F(EmulatedAmx, ProductsOfPairs) {
  ASSERT_EQ(configure(Config().tile(1, 3, 20).tile(5, 3, 12).tile(6, 3, 20)), Emulated::Done); // C 3×5, A 3×3 pairs, B 3 pairs × 5
  auto value = [](int i) { return static_cast<float>((i * 37) % 19 - 9); };
  for (int row = 0; row < 3; ++row) {
    for (int pair = 0; pair < 3; ++pair)
      setPair(5, row, pair, value(row * 6 + 2 * pair), value(row * 6 + 2 * pair + 1));
    for (int column = 0; column < 5; ++column)
      setPair(6, row, column, value(50 + row * 10 + 2 * column), value(50 + row * 10 + 2 * column + 1));
  }
  does({0xC4, 0xE2, 0x4A, 0x5C, 0xCD}); // tdpbf16ps tmm1, tmm5, tmm6
  does({0xC4, 0xE2, 0x4A, 0x5C, 0xCD}); // again: it adds
  for (int row = 0; row < 3; ++row)
    for (int column = 0; column < 5; ++column) {
      float sum = 0;
      for (int pair = 0; pair < 3; ++pair)
        for (int odd : {0, 1})
          sum += value(row * 6 + 2 * pair + odd) * value(50 + pair * 10 + 2 * column + odd);
      EXPECT_EQ(at(1, row, column), 2 * sum) << row << " " << column;
    }
}

// What an FMA that rounds once gives, and sums of even and odd elements that meet at the end.
TEST_F(EmulatedAmx, RoundsAsTheManualSays) {
  ASSERT_EQ(configure(Config().tile(0, 1, 4).tile(1, 1, 8).tile(2, 2, 4)), Emulated::Done);
  setPair(1, 0, 0, 0x1p24f, 1), setPair(1, 0, 1, 1, 1);
  setPair(2, 0, 0, 1, 1), setPair(2, 1, 0, 1, 1);
  does({0xC4, 0xE2, 0x6A, 0x5C, 0xC1}); // tdpbf16ps tmm0, tmm1, tmm2
  EXPECT_EQ(at(0, 0, 0), 0x1p24f + 2);  // even: 2^24 + 1, which rounds to 2^24; odd: 2
  const float tiny = std::numeric_limits<float>::min();
  for (auto [a, b] : {std::pair{tiny / 2, 1.0f}, {tiny, 0.5f}}) { // a denormal that comes in, one that would go out
    does({0xC4, 0xE2, 0x7B, 0x49, 0xC0});                         // tilezero tmm0
    setPair(1, 0, 0, a, 0), setPair(1, 0, 1, 0, 0);
    setPair(2, 0, 0, b, 0);
    does({0xC4, 0xE2, 0x6A, 0x5C, 0xC1});
    EXPECT_EQ(at(0, 0, 0), 0);
  }
  setPair(1, 0, 0, NAN, 0);
  does({0xC4, 0xE2, 0x6A, 0x5C, 0xC1});
  EXPECT_TRUE(std::isnan(at(0, 0, 0)));
}

TEST_F(EmulatedAmx, RefusesWhatACpuRefuses) {
  const std::vector<uint8_t> zero = {0xC4, 0xE2, 0x7B, 0x49, 0xC0}, release = {0xC4, 0xE2, 0x78, 0x49, 0xC0},
                             product = {0xC4, 0xE2, 0x6A, 0x5C, 0xC1};
  EXPECT_EQ(run(zero).what, Emulated::Illegal);
  ASSERT_EQ(configure(Config().tile(0, 1, 4).tile(1, 1, 8).tile(2, 2, 4)), Emulated::Done);
  EXPECT_EQ(run(zero).what, Emulated::Done);
  EXPECT_EQ(run(product).what, Emulated::Done);
  EXPECT_EQ(run({0xC4, 0xE2, 0x7B, 0x49, 0xE0}).what, Emulated::Illegal); // tilezero tmm4, left out
  EXPECT_EQ(run({0xC4, 0xE2, 0x72, 0x5C, 0xC1}).what, Emulated::Illegal); // tmm1 twice
  EXPECT_EQ(run({0xC4, 0xE2, 0x7B, 0x4B, 0x00}).what, Emulated::Illegal); // no SIB byte
  EXPECT_EQ(run(release).what, Emulated::Done);
  EXPECT_EQ(run(product).what, Emulated::Illegal);
  EXPECT_EQ(configure(Config().tile(0, 17, 4)), Emulated::Illegal);
  EXPECT_EQ(configure(Config().tile(0, 4, 65)), Emulated::Illegal);
  EXPECT_EQ(configure(Config().tile(0, 4, 0)), Emulated::Illegal);
  EXPECT_EQ(configure(Config().tile(8, 1, 4)), Emulated::Illegal);
  ASSERT_EQ(configure(Config().tile(0, 2, 4).tile(1, 1, 8).tile(2, 2, 4)), Emulated::Done);
  EXPECT_EQ(run(product).what, Emulated::Illegal); // C has more rows than A
}

TEST_F(EmulatedAmx, LeavesOtherInstructionsAlone) {
  for (std::vector<uint8_t> code : {std::vector<uint8_t>{0x0F, 0x0B}, // ud2
                                    {0xC4, 0xE2, 0x7D, 0x18, 0x00},   // vbroadcastss ymm0, [rax]
                                    {0xC4, 0xE2, 0x4B, 0x5C, 0xCD},   // the opcode of tdpbf16ps with another prefix
                                    {0x62, 0xF2, 0x7E, 0x48, 0x52, 0xC0}})
    EXPECT_EQ(run(code).what, Emulated::NotAmx);
}

} // namespace
} // namespace zp::rt::test
