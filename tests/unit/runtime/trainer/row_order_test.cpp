// The reference's shuffle, and which rank takes which row.
#include "runtime/trainer/row_order.h"

#include <array>

#include <gtest/gtest.h>

namespace zp::rt {
namespace {

// python3 -c 'g = torch.Generator(); g.manual_seed(seed); print(torch.randperm(n, generator=g).tolist())'       # torch 2.15
TEST(RandomPermutation, EqualsTheReference) {
  EXPECT_EQ(randomPermutation(10, 42), (std::vector<uint32_t>{2, 6, 1, 8, 4, 5, 0, 9, 3, 7}));
  EXPECT_EQ(randomPermutation(17, 45), (std::vector<uint32_t>{8, 15, 3, 2, 11, 12, 4, 10, 13, 0, 16, 6, 7, 14, 5, 9, 1}));
  std::vector<uint32_t> large = randomPermutation(70000, 43);
  EXPECT_EQ(std::vector<uint32_t>(large.begin(), large.begin() + 8), (std::vector<uint32_t>{25588, 13495, 25639, 54482, 62585, 59655, 3144, 37672}));
  EXPECT_EQ(std::vector<uint32_t>(large.end() - 8, large.end()), (std::vector<uint32_t>{4141, 64077, 52027, 67904, 127, 34016, 7901, 52288}));
  EXPECT_EQ(randomPermutation(10, (1ull << 32) + 42), randomPermutation(10, 42)) << "the seed's low 32 bits count";
  EXPECT_EQ(randomPermutation(0, 1).size(), 0u);
}

RowOrderOptions options(uint32_t rows, int ranks, uint32_t batch, uint32_t accumulation) {
  RowOrderOptions o;
  o.rows = rows;
  o.ranks = ranks;
  o.batch = batch;
  o.accumulation = accumulation;
  o.shuffled = false;
  return o;
}

std::vector<int64_t> update(RowOrder &order, uint64_t u) {
  std::vector<int64_t> rows;
  for (uint64_t place = 0; place < order.placesPerUpdate(); ++place)
    rows.push_back(order.row(u, place));
  return rows;
}

TEST(RowOrder, FillsUpdatesInOrderAndPadsTheLast) {
  RowOrder order(options(11, 2, 2, 2));
  EXPECT_EQ(order.updatesPerEpoch(), 2u);
  EXPECT_EQ(update(order, 0), (std::vector<int64_t>{0, 1, 2, 3, 4, 5, 6, 7}));
  EXPECT_EQ(update(order, 1), (std::vector<int64_t>{8, 9, 10, -1, -1, -1, -1, -1}));
  EXPECT_EQ(update(order, 2), update(order, 0)) << "the next epoch";
}

TEST(RowOrder, TheSameRowsAnUpdateOnAnyNumberOfRanks) {
  for (auto [ranks, batch, accumulation] : {std::array<int, 3>{1, 4, 3}, {2, 2, 3}, {4, 1, 3}, {1, 2, 6}, {1, 12, 1}}) {
    RowOrderOptions o = options(29, ranks, static_cast<uint32_t>(batch), static_cast<uint32_t>(accumulation));
    o.shuffled = true;
    o.seed = 7;
    RowOrder order(o);
    EXPECT_EQ(order.updatesPerEpoch(), 3u);
    std::vector<uint32_t> second = randomPermutation(29, 8);
    for (uint64_t place = 0; place < 12; ++place) {
      EXPECT_EQ(order.row(4, place), second[12 + place]);
      EXPECT_EQ(order.row(5, place), place < 5 ? int64_t{second[24 + place]} : RowOrder::kPadding);
    }
  }
}

TEST(RowOrder, DropsTheRowsThatFillNoRound) {
  RowOrderOptions o = options(11, 2, 2, 2);
  o.dropLast = true;
  RowOrder order(o);
  EXPECT_EQ(order.roundsPerEpoch(), 2u);
  EXPECT_EQ(order.updatesPerEpoch(), 1u);
  EXPECT_EQ(update(order, 0), (std::vector<int64_t>{0, 1, 2, 3, 4, 5, 6, 7}));
  o.rows = 3;
  EXPECT_EQ(RowOrder(o).roundsPerEpoch(), 0u);
}

TEST(RowOrder, CountsEpochsByMicroBatches) {
  RowOrder order(options(11, 1, 2, 4)); // 6 micro-batches: updates of 4 and of 2
  EXPECT_DOUBLE_EQ(order.epochAfter(0), 4.0 / 6);
  EXPECT_DOUBLE_EQ(order.epochAfter(1), 1.0);
  EXPECT_DOUBLE_EQ(order.epochAfter(2), 1 + 4.0 / 6);
}

} // namespace
} // namespace zp::rt
