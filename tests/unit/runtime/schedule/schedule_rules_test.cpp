#include "runtime/schedule/schedule_rules.h"

#include <functional>

#include <gtest/gtest.h>

namespace zp::rt {
namespace {

JobSettings of(const char *type, const char *arguments = "") {
  JobSettings settings;
  settings.lr_scheduler_type = type;
  settings.lr_scheduler_kwargs = arguments;
  settings.learning_rate = 1e-3;
  return settings;
}

struct Case {
  const char *message; ///< nothing: it is fine
  JobSettings settings;
  std::optional<uint64_t> updates = 100;
};

JobSettings with(JobSettings settings, const std::function<void(JobSettings &)> &edit) {
  edit(settings);
  return settings;
}

TEST(ScheduleRules, whatMustGoTogether) {
  const char *decay = "{\"total_num_steps\": 100, \"warmup_max_lr\": 0.001, \"warmup_num_steps\": 10}";
  const Case cases[] = {
      {"--learning_rate: is -1, expected 0 or more", with(of("linear"), [](auto &s) { s.learning_rate = -1; })},
      {"--warmup_steps: is -1, expected 0 or more updates", with(of("linear"), [](auto &s) { s.warmup_steps = -1; })},
      {"--warmup_ratio: is 1.5, expected a share from 0 to 1", with(of("linear"), [](auto &s) { s.warmup_ratio = 1.5; })},
      {"--learning_rate: is 1e-07 beside --lr_scheduler_type polynomial, expected more than the 1e-07 that it ends at",
       with(of("polynomial"), [](auto &s) { s.learning_rate = 1e-7; })},
      {"", with(of("polynomial"), [](auto &s) { s.learning_rate = 2e-7; })},
      {"expected more than the 0.01 that it ends at", of("polynomial", "{\"lr_end\": 0.01}")},
      {"--learning_rate: is 0 beside --lr_scheduler_type cosine_with_min_lr, expected a rate that min_lr is a share of",
       with(of("cosine_with_min_lr", "{\"min_lr\": 1e-6}"), [](auto &s) { s.learning_rate = 0; })},
      {"--lr_scheduler_kwargs: num_decay_steps: is missing", of("warmup_stable_decay")},
      {"", of("WarmupDecayLR", decay)},
      {"", of("WarmupDecayLR", decay), std::nullopt},
      {"total_num_steps: is 100, expected 99, the updates of this run; write \"auto\"", of("WarmupDecayLR", decay), 99},
      {"warmup_max_lr: is 0.001, expected 0.002, the learning_rate", with(of("WarmupDecayLR", decay), [](auto &s) { s.learning_rate = 2e-3; })},
      {"", with(of("WarmupDecayLR", "{\"total_num_steps\": \"auto\"}"), [](auto &s) { s.learning_rate = 2e-3, s.warmup_steps = 3; })},
      {"warmup_num_steps: is 10, expected 9, the updates of warm-up", with(of("WarmupDecayLR", decay), [](auto &s) { s.warmup_steps = 9; })},
      {"", with(of("WarmupDecayLR", decay), [](auto &s) { s.warmup_ratio = 0.1; })},
      {"warmup_num_steps: is 10, expected 20", with(of("WarmupDecayLR", decay), [](auto &s) { s.warmup_ratio = 0.2; })},
      {"", with(of("WarmupDecayLR", decay), [](auto &s) { s.warmup_ratio = 0.2; }), std::nullopt},
  };
  for (const Case &c : cases) {
    Status status = verifySchedule(c.settings, "--", c.updates).status();
    const bool fine = std::string(c.message).empty();
    EXPECT_EQ(status.ok(), fine) << c.message << ": " << status.toString();
    if (!fine && !status.ok()) {
      EXPECT_NE(status.message().find(c.message), std::string::npos) << status.toString();
    }
  }
}

} // namespace
} // namespace zp::rt
