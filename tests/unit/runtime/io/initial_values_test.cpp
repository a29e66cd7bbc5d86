// Fresh values against the reference's, bit for bit where it is exact.
#include "runtime/io/initial_values.h"

#include <gtest/gtest.h>

namespace zp::rt {
namespace {

// A model of two linears q: 3 -> 2 and v: 3 -> 5; torch.manual_seed(42); get_peft_model(m, LoraConfig(r=2,
// target_modules=["q", "v"])); the A weights (torch 2.15, peft 0.21.2). Before q's A lie r·in + out·r = 10 outputs; before
// v's A 16 + 6 + 10.
const float kLoraQ[] = {0.501830637f, 0.108056471f, 0.426551491f, 0.0781908780f, 0.278391421f, -0.0815166607f};
const float kLoraV[] = {0.445730209f, 0.0960821360f, -0.187468246f, 0.356773585f, 0.0899804831f, 0.466477871f};
constexpr float kBound = 0.577350269f; // 1/sqrt(3)

TEST(InitialValues, DrawsLoraAsTheReferenceDoes) {
  InitialValues fresh(42);
  float out[6];
  fresh.uniform(10, kBound, 0, 6, out);
  for (int i = 0; i < 6; ++i)
    EXPECT_EQ(out[i], kLoraQ[i]) << i;
  fresh.uniform(32, kBound, 0, 6, out);
  for (int i = 0; i < 6; ++i)
    EXPECT_EQ(out[i], kLoraV[i]) << i;
}

TEST(InitialValues, SlicesEqualTheWholeInAnyOrder) {
  InitialValues fresh(42);
  float out[2];
  fresh.uniform(32, kBound, 4, 2, out);
  EXPECT_EQ(out[0], kLoraV[4]);
  fresh.uniform(10, kBound, 1, 2, out); // back
  EXPECT_EQ(out[0], kLoraQ[1]);
  EXPECT_EQ(out[1], kLoraQ[2]);
}

TEST(InitialValues, TakesTheSeedsLow32Bits) {
  // torch.manual_seed(2**32 + 5); torch.empty(3).uniform_(-1, 1)
  InitialValues fresh((1ull << 32) + 5);
  float out[3];
  fresh.uniform(0, 1.0f, 0, 3, out);
  EXPECT_EQ(out[0], 0.660503745f);
  EXPECT_EQ(out[1], -0.747778177f);
  EXPECT_EQ(out[2], 0.814939380f);
}

TEST(InitialValues, OutlivesTheGeneratorsBlocks) {
  // torch.manual_seed(42); torch.empty(1000).uniform_(-0.5, 0.5)[700:704]
  InitialValues fresh(42);
  float out[4];
  fresh.uniform(0, 0.5f, 700, 4, out);
  EXPECT_EQ(out[0], 0.302882731f);
  EXPECT_EQ(out[3], -0.419373095f);
}

// torch.manual_seed(7); torch.empty(n).normal_(0, 0.25). The reference's vector code has its own log and cosine, so from 16
// elements on only the last bits differ.
void expectNormal(uint64_t total, std::initializer_list<float> expected, float tolerance) {
  InitialValues fresh(7);
  std::vector<float> out(total);
  fresh.normal(0, 0.25f, total, 0, total, out.data());
  size_t i = 0;
  for (float value : expected) {
    EXPECT_NEAR(out[i], value, tolerance) << i;
    ++i;
  }
  float one;
  fresh.normal(0, 0.25f, total, total - 1, 1, &one);
  EXPECT_EQ(one, out[total - 1]);
}

TEST(InitialValues, NormalOfFewElements) { expectNormal(5, {-0.0366987735f, 0.196535319f, 0.236705408f, -0.278586000f, 0.422697544f}, 0); }
TEST(InitialValues, NormalOfSixteen) {
  expectNormal(16,
               {-0.205033630f, 0.0989077911f, 0.224727124f, -0.347100973f, -0.0417490043f, 0.0712874904f, -0.160272881f, -0.223413855f, 0.231635749f,
                -0.133878052f, -0.289930075f, -0.115039289f, 0.177134767f, 0.253188848f, 0.0575992167f, 0.272541285f},
               2e-7f);
}
TEST(InitialValues, NormalWithATail) {
  expectNormal(20, {-0.205033630f, 0.0989077911f, 0.224727124f,  -0.347100973f,  0.0496112630f, 0.195518166f,  0.259776920f,
                    -0.181127682f, -0.212227151f, -0.304232359f, -0.0202553961f, 0.340371281f,  -0.515369475f, 0.168525174f,
                    -0.330836445f, -0.339942247f, -0.216675401f, -0.141001672f,  -0.514115632f, -0.0891806334f},
               2e-7f);
}

} // namespace
} // namespace zp::rt
