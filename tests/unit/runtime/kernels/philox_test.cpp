// Known answers of Random123 (kat_vectors, philox4x32 10), and the mask that follows from them.
#include "runtime/kernels/philox.h"

#include "tests/conformance/support.h"

namespace zp::rt::test {
namespace {

using Words = std::array<uint32_t, 4>;

TEST(Philox, KnownAnswers) {
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox4x32({~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}), (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Philox, DropoutMaskOfTheFirstCounter) {
  // Words 0x6627e8d5 (0.399), 0xe169c58d (0.881), 0xbc57ac4c (0.736), 0x9b00dbd8 (0.605).
  struct {
    double probability;
    std::array<bool, 4> kept;
  } cases[] = {
      {0.5, {false, true, true, true}}, {0.39, {true, true, true, true}}, {0.7, {false, true, true, false}}, {0.9, {false, false, false, false}}};
  for (const auto &c : cases)
    for (bool oracle : {false, true}) {
      Maker maker;
      DropoutArgs args;
      args.source = maker.positive(DType::F32, {1, 4});
      args.target = maker.empty(DType::F32, {1, 4});
      args.scalars = maker.scalars(StepScalars{});
      args.probability = c.probability;
      args.length = 1;
      oracle ? reference::run(KernelContext{}, args) : cpu::run(KernelContext{}, args);
      for (int i = 0; i < 4; ++i)
        EXPECT_EQ(args.target.as<float>()[i] != 0, c.kept[i]) << c.probability << " word " << i;
    }
}

// u >= probability in integers: a word equal to probability·2³² is kept, the one below is not.
TEST(Philox, ThresholdIsExact) {
  EXPECT_EQ(dropoutThreshold(0), 0u);
  EXPECT_EQ(dropoutThreshold(0.5), 0x80000000u);
  EXPECT_EQ(dropoutThreshold(0.1), 429496730u); // 0.1·2³² = 429496729.6
  EXPECT_EQ(dropoutThreshold(1 - 1e-15), uint64_t{1} << 32);
}

} // namespace
} // namespace zp::rt::test
