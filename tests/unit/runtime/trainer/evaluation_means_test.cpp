// The reference's means of an evaluation, by hand from its rules: transformers' evaluation_loop (a batch's loss once a row, cut to
// the rows), accelerate's BatchSamplerShard and gather_for_metrics, TRL's compute_loss.
#include "runtime/trainer/evaluation_means.h"

#include <vector>

#include <gtest/gtest.h>

namespace zp::rt {
namespace {

/// Row i has i + 1 counted labels, a loss of 10·i in all and i of them predicted.
std::vector<RowSums> rows(int count) {
  std::vector<RowSums> out;
  for (int i = 0; i < count; ++i)
    out.push_back({10.0 * i, static_cast<double>(i), static_cast<uint64_t>(i) + 1});
  return out;
}

/// The mean of a batch of rows, of losses or, without the factor, of hits.
double mean(const std::vector<int> &batch, double factor = 10) {
  double sum = 0, counted = 0;
  for (int i : batch)
    sum += factor * i, counted += i + 1;
  return sum / counted;
}

TEST(EvaluationMeans, oneRanksLastBatchIsShort) {
  const EvaluationMeans means = meansOfBatches(rows(5), {2, 1});
  EXPECT_DOUBLE_EQ(means.loss, (2 * mean({0, 1}) + 2 * mean({2, 3}) + mean({4})) / 5);
  EXPECT_DOUBLE_EQ(means.accuracy, (mean({0, 1}, 1) + mean({2, 3}, 1) + mean({4}, 1)) / 3);
}

TEST(EvaluationMeans, moreRanksFillUpTheLastRoundFromTheBeginning) {
  const EvaluationMeans means = meansOfBatches(rows(11), {2, 2});
  EXPECT_DOUBLE_EQ(means.loss, (2 * (mean({0, 1}) + mean({2, 3}) + mean({4, 5}) + mean({6, 7}) + mean({8, 9})) + mean({10, 0})) / 11);
  EXPECT_DOUBLE_EQ(means.accuracy, (mean({0, 1, 2, 3}, 1) + mean({4, 5, 6, 7}, 1) + mean({8, 9, 10, 0}, 1)) / 3);
}

TEST(EvaluationMeans, aRoundWithFewerRowsThanRanksIsHeardOfSoMany) {
  const EvaluationMeans means = meansOfBatches(rows(9), {2, 2});
  EXPECT_DOUBLE_EQ(means.loss, (2 * (mean({0, 1}) + mean({2, 3}) + mean({4, 5}) + mean({6, 7})) + mean({8, 0})) / 9);
  EXPECT_DOUBLE_EQ(means.accuracy, (mean({0, 1, 2, 3}, 1) + mean({4, 5, 6, 7}, 1) + mean({8, 0}, 1)) / 3) << "of one scalar of the two";
}

TEST(EvaluationMeans, fewRowsGoRound) {
  const EvaluationMeans means = meansOfBatches(rows(3), {4, 2});
  EXPECT_DOUBLE_EQ(means.loss, mean({0, 1, 2, 0}));
  EXPECT_DOUBLE_EQ(means.accuracy, mean({0, 1, 2, 0, 1, 2, 0, 1}, 1));
}

TEST(EvaluationMeans, droppedRoundsAreNotSeen) {
  EvaluationMeans means = meansOfBatches(rows(9), {2, 2, true});
  EXPECT_DOUBLE_EQ(means.loss, (mean({0, 1}) + mean({2, 3}) + mean({4, 5}) + mean({6, 7})) / 4);
  EXPECT_DOUBLE_EQ(means.accuracy, (mean({0, 1, 2, 3}, 1) + mean({4, 5, 6, 7}, 1)) / 2);
  means = meansOfBatches(rows(3), {4, 1, true});
  EXPECT_DOUBLE_EQ(means.loss, mean({0, 1, 2})) << "or there would be none";
}

TEST(EvaluationMeans, withoutALabelALossIsZero) {
  std::vector<RowSums> some = rows(4);
  some[0] = some[1] = {};
  EXPECT_DOUBLE_EQ(meansOfBatches(some, {2, 1}).loss, mean({2, 3}) / 2);
  EXPECT_EQ(meansOfBatches({}, {2, 1}).loss, 0);
}

TEST(EvaluationMeans, settingsSayHow) {
  JobSettings settings;
  settings.dataloader_drop_last = true;
  const EvaluationBatches how = evaluationBatches(settings, 3);
  EXPECT_EQ(how.batch, 8u); // transformers' default
  EXPECT_EQ(how.ranks, 3u);
  EXPECT_TRUE(how.dropLast);
}

} // namespace
} // namespace zp::rt
