#include "frontends/accelerate/DsConfig.h"

#include <algorithm>

#include "tests/unit/frontends/support.h"

using namespace zp;
using namespace zp::fe;

namespace {

class DsConfig : public testing::Test {
protected:
  /// `inside` goes in front of a stage-3 section.
  StatusOr<JobConfig> read(const std::string &inside, const std::string &zero = "\"stage\": 3") {
    return readText("{\n" + inside + (inside.empty() ? "" : ",\n") + "\"zero_optimization\": {" + zero + "}\n}\n");
  }
  StatusOr<JobConfig> readText(const std::string &text) {
    JobConfig config;
    ZP_RETURN_IF_ERROR(readDsConfig(folder.write("ds.json", text), config));
    return config;
  }
  std::string value(const StatusOr<JobConfig> &config, const std::string &setting) {
    EXPECT_TRUE(config.ok()) << config.status().toString();
    const SettingWish *wish = config.ok() ? (*config).wish(setting) : nullptr;
    return wish ? wish->value : "(none)";
  }
  test::TemporaryFolder folder;
};

} // namespace

// The configuration that the Trainer's manual gives for ZeRO-3, everything at auto.
TEST_F(DsConfig, autoLeavesItToTheFlags) {
  StatusOr<JobConfig> config = readText(R"({
    "fp16": {"enabled": "auto", "loss_scale": 0, "loss_scale_window": 1000, "initial_scale_power": 16, "hysteresis": 2, "min_loss_scale": 1},
    "bf16": {"enabled": "auto"},
    "optimizer": {"type": "AdamW", "params": {"lr": "auto", "betas": "auto", "eps": "auto", "weight_decay": "auto"}},
    "zero_optimization": {
        "stage": 3, "overlap_comm": true, "contiguous_gradients": true, "sub_group_size": 1e9,
        "offload_optimizer": {"device": "none", "pin_memory": true}, "offload_param": {"device": "none", "pin_memory": true},
        "reduce_bucket_size": "auto", "stage3_prefetch_bucket_size": "auto", "stage3_param_persistence_threshold": "auto",
        "stage3_max_live_parameters": 1e9, "stage3_max_reuse_distance": 1e9, "stage3_gather_16bit_weights_on_model_save": true
    },
    "gradient_accumulation_steps": "auto", "gradient_clipping": "auto", "steps_per_print": 2000,
    "train_batch_size": "auto", "train_micro_batch_size_per_gpu": "auto", "wall_clock_breakdown": false
  })");
  EXPECT_EQ(value(config, "zero_stage"), "3");
  EXPECT_EQ(value(config, "loss_scale"), "0");
  EXPECT_EQ(value(config, "initial_scale_power"), "16");
  EXPECT_EQ(value(config, "consecutive_hysteresis"), "(none)");
  for (const char *setting : {"bf16", "fp16", "learning_rate", "adam_beta1", "adam_epsilon", "weight_decay", "gradient_accumulation_steps",
                              "max_grad_norm", "per_device_train_batch_size", "stage3_param_persistence_threshold"})
    EXPECT_EQ(value(config, setting), "(none)") << setting;
  EXPECT_FALSE(config->trainBatch.has_value());
  EXPECT_NE(config->hiddenThreshold.find("ds.json:8: zero_optimization.stage3_param_persistence_threshold"), std::string::npos)
      << config->hiddenThreshold;
}

TEST_F(DsConfig, offloadBecomesSettings) {
  StatusOr<JobConfig> config = read("", R"("stage": 3, "offload_param": {"device": "nvme", "nvme_path": "/x", "buffer_count": 5},
             "offload_optimizer": {"device": "cpu", "pin_memory": true})");
  EXPECT_EQ(value(config, "offload_param_device"), "nvme");
  EXPECT_EQ(value(config, "offload_optimizer_device"), "cpu");
  EXPECT_EQ(value(config, "nvme_path"), "/x");
}

TEST_F(DsConfig, valuesBecomeSettings) {
  StatusOr<JobConfig> config = read(
      R"("train_batch_size": 64, "train_micro_batch_size_per_gpu": 4, "gradient_accumulation_steps": 8, "gradient_clipping": 0.5,
    "optimizer": {"type": "Adam", "params": {"lr": 3e-4, "betas": [0.8, 0.99], "eps": 1e-7, "weight_decay": 0.1}}, "bf16": {"enabled": true})",
      R"("stage": 2, "param_persistence_threshold": 1e4)");
  const std::pair<const char *, const char *> expected[] = {{"per_device_train_batch_size", "4"},
                                                            {"gradient_accumulation_steps", "8"},
                                                            {"max_grad_norm", "0.5"},
                                                            {"learning_rate", "3e-4"},
                                                            {"adam_beta1", "0.8"},
                                                            {"adam_beta2", "0.99"},
                                                            {"adam_epsilon", "1e-7"},
                                                            {"weight_decay", "0.1"},
                                                            {"decay_everything", "true"},
                                                            {"bf16", "true"},
                                                            {"zero_stage", "2"},
                                                            {"stage3_param_persistence_threshold", "10000"}};
  for (const auto &[setting, text] : expected)
    EXPECT_EQ(value(config, setting), text) << setting;
  ASSERT_TRUE(config->trainBatch.has_value());
  EXPECT_EQ(config->trainBatch->value, "64");
  EXPECT_TRUE(config->wish("learning_rate")->mustMatch);
  EXPECT_EQ(value(read("\"bfloat16\": {\"enabled\": true}"), "bf16"), "true") << "the old name";
  EXPECT_EQ(value(readText("{\"zero_optimization\": {}}"), "zero_stage"), "0") << "DeepSpeed's default";
}

// The values of DeepSpeed 0.19.8's FusedAdam and DeepSpeedCPUAdam, and of torch's AdamW, in runs of the reference.
TEST_F(DsConfig, whatAnOptimizersSectionLacksIsDeepspeeds) {
  const char *const settings[] = {"learning_rate", "adam_beta1", "adam_beta2", "adam_epsilon", "weight_decay"};
  auto all = [&](const std::string &inside) {
    StatusOr<JobConfig> config = read(inside);
    std::string line;
    for (const char *setting : settings)
      line += value(config, setting) + " ";
    return line;
  };
  const std::string own = "0.001 0.9 0.999 1e-08 0 ", torch = "0.001 0.9 0.999 1e-08 0.01 ", flags = "(none) (none) (none) (none) (none) ";
  EXPECT_EQ(all(R"("optimizer": {"type": "AdamW", "params": {}})"), own);
  EXPECT_EQ(all(R"("optimizer": {"type": "Adam"})"), own);
  EXPECT_EQ(all(R"("optimizer": {"type": "AdamW", "params": {"torch_adam": false}})"), own);
  EXPECT_EQ(all(R"("optimizer": {"type": "Adam", "params": {"torch_adam": true}})"), torch);
  EXPECT_EQ(all(R"("optimizer": {"type": "AdamW", "params": {"lr": "auto", "betas": "auto", "eps": "auto", "weight_decay": "auto"}})"), flags);
  EXPECT_EQ(all(R"("optimizer": {"type": "AdamW", "params": {"lr": 3e-4, "weight_decay": "auto"}})"), "3e-4 0.9 0.999 1e-08 (none) ");
  EXPECT_EQ(all(""), flags);
  StatusOr<JobConfig> config = read("\"optimizer\": {\"type\": \"AdamW\",\n\"params\": {}}");
  EXPECT_TRUE(config->wish("learning_rate")->place.ends_with("ds.json:3: optimizer.params.lr")) << config->wish("learning_rate")->place;
  EXPECT_TRUE(config->wish("learning_rate")->unsaid);
  EXPECT_ERROR(read(R"("optimizer": {"params": {"lr": "auto"}})"), Config, "ds.json:2: optimizer: has no type, expected AdamW or Adam; add");
}

// A schedule with rates of its own never looks at the optimizer's, and its "auto" is the flag's.
TEST_F(DsConfig, aScheduleMayHaveTheRate) {
  auto rate = [&](const std::string &type, const std::string &params) {
    return value(read(R"("optimizer": {"type": "AdamW", "params": {}}, "scheduler": {"type": ")" + type + R"(", "params": {)" + params + "}}"),
                 "learning_rate");
  };
  EXPECT_EQ(rate("WarmupLR", R"("warmup_max_lr": "auto")"), "(none)");
  EXPECT_EQ(rate("WarmupLR", R"("warmup_max_lr": 3e-4)"), "3e-4");
  EXPECT_EQ(rate("WarmupLR", ""), "0.001");
  EXPECT_EQ(rate("WarmupLR", R"("warmup_max_lr": null)"), "0.001");
  EXPECT_EQ(rate("WarmupDecayLR", R"("total_num_steps": "auto")"), "(none)");
  EXPECT_EQ(rate("WarmupCosineLR", R"("total_num_steps": "auto")"), "0.001");
}

// Names that DeepSpeed 0.19.8 still honours, with a warning.
TEST_F(DsConfig, oldNames) {
  EXPECT_EQ(value(read("", R"("stage": 2, "cpu_offload": true, "cpu_offload_use_pin_memory": true)"), "offload_optimizer_device"), "cpu");
  EXPECT_EQ(value(read("", R"("stage": 3, "cpu_offload_param": true)"), "offload_param_device"), "cpu");
  EXPECT_EQ(value(read("", R"("stage": 2, "cpu_offload": false)"), "offload_optimizer_device"), "(none)");
  EXPECT_EQ(value(read("", R"("stage": 3, "stage3_gather_fp16_weights_on_model_save": true)"), "zero3_save_16bit_model"), "true");
  EXPECT_ERROR(read("", R"("stage": 3, "cpu_offload": true, "offload_optimizer": {"device": "none"})"), Config,
               "zero_optimization.cpu_offload: is set beside zero_optimization.offload_optimizer");
  EXPECT_EQ(value(read("", R"("stage": 3, "offload_param": {"device": "CPU"})"), "offload_param_device"), "cpu");
}

TEST_F(DsConfig, comments) { EXPECT_TRUE(read(R"("_comment": "why", "// note": 1)", R"("stage": 3, "_why": {"a": 1})").ok()); }

TEST_F(DsConfig, unknownKeys) {
  EXPECT_ERROR(read("\"gradient_cliping\": 1.0"), UnknownKey,
               "ds.json:2: gradient_cliping: is not a key of a DeepSpeed config, expected one that it has; did you "
               "mean gradient_clipping");
  EXPECT_ERROR(read("", "\"stage\": 3, \"overlap_com\": true"), UnknownKey,
               "overlap_com: is not a key of zero_optimization, expected one that it has; did you mean overlap_comm");
  EXPECT_ERROR(read("", "\"stage\": 3, \"offload_param\": {\"devise\": \"none\"}"), UnknownKey, "zero_optimization.offload_param");
  EXPECT_ERROR(read("\"bf16\": {\"enable\": true}"), UnknownKey, "did you mean enabled");
  EXPECT_ERROR(read(R"("scheduler": {"type": "WarmupLR", "params": {"warmup_num_step": 3}})"), UnknownKey,
               "ds.json:2: scheduler.params.warmup_num_step: is not an argument of WarmupLR, expected warmup_min_lr or warmup_max_lr or "
               "warmup_num_steps or warmup_type; did you mean warmup_num_steps");
}

TEST_F(DsConfig, refused) {
  const std::pair<const char *, const char *> top[] = {
      {R"("optimizer": {"type": "Lamb"})", "optimizer.type: is Lamb, expected AdamW or Adam"},
      {R"("optimizer": {"type": "Adam", "params": {"adam_w_mode": false}})", "adam_w_mode: is false, expected true"},
      {R"("optimizer": {"type": "AdamW", "params": {"betas": [0.9]}})", "betas: is [0.9], expected two numbers"},
      {R"("scheduler": {"type": "WarmupLR"})", "scheduler: has no params, expected a map of what WarmupLR takes"},
      {R"("scheduler": {"params": {"warmup_min_lr": 0}})", "scheduler: has no type, expected one of WarmupLR|WarmupDecayLR"},
      {R"("scheduler": {"type": "StepLR", "params": {"step_size": 3}})", "scheduler.type: is StepLR, expected WarmupLR or WarmupDecayLR"},
      {R"("scheduler": {"type": "OneCycle", "params": {"cycle_min_lr": 0, "cycle_max_lr": 1}})",
       "ds.json:2: scheduler.params.cycle_momentum: is true (DeepSpeed's default), expected false"},
      {"\"scheduler\": {\"type\": \"WarmupLR\", \"params\": {\n\"warmup_num_steps\": 0}}",
       "ds.json:3: scheduler.params.warmup_num_steps: is 0, expected"},
      {R"("scheduler": {"type": "WarmupLR", "params": {"warmup_max_lr": "1e-3"}})",
       "warmup_max_lr: is \"1e-3\", expected a number of 0 or more or auto; write"},
      {R"("scheduler": {"type": "WarmupLR", "params": {"warmup_max_lr": [1e-3, 1e-4]}})", "warmup_max_lr: is [1e-3, 1e-4], expected a number"},
      {R"("scheduler": {"type": "WarmupDecayLR", "params": {}})", "scheduler.params.total_num_steps: is missing"},
      {R"("gradient_allreduce_op": "sum")", "gradient_allreduce_op: is sum, expected mean or avg"},
      {R"("train_batch_size": "64")", "train_batch_size: is 64, expected a whole number without quotes; write 64"},
      {R"("train_batch_size": 6.5)", "train_batch_size: is 6.5, expected a whole number or auto"},
      {R"("bf16": {"enabled": "perhaps"})", "bf16.enabled: is perhaps, expected true or false or auto"},
      {R"("bf16": true)", "bf16: is true, expected a map of keys"},
      {R"("tensor_parallel": {"autotp_size": 2})", "autotp_size: is 2, expected 1"},
      {R"("activation_checkpointing": {"cpu_checkpointing": true})", "cpu_checkpointing"},
      {R"("amp": {"enabled": true})", "amp: is {enabled: true}, expected it off; use bf16"},
      {R"("sparse_attention": {"mode": "fixed"})", "sparse_attention"},
      {R"("fp16": {"fp16_master_weights_and_grads": true})", "masters are fp32"}};
  for (const auto &[inside, message] : top)
    EXPECT_ERROR(read(inside), Config, message);
  const std::pair<const char *, const char *> zero[] = {
      {R"("stage": 4)", "zero_optimization.stage: is 4, expected 0, 1, 2 or 3"},
      {R"("stage": "auto")", "zero_optimization.stage: is auto, expected a whole number"},
      {R"("stage": 2, "offload_optimizer": {"device": "nvme"})", "zero_optimization.offload_optimizer.device: is nvme at zero_stage 2"},
      {R"("stage": 3, "zero_quantized_weights": true)", "ZeRO++ is not built"},
      {R"("stage": 3, "zero_hpz_partition_size": 8)", "zero_hpz_partition_size: is 8, expected 1"},
      {R"("stage": 3, "mics_shard_size": 8)", "mics_shard_size: is 8, expected -1"},
      {R"("stage": 3, "zenflow": {"topk_ratio": 0.1})", "ZenFlow is not built"},
      {R"("stage": 3, "reduce_bucket_size": "5e8")", "reduce_bucket_size: is 5e8, expected a whole number without quotes"},
      {R"("stage": 3, "param_persistence_threshold": 1, "stage3_param_persistence_threshold": 2)", "is set twice under two names"}};
  for (const auto &[inside, message] : zero)
    EXPECT_ERROR(read("", inside), Config, message);
  EXPECT_ERROR(readText("{\"bf16\": {\"enabled\": true}}"), Config, "zero_optimization: is missing, expected the section");
}

// The section that the Trainer's manual gives, and one that says all by itself.
TEST_F(DsConfig, schedulersBecomeSettings) {
  StatusOr<JobConfig> config = read(R"("scheduler": {"type": "WarmupDecayLR", "params": {
    "total_num_steps": "auto", "warmup_min_lr": "auto", "warmup_max_lr": "auto", "warmup_num_steps": "auto"}})");
  EXPECT_EQ(value(config, "lr_scheduler_type"), "WarmupDecayLR");
  EXPECT_EQ(value(config, "lr_scheduler_kwargs"),
            R"({"total_num_steps":"auto","warmup_max_lr":"auto","warmup_min_lr":"auto","warmup_num_steps":"auto"})");
  EXPECT_EQ(value(config, "learning_rate"), "(none)");
  EXPECT_EQ(value(config, "logging_next_learning_rate"), "true");
  EXPECT_FALSE(config->warmup.has_value());
  config = read(R"("scheduler": {"type": "WarmupLR", "params": {"warmup_max_lr": 3e-4, "warmup_num_steps": 1e2, "warmup_type": "linear"}})");
  EXPECT_EQ(value(config, "learning_rate"), "3e-4");
  EXPECT_EQ(value(config, "lr_scheduler_kwargs"), R"({"warmup_max_lr":0.0003,"warmup_num_steps":100.0,"warmup_type":"linear"})");
  ASSERT_TRUE(config->warmup.has_value());
  EXPECT_EQ(config->warmup->place.substr(config->warmup->place.find("ds.json")), "ds.json:2: scheduler.params.warmup_num_steps");
  EXPECT_EQ(value(read(R"("optimizer": {"type": "adamW"})"), "logging_next_learning_rate"), "true") << "in any case";
  EXPECT_EQ(value(read(R"("optimizer": {"type": "AdamW"})"), "logging_next_learning_rate"), "true") << "the engine steps the trainer's schedule";
  EXPECT_EQ(value(read(""), "logging_next_learning_rate"), "(none)");
  EXPECT_EQ(value(read(R"("scheduler": {}, "optimizer": null)"), "logging_next_learning_rate"), "(none)");
}

TEST_F(DsConfig, clippingThatIsNotThere) {
  EXPECT_TRUE(read("")->unsaidClipping.ends_with("ds.json:1: gradient_clipping"));
  for (const char *there : {"\"gradient_clipping\": \"auto\"", "\"gradient_clipping\": 0", "\"gradient_clipping\": 1.0"})
    EXPECT_EQ(read(there)->unsaidClipping, "") << there;
}

// DeepSpeed refuses what it has removed even when it is off; here off is off.
TEST_F(DsConfig, whatIsOffIsFine) {
  StatusOr<JobConfig> config = read(
      R"("nebula": {}, "compression_training": {}, "amp": {"enabled": false}, "sparse_gradients": false, "eigenvalue": {"enabled": false},
    "elasticity": {"enabled": false}, "curriculum_learning": {}, "graph_harvesting": false, "autotuning": {"enabled": false}, "scheduler": null,
    "tensor_parallel": {"autotp_size": 1})",
      R"("stage": 3, "mics_shard_size": -1, "zeropp_loco_param": null, "zero_hpz_partition_size": 1)");
  EXPECT_TRUE(config.ok()) << config.status().toString();
}

TEST_F(DsConfig, eachKeyWithoutEffectSaysWhy) {
  StatusOr<JobConfig> config = read(R"("steps_per_print": 10)", R"("stage": 3, "overlap_comm": true)");
  ASSERT_TRUE(config.ok());
  EXPECT_EQ(config->notes.size(), 2u);
  EXPECT_TRUE(std::any_of(config->notes.begin(), config->notes.end(), [](const std::string &note) {
    return note.find("ds.json:3: zero_optimization.overlap_comm: the plan's streams") != std::string::npos;
  }));
}
