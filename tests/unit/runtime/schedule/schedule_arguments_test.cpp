#include "runtime/schedule/schedule_arguments.h"

#include <gtest/gtest.h>

namespace zp::rt {
namespace {

StatusOr<ScheduleArguments> parse(const std::string &type, const std::string &json) {
  return ScheduleArguments::parse(type, "--type", json, [](const std::string &name) { return "--kwargs" + (name.empty() ? "" : ": " + name); });
}

std::string text(const std::string &type, const std::string &json) {
  auto arguments = parse(type, json);
  EXPECT_TRUE(arguments.ok()) << arguments.status().toString();
  return arguments.ok() ? arguments->text() : "";
}

struct Refused {
  const char *type, *json, *message;
  ErrorCode code = ErrorCode::Config;
};

TEST(ScheduleArguments, refused) {
  const Refused cases[] = {
      {"cosin", "", "--type: is \"cosin\", expected linear or cosine or"},
      {"reduce_lr_on_plateau", "",
       "--type: is reduce_lr_on_plateau, which follows the losses of the run, expected a schedule whose rates are known before "
       "it"},
      {"greedy", "", "--type: is greedy, which follows the losses"},
      {"cosine", "{num_cycles: 1}", "--kwargs: is {num_cycles: 1}, expected a JSON object"},
      {"cosine", "[1]", "--kwargs: is [1], expected a JSON object"},
      {"cosine", "{\"num_cycles\": 1e999}", "expected a JSON object"},
      {"cosine", "{\"num_cycle\": 1}", "--kwargs: num_cycle: is not an argument of cosine, expected num_cycles; did you mean num_cycles",
       ErrorCode::UnknownKey},
      {"linear", "{\"num_cycles\": 1}", "--kwargs: num_cycles: is not an argument of linear, expected none; drop it", ErrorCode::UnknownKey},
      {"cosine", "{\"num_cycles\": true}", "--kwargs: num_cycles: is true, expected a number of 0 or more; correct the value"},
      {"cosine", "{\"num_cycles\": -1}", "num_cycles: is -1, expected a number of 0 or more"},
      {"cosine", "{\"num_cycles\": \"auto\"}", "num_cycles: is auto, expected a number"},
      {"inverse_sqrt", "{\"timescale\": 0}", "timescale: is 0, expected a whole number of 1 or more"},
      {"warmup_stable_decay", "",
       "--kwargs: num_decay_steps: is missing, expected a whole number of 0 or more, which warmup_stable_decay must have; add"},
      {"warmup_stable_decay", "{\"num_decay_steps\": 2.5}", "num_decay_steps: is 2.5, expected a whole number of 0 or more"},
      {"warmup_stable_decay", "{\"num_decay_steps\": 2, \"decay_type\": \"sqrt\"}", "decay_type: is sqrt, expected linear or cosine or 1-sqrt"},
      {"warmup_stable_decay", "{\"num_decay_steps\": 2, \"decay_type\": 1}", "decay_type: is 1, expected linear or cosine or 1-sqrt"},
      {"cosine_with_min_lr", "", "--kwargs: min_lr: is missing, expected the rate that cosine_with_min_lr ends at, or min_lr_rate"},
      {"cosine_with_min_lr", "{\"min_lr\": null}", "min_lr: is missing"},
      {"cosine_warmup_with_min_lr", "{\"min_lr\": 0.1, \"min_lr_rate\": 0.1}", "min_lr: is 0.1 beside min_lr_rate, expected one of the two"},
      {"WarmupDecayLR", "{}",
       "total_num_steps: is missing, expected a whole number of 1 or more, which WarmupDecayLR must have; add "
       "\"total_num_steps\": \"auto\""},
      {"WarmupLR", "{\"warmup_num_steps\": 0}", "warmup_num_steps: is 0, expected a whole number of 1 or more or auto"},
      {"WarmupLR", "{\"warmup_max_lr\": \"0.1\"}", "warmup_max_lr: is \"0.1\", expected a number of 0 or more or auto; write it without quotes"},
      {"WarmupLR", "{\"warmup_type\": \"cosine\"}", "warmup_type: is cosine, expected log or linear"},
      {"WarmupLR", "{\"warmup_type\": \"auto\"}", "warmup_type: is auto, expected log or linear"},
      {"WarmupCosineLR", "{\"total_num_steps\": 9, \"warmup_min_lr\": 0}", "did you mean warmup_min_ratio", ErrorCode::UnknownKey},
      {"OneCycle", "{\"cycle_min_lr\": 0.1, \"cycle_max_lr\": 1}", "cycle_momentum: is true (DeepSpeed's default), expected false"},
      {"OneCycle", "{\"cycle_min_lr\": [0.1, 0.2], \"cycle_max_lr\": 1, \"cycle_momentum\": false}", "cycle_min_lr: is [0.1,0.2], expected a number"},
      {"OneCycle", "{\"cycle_max_lr\": 1, \"cycle_momentum\": false}", "cycle_min_lr: is missing"},
      {"OneCycle", "{\"cycle_min_lr\": 0.1, \"cycle_max_lr\": 1, \"cycle_momentum\": 0}", "cycle_momentum: is 0, expected true or false"},
      {"OneCycle", "{\"cycle_min_lr\": 0.1, \"cycle_max_lr\": 1, \"cycle_momentum\": false, \"cycle_first_step_size\": 0}",
       "is 0, expected a number above 0"},
      {"WarmupLR", "{\"last_batch_iteration\": 5}", "--kwargs: last_batch_iteration: is 5, expected -1, a run's beginning; drop it"},
      {"linear", "{\"last_batch_iteration\": -1}", "is not an argument of linear", ErrorCode::UnknownKey},
      {"LRRangeTest", "{\"lr_range_test_step_size\": 1.5}", "lr_range_test_step_size: is 1.5, expected a whole number of 1 or more"},
  };
  for (const Refused &c : cases) {
    Status status = parse(c.type, c.json).status();
    EXPECT_EQ(status.code(), c.code) << c.type << ' ' << c.json << ' ' << status.toString();
    if (!status.ok()) {
      EXPECT_NE(status.message().find(c.message), std::string::npos) << status.toString();
    }
  }
}

TEST(ScheduleArguments, numbersAsTheReferenceReadsThem) {
  EXPECT_EQ(parse("cosine_with_min_lr", "{\"min_lr\": \"0.5\"}")->number("min_lr"), 0.5) << "transformers turns texts into numbers";
  EXPECT_EQ(parse("cosine_with_min_lr", "{\"min_lr\": 1e-6, \"min_lr_rate\": null}")->number("min_lr"), 1e-6) << "null is absent";
  EXPECT_EQ(parse("WarmupLR", "{}")->number("warmup_num_steps"), 1000) << "DeepSpeed's default";
  EXPECT_EQ(parse("WarmupLR", "{\"warmup_num_steps\": \"auto\"}")->number("warmup_num_steps"), std::nullopt);
  EXPECT_TRUE(parse("WarmupLR", "{\"warmup_num_steps\": \"auto\"}")->isAuto("warmup_num_steps"));
}

// Checkpoints are compared by it.
TEST(ScheduleArguments, theTextIsThatOfTheSchedule) {
  EXPECT_EQ(text("cosine", ""), "") << "as in checkpoints that were made before there were arguments";
  EXPECT_EQ(text("cosine", "{\"num_cycles\": 0.50}"), "") << "what is the default may be said";
  EXPECT_EQ(text("polynomial", "{\"power\": 2, \"lr_end\": 0}"), text("polynomial", " {\"lr_end\":0.0,\"power\":2e0} "));
  EXPECT_NE(text("polynomial", "{\"power\": 2}"), text("polynomial", "{\"power\": 3}"));
  EXPECT_NE(text("WarmupLR", "{\"warmup_type\": \"linear\"}"), text("WarmupLR", ""));
  EXPECT_EQ(text("WarmupLR", "{\"last_batch_iteration\": -1}"), text("WarmupLR", "")) << "every constructor of DeepSpeed's has it";
}

} // namespace
} // namespace zp::rt
