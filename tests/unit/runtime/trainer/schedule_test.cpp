// Learning rates against transformers' schedulers.
#include "runtime/trainer/schedule.h"

#include <vector>

#include <gtest/gtest.h>

namespace zp::rt {
namespace {

struct Case {
  const char *type;
  double warmupSteps;
  std::vector<double> rates;
};

// python3 -c 'o = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=2e-3)
//   s = get_scheduler(type, o, num_warmup_steps=W, num_training_steps=T)
//   for t in range(T): print(repr(s.get_last_lr()[0])); o.step(); s.step()'      # transformers 5.23
const Case kCases[] = {
    {"linear", 3, {0.0, 0.0006666666666666666, 0.0013333333333333333, 0.002, 0.0017142857142857142, 0.0014285714285714286,
                   0.0011428571428571427, 0.0008571428571428571, 0.0005714285714285714, 0.0002857142857142857}},
    {"cosine", 2, {0.0, 0.001, 0.002, 0.0018090169943749475, 0.0013090169943749475, 0.0006909830056250527, 0.00019098300562505265}},
    {"constant_with_warmup", 3, {0.0, 0.0006666666666666666, 0.0013333333333333333, 0.002, 0.002, 0.002}},
    {"constant", 0, {0.002, 0.002, 0.002}},
    {"linear", 0, {0.002, 0.0015, 0.001, 0.0005}},
    // These by the lambdas of transformers' optimization.py in plain Python: the schedules' own arguments are the defaults.
    {"polynomial", 2, {0.0, 0.001, 0.002, 0.0016000200000000004, 0.00120004, 0.0008000600000000001, 0.00040008}},
    {"polynomial", 0, {0.002, 0.001333366666666667, 0.0006667333333333335}},
    {"inverse_sqrt", 3, {0.0, 0.0006666666666666666, 0.0013333333333333333, 0.002, 0.0017320508075688774, 0.0015491933384829668,
                         0.001414213562373095, 0.001309307341415954}},
    {"inverse_sqrt", 0, {0.002, 0.0019999000074993755, 0.001999800029995001}},
    {"cosine_with_restarts", 2, {0.0, 0.001, 0.002, 0.0018090169943749475, 0.0013090169943749475, 0.0006909830056250527, 0.00019098300562505265}},
};

TEST(Schedule, EqualsTheReference) {
  for (const Case &c : kCases) {
    auto schedule = Schedule::create(c.type, 2e-3, c.warmupSteps, 0, c.rates.size());
    ASSERT_TRUE(schedule.ok());
    for (size_t t = 0; t < c.rates.size(); ++t)
      EXPECT_DOUBLE_EQ(schedule->at(t), c.rates[t]) << c.type << ' ' << t;
  }
}

TEST(Schedule, WarmsUpByAShare) {
  EXPECT_EQ(Schedule::create("linear", 1, 0.25, 0, 10)->warmup(), 3u) << "rounded up";
  EXPECT_EQ(Schedule::create("linear", 1, 0, 0.1, 11)->warmup(), 2u);
  EXPECT_EQ(Schedule::create("linear", 1, 4, 0.5, 10)->warmup(), 4u) << "steps come before the ratio";
}

TEST(Schedule, RefusesWhatItDoesNotKnow) {
  auto schedule = Schedule::create("cosine_with_min_lr", 1, 0, 0, 10);
  ASSERT_FALSE(schedule.ok());
  EXPECT_EQ(schedule.status().code(), ErrorCode::Config);
  EXPECT_FALSE(Schedule::create("linear", 1, -1, 0, 10).ok());
  EXPECT_FALSE(Schedule::create("linear", 1, 0, 1.5, 10).ok());
  EXPECT_FALSE(Schedule::create("polynomial", 1e-7, 0, 0, 10).ok()) << "it would rise to its end";
  EXPECT_TRUE(Schedule::create("polynomial", 2e-7, 0, 0, 10).ok());
}

} // namespace
} // namespace zp::rt
