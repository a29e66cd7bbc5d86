// The scale of fp16's loss against DeepSpeed's own class (tests/golden/loss_scale).
#include "runtime/trainer/loss_scale.h"

#include <cmath>
#include <fstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "runtime/trainer/step_policy.h"

namespace zp::rt {
namespace {

constexpr const char *kFile = "tests/golden/loss_scale/sequences.json";

JobSettings settingsOf(const nlohmann::json &sequence) {
  const nlohmann::json &given = sequence["settings"];
  JobSettings settings;
  settings.fp16 = true;
  settings.initial_scale_power = given["initial_scale_power"];
  settings.loss_scale_window = given["loss_scale_window"];
  settings.hysteresis = given["hysteresis"];
  settings.consecutive_hysteresis = given["consecutive_hysteresis"];
  settings.min_loss_scale = given["min_loss_scale"];
  return settings;
}

TEST(LossScaler, MovesAsDeepSpeeds) {
  std::ifstream file(kFile);
  const nlohmann::json sequences = nlohmann::json::parse(file);
  ASSERT_GT(sequences.size(), 10u);
  for (const nlohmann::json &sequence : sequences) {
    const std::string overflows = sequence["overflows"];
    SCOPED_TRACE(overflows);
    const JobSettings settings = settingsOf(sequence);
    std::optional<LossScaler> scaler(std::in_place, settings, std::nullopt);
    uint64_t skipped = 0;
    for (size_t i = 0; i < overflows.size(); ++i) {
      const bool overflow = overflows[i] == 'x';
      skipped += overflow;
      Status status = scaler->take(i, overflow);
      EXPECT_EQ(scaler->state().skipped, skipped);
      if (i == sequence["scale"].size()) { // where it raised
        EXPECT_TRUE(sequence["raises"]);
        EXPECT_EQ(status.code(), ErrorCode::NonFinite);
        EXPECT_NE(status.message().find("step " + std::to_string(i + 1) + ": gradients overflow"), std::string::npos) << status.message();
        break;
      }
      ASSERT_TRUE(status.ok()) << status.message();
      EXPECT_EQ(scaler->state().scale, sequence["scale"][i].get<double>()) << i;
      EXPECT_EQ(scaler->state().hysteresis, sequence["hysteresis"][i].get<int64_t>()) << i;
      const LossScaleState kept = scaler->state();
      scaler.emplace(settings, kept); // a resumed run goes on as if it had never stopped
    }
  }
}

TEST(LossScaler, AGivenScaleStays) {
  JobSettings settings;
  settings.fp16 = true;
  settings.loss_scale = 128;
  LossScaler scaler(settings, std::nullopt);
  for (uint64_t update = 0; update < 5000; ++update)
    ASSERT_TRUE(scaler.take(update, update % 100 < 3).ok());
  EXPECT_EQ(scaler.state().scale, 128);
  EXPECT_EQ(scaler.state().skipped, 150u);
}

/// A plan comes as untrusted bytes: what the importer refuses is refused where it is carried out too. DeepSpeed divides by its window
/// when the first update without overflow is done.
TEST(LossScaler, NumbersThatMoveNoScaleAreRefusedBeforeTheFirstUpdate) {
  const std::pair<const char *, void (*)(JobSettings &)> bad[] = {
      {"--loss_scale_window: is 0, expected 1 or more updates", [](JobSettings &s) { s.loss_scale_window = 0; }},
      {"--loss_scale_window: is -1", [](JobSettings &s) { s.loss_scale_window = -1; }},
      {"--hysteresis: is 0", [](JobSettings &s) { s.hysteresis = 0; }},
      {"--min_loss_scale: is 0", [](JobSettings &s) { s.min_loss_scale = 0; }},
      {"--initial_scale_power: is 1024", [](JobSettings &s) { s.initial_scale_power = 1024; }},
      {"--loss_scale: is nan", [](JobSettings &s) { s.loss_scale = NAN; }}};
  for (const auto &[says, spoil] : bad) {
    JobSettings settings;
    settings.fp16 = true;
    spoil(settings);
    const Status status = StepPolicy::ofSaving(settings, 10, 4).status(); // what a loop asks before it makes its scaler
    EXPECT_EQ(status.code(), ErrorCode::Config) << says;
    EXPECT_NE(status.message().find(says), std::string::npos) << status.message();
  }
}

TEST(LossScaler, IsOneWithoutFp16) {
  JobSettings settings;
  LossScaler scaler(settings, std::nullopt);
  EXPECT_FALSE(scaler.active());
  EXPECT_EQ(scaler.state().scale, 1);
}

} // namespace
} // namespace zp::rt
