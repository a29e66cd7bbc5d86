// What PairTile works in is as large as any cut that PairCut makes, and cuts are what an engine multiplies.
#include "runtime/kernels/gemm/pair_cut.h"

#include <gtest/gtest.h>

namespace zp::rt {
namespace {

TEST(PairCut, FitsTheScratchWhateverTheProduct) {
  const Bf16Engine &pairs = emulatedBf16Engine(false), &tiles = emulatedBf16Engine(true);
  for (const Bf16Engine *engine : {&pairs, &tiles, pairs.narrow, pairs.forHeads})
    for (int64_t m : {1, 40, 512, 513, 5000})
      for (int64_t n : {1, 16, 100, 768, 32000})
        for (int64_t k : {1, 33, 768, 1024, 1025, 1792, 2048, 2304, 4096, 5120, 11008, 32000})
          for (int64_t branch : {0, 1, 8, 65, 256}) {
            if (engine == pairs.narrow && n > engine->columns)
              continue;
            const PairCut cut(*engine, m, n, k, branch);
            SCOPED_TRACE(testing::Message() << engine->name << " " << m << "x" << n << "x" << k << " branch " << branch);
            EXPECT_GT(cut.chunk, 0);
            EXPECT_EQ(cut.chunk % engine->pairStep, 0);
            EXPECT_GE(2 * (cut.panel - cut.chunk), branch);
            EXPECT_GT(cut.limits.columns, 0);
            EXPECT_EQ(cut.limits.columns % engine->columns, 0);
            EXPECT_LE(cut.limits.columns, kMaxPanelColumns);
            EXPECT_GT(cut.limits.rows, 0);
            EXPECT_EQ(cut.limits.rows % engine->rows, 0);
            const Tiling tiling(m, n, cut.limits, 2);
            const int64_t columns = Tiling::roundUp(tiling.tileColumns, engine->columns), rows = Tiling::roundUp(tiling.tileRows, engine->rows);
            EXPECT_LE(cut.panel * columns + (cut.keepsAll(k) ? rows : engine->rows) * columns, kPairWords);
          }
}

// Weights of usual models stay whole in L2: no sums wait but those of a row.
TEST(PairCut, PacksAllOfAShortK) {
  for (int64_t k : {768, 1024, 1536, 2048})
    EXPECT_FALSE(PairCut(emulatedBf16Engine(true), 2048, 4096, k, 8).keepsAll(k));
  EXPECT_TRUE(PairCut(emulatedBf16Engine(true), 2048, 4096, 4096, 8).keepsAll(4096));
  EXPECT_FALSE(PairCut(emulatedBf16Engine(false), 2048, 4096, 1024, 8).keepsAll(1024));
}

} // namespace
} // namespace zp::rt
