#include "runtime/trainer/plan_settings.h"

#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/schema/plan_generated.h"

namespace zp::rt {
namespace {

StatusOr<JobSettings> settingsFrom(const std::vector<std::pair<const char *, const char *>> &given) {
  flatbuffers::FlatBufferBuilder b;
  std::vector<flatbuffers::Offset<fbs::Setting>> settings;
  for (auto [name, value] : given)
    settings.push_back(fbs::CreateSettingDirect(b, name, value));
  b.Finish(fbs::CreatePlanDirect(b, 1, "cpu", &settings));
  return settingsOf(*flatbuffers::GetRoot<fbs::Plan>(b.GetBufferPointer()));
}

TEST(PlanSettings, AreReadByKind) {
  auto settings = settingsFrom({{"learning_rate", "2e-05"}, {"bf16", "true"}, {"max_steps", "-1"}, {"lr_scheduler_type", "cosine"}});
  ASSERT_TRUE(settings.ok()) << settings.status().toString();
  EXPECT_EQ(settings->learning_rate, 2e-5);
  EXPECT_TRUE(settings->bf16);
  EXPECT_EQ(settings->max_steps, -1);
  EXPECT_EQ(settings->lr_scheduler_type, "cosine");
  EXPECT_EQ(settings->adam_beta1, JobSettings().adam_beta1) << "a default where the plan says nothing";
}

TEST(PlanSettings, OfAnotherBuildAreRefused) {
  for (auto given : std::vector<std::pair<const char *, const char *>>{
           {"learning_rates", "1"}, {"bf16", "yes"}, {"max_steps", "1.5"}, {"seed", ""}, {"learning_rate", "1x"}}) {
    auto settings = settingsFrom({given});
    ASSERT_FALSE(settings.ok()) << given.first;
    EXPECT_EQ(settings.status().code(), ErrorCode::Config);
    EXPECT_NE(settings.status().message().find(given.first), std::string::npos);
  }
}

} // namespace
} // namespace zp::rt
