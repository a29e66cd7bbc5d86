// Learning rates against transformers' and DeepSpeed's own schedulers (tests/golden/schedules).
#include "runtime/schedule/schedule.h"

#include <fstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

using nlohmann::json;

namespace zp::rt {
namespace {

JobSettings settingsOf(const json &given) {
  JobSettings settings;
  settings.lr_scheduler_type = given["lr_scheduler_type"];
  settings.lr_scheduler_kwargs = given.value("lr_scheduler_kwargs", "");
  settings.learning_rate = given["learning_rate"];
  settings.warmup_steps = given["warmup_steps"];
  return settings;
}

TEST(Schedule, equalsTheReferences) {
  std::ifstream file("tests/golden/schedules/schedules.json");
  const json cases = json::parse(file);
  ASSERT_GT(cases.size(), 40u);
  for (const json &c : cases) {
    auto schedule = Schedule::create(settingsOf(c["settings"]), c["updates"]);
    ASSERT_TRUE(schedule.ok()) << c["settings"] << ' ' << schedule.status().toString();
    for (uint64_t t = 0; t < c["rates"].size(); ++t)
      EXPECT_DOUBLE_EQ(schedule->at(t), c["rates"][t].get<double>()) << c["settings"] << " update " << t;
  }
}

JobSettings warmedUp(double steps, double ratio) {
  JobSettings settings;
  settings.learning_rate = 1;
  settings.warmup_steps = steps;
  settings.warmup_ratio = ratio;
  return settings;
}

/// The first update at the full rate is the one behind the warm-up.
uint64_t warmupOf(double steps, double ratio, uint64_t updates) {
  auto schedule = Schedule::create(warmedUp(steps, ratio), updates);
  EXPECT_TRUE(schedule.ok()) << schedule.status().toString();
  uint64_t t = 0;
  while (schedule.ok() && t < updates && schedule->at(t) < 1)
    ++t;
  return t;
}

TEST(Schedule, warmsUpByAShare) {
  EXPECT_EQ(warmupOf(0.25, 0, 10), 3u) << "rounded up";
  EXPECT_EQ(warmupOf(0, 0.1, 11), 2u);
  EXPECT_EQ(warmupOf(4, 0.5, 10), 4u) << "steps come before the ratio";
}

TEST(Schedule, namesThePlanWhenItRefuses) {
  JobSettings settings;
  settings.lr_scheduler_type = "cosin";
  auto schedule = Schedule::create(settings, 10);
  ASSERT_FALSE(schedule.ok());
  EXPECT_EQ(schedule.status().code(), ErrorCode::Config);
  EXPECT_TRUE(schedule.status().message().starts_with("plan: settings.lr_scheduler_type: is \"cosin\", expected linear or "))
      << schedule.status().message();
}

} // namespace
} // namespace zp::rt
