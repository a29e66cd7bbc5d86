// trainer_state.json: the reference's fields, and a log that goes on where another run stopped.
#include "runtime/trainer/training_log.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "runtime/trainer/metrics.h"

namespace zp::rt {
namespace {

using nlohmann::json;

std::string lines(uint64_t first, uint64_t last) {
  std::string out;
  for (uint64_t step = first; step <= last; ++step)
    out += metricsLine({step, static_cast<double>(step), 0.5, 1e-3, 10 * step, static_cast<double>(step) / 4, 0.1, 100}) + "\n";
  return out;
}

TEST(TrainingLog, HasTheReferencesFields) {
  JobSettings settings;
  settings.per_device_train_batch_size = 3;
  json state = json::parse(trainerStateText({lines(1, 2), "", 2, 8, 20, 0.5}, settings));
  std::vector<std::string> names;
  for (auto &[name, value] : state.items())
    names.push_back(name);
  EXPECT_EQ(names, (std::vector<std::string>{"best_global_step",
                                             "best_metric",
                                             "best_model_checkpoint",
                                             "epoch",
                                             "eval_steps",
                                             "global_step",
                                             "is_hyper_param_search",
                                             "is_local_process_zero",
                                             "is_world_process_zero",
                                             "log_history",
                                             "logging_steps",
                                             "max_steps",
                                             "num_input_tokens_seen",
                                             "num_train_epochs",
                                             "save_steps",
                                             "stateful_callbacks",
                                             "total_flos",
                                             "train_batch_size",
                                             "trial_name",
                                             "trial_params"}));
  EXPECT_EQ(state["global_step"], 2);
  EXPECT_EQ(state["max_steps"], 8);
  EXPECT_EQ(state["epoch"], 0.5);
  EXPECT_EQ(state["save_steps"].dump(), "500");
  EXPECT_EQ(state["num_input_tokens_seen"], 20);
  EXPECT_EQ(state["log_history"][1].dump(), R"({"epoch":0.5,"grad_norm":0.5,"learning_rate":0.001,"loss":2.0,"num_tokens":20,"step":2})");
}

TEST(TrainingLog, KeepsTheLossScaleAndOutlivesALossThatIsNoNumber) {
  JobSettings settings;
  settings.logging_steps = 2;
  std::string metrics;
  for (uint64_t step = 1; step <= 4; ++step) {
    StepMetrics m{step, step == 2 ? NAN : static_cast<double>(step), step == 4 ? INFINITY : 0.5, 1e-3, 10 * step, 1, 0.1, 100};
    m.lossScale = 1024;
    m.skippedSteps = step / 2;
    metrics += metricsLine(m) + "\n";
  }
  json history = json::parse(trainerStateText({metrics, "", 4, 4, 0, 0}, settings))["log_history"];
  ASSERT_EQ(history.size(), 2u);
  EXPECT_EQ(history[0]["loss"], 0.75) << "(1 + 1/2) / 2";
  EXPECT_EQ(history[1]["loss"], 3.5);
  EXPECT_EQ(history[1]["loss_scale"], 1024);
  EXPECT_EQ(history[1]["skipped_steps"], 2);
  EXPECT_FALSE(history[1].contains("grad_norm"));
}

TEST(TrainingLog, AveragesSinceTheLastEntry) {
  JobSettings settings;
  settings.logging_steps = 3;
  json history = json::parse(trainerStateText({lines(1, 8), "", 8, 8, 0, 0}, settings))["log_history"];
  ASSERT_EQ(history.size(), 2u);
  EXPECT_EQ(history[0]["loss"], 2.0);
  EXPECT_EQ(history[1]["loss"], 5.0);
  EXPECT_EQ(history[1]["step"], 6);
}

TEST(TrainingLog, LogsByTheStrategy) {
  JobSettings settings;
  settings.logging_strategy = "epoch";
  settings.logging_first_step = true;
  TrainingLog log{lines(1, 7), "", 7, 7, 0, 0};
  log.updatesPerEpoch = 3;
  json history = json::parse(trainerStateText(log, settings))["log_history"];
  std::vector<std::pair<int, double>> found;
  for (const json &entry : history)
    found.emplace_back(entry["step"], entry["loss"]);
  EXPECT_EQ(found, (std::vector<std::pair<int, double>>{{1, 1.0}, {3, 2.5}, {6, 5.0}, {7, 7.0}}));
  settings.logging_strategy = "steps";
  settings.logging_steps = settings.save_steps = 0.25;
  json state = json::parse(trainerStateText(log, settings));
  EXPECT_EQ(state["logging_steps"].dump(), "2") << "as updates";
  EXPECT_EQ(state["save_steps"].dump(), "2");
}

TEST(TrainingLog, LeavesOutWhatCameLaterAndTornLines) {
  json history = json::parse(trainerStateText({lines(1, 5) + "{\"step\": 6, \"lo", "", 4, 8, 0, 0}, JobSettings()))["log_history"];
  ASSERT_EQ(history.size(), 4u);
  EXPECT_EQ(json::parse(trainerStateText({"", "", 4, 8, 0, 0}, JobSettings()))["log_history"].dump(), "[]");
}

TEST(TrainingLog, HasEvaluationsTheBestAndTheSummary) {
  JobSettings settings;
  settings.eval_strategy = "steps";
  settings.eval_steps = 2;
  TrainingLog log{lines(1, 2) + evaluationLine({2, 0.5, 2, 0.25, {}, 4, 3, 1.5}) + "\n" + lines(3, 3), "", 3, 8, 0, 0};
  log.best = BestModel{3, 2.5, "out/checkpoint-3"};
  log.summary = RunSummary{10, 4, 2, 1.5, 0.75, 3};
  json state = json::parse(trainerStateText(log, settings));
  EXPECT_EQ(state["best_global_step"], 3);
  EXPECT_EQ(state["best_metric"], 2.5);
  EXPECT_EQ(state["best_model_checkpoint"], "out/checkpoint-3");
  EXPECT_EQ(state["eval_steps"].dump(), "2");
  ASSERT_EQ(state["log_history"].size(), 5u);
  EXPECT_EQ(state["log_history"][2]["eval_loss"], 2.0);
  EXPECT_EQ(state["log_history"][2]["step"], 2);
  EXPECT_EQ(state["log_history"][4]["train_loss"], 1.5);
  log.best = BestModel{2, 2.5}; // of which there is no checkpoint
  EXPECT_TRUE(json::parse(trainerStateText(log, settings))["best_model_checkpoint"].is_null());
  EXPECT_EQ(bestModelIn(trainerStateText(log, settings), "out")->step, 2u);
}

// The reference's: max_steps says how many epochs there are, and eval_steps is told whoever goes by it.
TEST(TrainingLog, TellsTheLengthOfTheRunAndTheStepsOfEvaluation) {
  auto said = [](const char *name, int64_t maxSteps, double epochs, const char *strategy, double evalSteps) {
    JobSettings settings;
    settings.max_steps = maxSteps;
    settings.num_train_epochs = epochs;
    settings.eval_strategy = strategy;
    settings.eval_steps = evalSteps;
    settings.logging_steps = 7;
    TrainingLog log{"", "", 4, 10, 0, 0};
    log.updatesPerEpoch = 4;
    return json::parse(trainerStateText(log, settings))[name].dump();
  };
  EXPECT_EQ(said("num_train_epochs", 10, 9, "no", 0), "3");
  EXPECT_EQ(said("num_train_epochs", -1, 2.5, "no", 0), "3");
  EXPECT_EQ(said("eval_steps", 10, 9, "no", 0), "500");
  EXPECT_EQ(said("eval_steps", 10, 9, "epoch", 6), "6");
  EXPECT_EQ(said("eval_steps", 10, 9, "no", 0.25), "3");
  EXPECT_EQ(said("eval_steps", 10, 9, "steps", 0), "7");
}

TEST(TrainingLog, BeginsWithTheEarlierRunsEntries) {
  std::string earlier = trainerStateText({lines(1, 4), "", 4, 8, 0, 0}, JobSettings());
  auto steps = [&](const std::string &metrics) {
    std::vector<int> out;
    json state = json::parse(trainerStateText({metrics, earlier, 6, 8, 0, 0}, JobSettings()));
    for (const json &entry : state["log_history"])
      out.push_back(entry["step"]);
    return out;
  };
  EXPECT_EQ(steps(lines(5, 6)), (std::vector<int>{1, 2, 3, 4, 5, 6})) << "of another directory";
  EXPECT_EQ(steps(lines(1, 6)), (std::vector<int>{1, 2, 3, 4, 5, 6})) << "of the same";
}

} // namespace
} // namespace zp::rt
