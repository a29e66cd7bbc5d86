#include "frontends/sft/SftJob.h"

#include <algorithm>

#include "frontends/accelerate/DsConfig.h"
#include "tests/unit/frontends/support.h"

using namespace zp;
using namespace zp::fe;

namespace {

class SftJobTest : public testing::Test {
protected:
  SftJobTest() {
    folder.write("model/config.json", "{\"hidden_size\": 40}");
    folder.write("data/train.jsonl", "");
  }
  StatusOr<SftJob> resolve(std::vector<std::string> words, const JobConfig &config = {}) {
    words.insert(words.begin(), {"--model_name_or_path", folder.path + "/model", "--dataset_name", folder.path + "/data", "--output_dir", "out"});
    StatusOr<SftArguments> arguments = parseSftFlags(words);
    if (!arguments.ok())
      return arguments.status();
    return resolveJob(*arguments, config);
  }
  SftJob resolved(const std::vector<std::string> &words, const JobConfig &config = {}) {
    StatusOr<SftJob> job = resolve(words, config);
    EXPECT_TRUE(job.ok()) << job.status().toString();
    return job.ok() ? *job : SftJob();
  }
  StatusOr<SftJob> withJson(const std::string &text, const std::vector<std::string> &words, int ranks = 2) {
    JobConfig config;
    config.wishes.push_back({"num_processes", std::to_string(ranks), "c.yaml:1: num_processes", false});
    ZP_RETURN_IF_ERROR(readDsConfig(folder.write("ds.json", "{\"zero_optimization\": {\"stage\": 3}, " + text + "}"), config));
    return resolve(words, config);
  }
  static std::string origin(const SftJob &job, const std::string &setting) {
    for (const ResolvedSetting &found : job.settings)
      if (found.name == setting)
        return found.origin;
    return "(default)";
  }
  static std::string joined(const std::vector<std::string> &words) {
    std::string line;
    for (const std::string &word : words)
      line += word + " ";
    return line;
  }
  test::TemporaryFolder folder;
};

JobConfig yaml(std::vector<SettingWish> wishes) {
  JobConfig config;
  config.wishes = std::move(wishes);
  return config;
}

} // namespace

TEST_F(SftJobTest, flagsOverFilesOverDefaults) {
  JobConfig config = yaml({{"num_processes", "8", "c.yaml:17: num_processes", false}, {"zero_stage", "3", "c.yaml:10: zero_stage", false}});
  SftJob job = resolved({"--num_processes", "2", "--lora_r", "4"}, config);
  EXPECT_EQ(job.values.num_processes, 2);
  EXPECT_EQ(origin(job, "num_processes"), "--num_processes");
  EXPECT_EQ(origin(job, "zero_stage"), "c.yaml:10: zero_stage");
  EXPECT_EQ(origin(job, "lora_r"), "--lora_r");
}

TEST_F(SftJobTest, ranksThatTheFileLeavesOpen) {
  JobConfig open;
  open.openProcesses = "c.yaml:17: num_processes";
  EXPECT_ERROR(resolve({}, open), Config, "c.yaml:17: num_processes: is -1, expected the number of ranks; write it there, or give --num_processes");
  EXPECT_EQ(resolved({"--num_processes", "2"}, open).values.num_processes, 2);
}

// train.py's own defaults, which aren't ours.
TEST_F(SftJobTest, defaultsAreTheScripts) {
  SftJob all = resolved({});
  EXPECT_FALSE(all.values.use_peft_lora);
  EXPECT_TRUE(all.values.bf16);
  EXPECT_EQ(all.values.rematerialize, "block");
  EXPECT_EQ(all.values.logging_steps, 10);
  EXPECT_EQ(origin(all, "lora_r"), "(default)") << "no adapters, no settings of theirs";
  SftJob lora = resolved({"--use_peft_lora"});
  EXPECT_EQ(lora.values.lora_r, 64);
  EXPECT_EQ(lora.values.lora_dropout, 0.1);
  EXPECT_EQ(lora.values.lora_target_modules, "q_proj,k_proj,v_proj,o_proj,down_proj,up_proj,gate_proj");
}

TEST_F(SftJobTest, mismatches) {
  JobConfig steps = yaml({{"gradient_accumulation_steps", "4", "c.yaml:5: gradient_accumulation_steps", true}});
  EXPECT_ERROR(resolve({"--gradient_accumulation_steps", "2"}, steps), Config,
               "c.yaml:5: gradient_accumulation_steps: is 4, expected 2 as --gradient_accumulation_steps says; set it to auto");
  EXPECT_EQ(resolved({"--gradient_accumulation_steps", "4"}, steps).values.gradient_accumulation_steps, 4);
  EXPECT_EQ(resolved({}, steps).values.gradient_accumulation_steps, 4);
  JobConfig clip = yaml({{"max_grad_norm", "1", "c.yaml:5: gradient_clipping", true}});
  EXPECT_TRUE(resolve({"--max_grad_norm", "1.0"}, clip).ok()) << "the same number in other letters";
  EXPECT_ERROR(resolve({"--max_grad_norm", "0.5"}, clip), Config, "gradient_clipping: is 1, expected 0.5");
  JobConfig bf16 = yaml({{"bf16", "true", "c.yaml:14: mixed_precision", true}});
  bf16.precision = SettingWish{"mixed_precision", "bf16", "c.yaml:14: mixed_precision"};
  EXPECT_ERROR(resolve({"--bf16", "False"}, bf16), Config, "mixed_precision: means --bf16 true, expected false as --bf16 says; drop one");
  EXPECT_ERROR(resolve({"--fp16"}, bf16), Config, "c.yaml:14: mixed_precision: means --bf16, expected fp16 as --fp16 says; drop one");
  EXPECT_TRUE(resolved({"--mixed_precision", "fp16"}, bf16).values.fp16) << "accelerate launch's flag goes before its file";
  const std::pair<const char *, const char *> json[] = {{R"("optimizer": {"type": "AdamW", "params": {"lr": 1e-4}})", "--learning_rate=3e-4"},
                                                        {R"("optimizer": {"type": "AdamW", "params": {"weight_decay": 0.1}})", "--weight_decay=0"},
                                                        {R"("optimizer": {"type": "AdamW", "params": {"eps": 1e-6}})", "--adam_epsilon=1e-8"},
                                                        {R"("optimizer": {"type": "AdamW", "params": {"betas": [0.9, 0.95]}})", "--adam_beta2=0.999"},
                                                        {R"("gradient_clipping": 0.5)", "--max_grad_norm=1.0"},
                                                        {R"("gradient_accumulation_steps": 8)", "--gradient_accumulation_steps=4"},
                                                        {R"("train_micro_batch_size_per_gpu": 8)", "--per_device_train_batch_size=4"},
                                                        {R"("bf16": {"enabled": false})", "--bf16=true"}};
  for (const auto &[text, flag] : json)
    EXPECT_ERROR(withJson(text, {flag}), Config, std::string(" as ") + std::string(flag).substr(0, std::string(flag).find('=')) + " says");
}

TEST_F(SftJobTest, schedules) {
  const std::string kwargs = R"({"min_lr": 1e-6})";
  SftJob job = resolved({"--lr_scheduler_type", "cosine_with_min_lr", "--lr_scheduler_kwargs", kwargs});
  EXPECT_EQ(job.values.lr_scheduler_kwargs, kwargs);
  EXPECT_EQ(origin(job, "lr_scheduler_kwargs"), "--lr_scheduler_kwargs");
  EXPECT_ERROR(resolve({"--lr_scheduler_type", "cosine_with_min_lr"}), Config, "--lr_scheduler_kwargs: min_lr: is missing");
  EXPECT_ERROR(resolve({"--lr_scheduler_type", "cosine_with_min_lr", "--lr_scheduler_kwargs", "{\"mn_lr\": 1}"}), UnknownKey, "did you mean min_lr");
  EXPECT_ERROR(resolve({"--lr_scheduler_type", "reduce_lr_on_plateau"}), Config, "which follows the losses of the run");
}

TEST_F(SftJobTest, schedulersOfAJson) {
  auto section = [](const std::string &params) { return R"("scheduler": {"type": "WarmupLR", "params": {)" + params + "}}"; };
  const std::string all = R"("warmup_min_lr": "auto", "warmup_max_lr": "auto", "warmup_num_steps": "auto")";
  StatusOr<SftJob> job = withJson(section(all), {"--learning_rate", "1e-4", "--warmup_ratio", "0.0"});
  ASSERT_TRUE(job.ok()) << job.status().toString();
  EXPECT_EQ(job->values.lr_scheduler_type, "WarmupLR");
  EXPECT_TRUE(job->values.logging_next_learning_rate);
  EXPECT_FALSE(withJson(section(all), {"--logging_next_learning_rate", "false"})->values.logging_next_learning_rate);
  EXPECT_EQ(withJson(section(R"("warmup_max_lr": 3e-4)"), {})->values.learning_rate, 3e-4);
  const std::pair<std::string, std::string> wrong[] = {
      {"--learning_rate=1e-4", "scheduler.params.warmup_max_lr: is 3e-4, expected 1e-4 as --learning_rate says; set it to auto"},
      {"--warmup_steps=9", "scheduler.params.warmup_num_steps: is 10, expected 9 as --warmup_steps says; set it to auto"},
      {"--warmup_ratio=0.0", "warmup_num_steps: is 10, expected 1 as --warmup_ratio says"}};
  for (const auto &[flag, message] : wrong)
    EXPECT_ERROR(withJson(section(R"("warmup_max_lr": 3e-4, "warmup_num_steps": 10)"), {flag}), Config, message);
  job = withJson(section(all), {"--lr_scheduler_type", "cosine", "--lr_scheduler_kwargs", "{\"num_cycles\": 1}"});
  ASSERT_TRUE(job.ok()) << job.status().toString();
  EXPECT_EQ(job->values.lr_scheduler_type, "WarmupLR");
  EXPECT_EQ(job->values.lr_scheduler_kwargs.find("num_cycles"), std::string::npos);
  EXPECT_NE(joined(job->notes).find("scheduler.type: WarmupLR goes before --lr_scheduler_type cosine, as in the reference"), std::string::npos);
  auto shares = [&](const char *ratio) { return withJson(section(R"("warmup_num_steps": 10)"), {"--warmup_ratio", ratio, "--max_steps", "100"}); };
  EXPECT_TRUE(shares("0.1").ok()) << shares("0.1").status().toString();
  EXPECT_ERROR(shares("0.2"), Config, "warmup_num_steps: is 10, expected 20, the updates of warm-up");
}

TEST_F(SftJobTest, precision) {
  EXPECT_TRUE(resolved({"--mixed_precision", "bf16"}).values.bf16);
  EXPECT_ERROR(resolve({"--mixed_precision", "fp16", "--bf16"}), Config, "--mixed_precision: is fp16 beside --bf16 true");
  JobSettings fp16 = resolved({"--fp16", "--initial_scale_power", "8"}).values;
  EXPECT_TRUE(fp16.fp16);
  EXPECT_FALSE(fp16.bf16) << "the trainer's default gives way";
  EXPECT_EQ(fp16.initial_scale_power, 8);
  EXPECT_TRUE(resolved({"--mixed_precision", "fp16"}).values.fp16);
  EXPECT_EQ(withJson(R"("fp16": {"enabled": true, "loss_scale": 128})", {})->values.loss_scale, 128);
  EXPECT_ERROR(withJson(R"("fp16": {"enabled": true, "hysteresis": 3})", {"--hysteresis=2"}), Config, "as --hysteresis says");
}

// The trainer's default goes over the launcher's `no` in the reference: bf16 in runs of TRL 1.16 with either word for it.
TEST_F(SftJobTest, theLaunchersNoLeavesTheDtypeToTheTrainer) {
  JobConfig no, fp16 = yaml({{"fp16", "true", "c.yaml:9: mixed_precision", true}});
  no.precision = SettingWish{"mixed_precision", "no", "c.yaml:9: mixed_precision"};
  fp16.precision = SettingWish{"mixed_precision", "fp16", "c.yaml:9: mixed_precision"};
  const std::string leaves = ": no leaves the dtype to --bf16, whose default is true";
  EXPECT_TRUE(resolved({}, no).values.bf16);
  EXPECT_NE(joined(resolved({}, no).notes).find("c.yaml:9: mixed_precision" + leaves), std::string::npos);
  for (const char *word : {"true", "false"}) {
    const SftJob said = resolved({"--bf16", word}, no);
    EXPECT_EQ(said.values.bf16, word == std::string("true"));
    EXPECT_EQ(joined(said.notes).find(leaves), std::string::npos) << word;
  }
  EXPECT_TRUE(resolved({"--fp16"}, no).values.fp16);
  const SftJob flag = resolved({"--mixed_precision", "no"}, fp16); // which the flag takes the place of
  EXPECT_TRUE(flag.values.bf16 && !flag.values.fp16);
  EXPECT_NE(joined(flag.notes).find("--mixed_precision" + leaves), std::string::npos);
  EXPECT_FALSE(resolved({"--mixed_precision", "no", "--bf16", "False"}).values.bf16);
  EXPECT_TRUE(resolved({"--mixed_precision", "no", "--bf16"}).values.bf16);

  const std::string over = ": computing is in fp16, as it says; the reference's trainer would go over it";
  EXPECT_TRUE(resolved({}, fp16).values.fp16);
  EXPECT_NE(joined(resolved({}, fp16).notes).find("c.yaml:9: mixed_precision" + over), std::string::npos);
  EXPECT_NE(joined(resolved({"--mixed_precision", "fp16"}).notes).find("--mixed_precision" + over), std::string::npos);
  EXPECT_EQ(joined(resolved({"--fp16"}, fp16).notes).find(over), std::string::npos);
}

TEST_F(SftJobTest, deepspeedsOwnOptimizerGoesBeforeFlags) {
  StatusOr<SftJob> job = withJson(R"("optimizer": {"type": "AdamW", "params": {"eps": "auto"}})",
                                  {"--learning_rate", "2e-4", "--weight_decay", "0.1", "--adam_beta2", "0.999", "--adam_epsilon", "1e-6"});
  ASSERT_TRUE(job.ok()) << job.status().toString();
  EXPECT_EQ(job->values.learning_rate, 1e-3);
  EXPECT_EQ(job->values.weight_decay, 0);
  EXPECT_EQ(job->values.adam_epsilon, 1e-6);
  EXPECT_NE(origin(*job, "learning_rate").find("ds.json:1: optimizer.params.lr (DeepSpeed's default)"), std::string::npos);
  const std::string notes = joined(job->notes);
  EXPECT_NE(notes.find("ds.json:1: optimizer.params.lr: is absent, and DeepSpeed's own default 0.001 goes before --learning_rate 2e-4, as in the "
                       "reference; write \"auto\" to leave it to --learning_rate"),
            std::string::npos)
      << notes;
  EXPECT_NE(notes.find("weight_decay: is absent, and DeepSpeed's own default 0 goes before --weight_decay 0.1"), std::string::npos) << notes;
  EXPECT_EQ(notes.find("betas"), std::string::npos) << "nothing changes, nothing is said";
  job = withJson(R"("optimizer": {"type": "AdamW", "params": {"torch_adam": true}})", {});
  ASSERT_TRUE(job.ok()) << job.status().toString();
  EXPECT_EQ(job->values.learning_rate, 1e-3);
  EXPECT_EQ(job->values.weight_decay, 0.01);
  EXPECT_NE(joined(job->notes).find("weight_decay: is absent, and DeepSpeed's own default 0.01 is taken, as in the reference"), std::string::npos);
  EXPECT_EQ(origin(*job, "adam_beta1"), "(default)");
}

TEST_F(SftJobTest, clippingThatTheJsonLeavesOut) {
  auto notes = [&](const std::string &json, const std::vector<std::string> &words) { return joined(withJson("\"_\": 1" + json, words)->notes); };
  EXPECT_EQ(withJson("\"_\": 1", {"--max_grad_norm", "0.3"})->values.max_grad_norm, 0.3);
  const std::string note = "ds.json:1: gradient_clipping: is absent, and --max_grad_norm 0.3 is what gradients are clipped at; DeepSpeed 0.19 would";
  EXPECT_NE(notes("", {"--max_grad_norm", "0.3"}).find(note), std::string::npos);
  EXPECT_EQ(notes(", \"gradient_clipping\": \"auto\"", {"--max_grad_norm", "0.3"}).find("is absent"), std::string::npos);
  for (const std::vector<std::string> &words : {std::vector<std::string>{"--max_grad_norm", "1.0"}, {}})
    EXPECT_EQ(notes("", words).find("gradient_clipping"), std::string::npos);
}

TEST_F(SftJobTest, acceleratorConfig) {
  const std::string defaults = R"({"split_batches": false, "dispatch_batches": null, "even_batches": true, "use_seedable_sampler": true,
    "non_blocking": false, "gradient_accumulation_kwargs": null, "use_configured_state": false})";
  EXPECT_TRUE(resolve({"--accelerator_config", defaults}).ok()) << resolve({"--accelerator_config", defaults}).status().toString();
  EXPECT_TRUE(resolve({"--accelerator_config", folder.write("acc.json", defaults)}).ok());
  EXPECT_TRUE(resolve({"--accelerator_config", "{}"}).ok());
  EXPECT_NE(joined(resolved({"--accelerator_config", "{\"non_blocking\": true}"}).notes).find("--accelerator_config: non_blocking: the plan's"),
            std::string::npos);
  const std::pair<const char *, const char *> refused[] = {
      {R"({"split_batches": true})", "--accelerator_config: split_batches: is true, expected it off; --per_device_train_batch_size is of one rank"},
      {R"({"split_batches": "true"})", "--accelerator_config: split_batches: is true, expected it off"},
      {R"({"use_seedable_sampler": false})", "--accelerator_config: use_seedable_sampler: is false, expected true; rows are shuffled"},
      {R"({"even_batches": false})", "--accelerator_config: even_batches: is false, expected true"},
      {R"({"dispatch_batches": true})", "dispatch_batches: is true, expected it off"},
      {R"({"gradient_accumulation_kwargs": {"num_steps": 4}})", "gradient_accumulation_kwargs: is {num_steps: 4}, expected it off; use --grad"},
      {R"({"even_batches": 3})", "--accelerator_config: even_batches: is 3, expected true or false"}};
  for (const auto &[text, message] : refused)
    EXPECT_ERROR(resolve({"--accelerator_config", text}), Config, message);
  EXPECT_ERROR(resolve({"--accelerator_config", folder.write("acc.json", "{\n\"split_batches\": true}")}), Config,
               "acc.json:2: split_batches: is true");
  EXPECT_ERROR(resolve({"--accelerator_config", "{\"split_batch\": true}"}), UnknownKey,
               "--accelerator_config: split_batch: is not a key of --accelerator_config, expected one that it has; did you mean split_batches");
  EXPECT_ERROR(resolve({"--accelerator_config", "/nowhere.json"}), FileMissing, "/nowhere.json");
  EXPECT_ERROR(resolve({folder.write("args.json", "{\"accelerator_config\": {\"split_batches\": true}}")}), Usage, "is no flag");
  StatusOr<SftArguments> file = parseSftFlags({folder.path + "/args.json"});
  ASSERT_TRUE(file.ok()) << file.status().toString();
  EXPECT_ERROR(resolveJob(*file, {}), Config, "--accelerator_config: split_batches: is true");
}

TEST_F(SftJobTest, datasetKwargs) {
  EXPECT_ERROR(resolve({"--dataset_kwargs", "{\"skip_prepare_dataset\": true}"}), Config,
               "--dataset_kwargs: skip_prepare_dataset: is true, expected it off; rows are always cut at --max_length");
  const std::string notes = joined(resolved({"--dataset_kwargs", "{\"skip_prepare_dataset\": false, \"add_special_tokens\": false}"}).notes);
  EXPECT_NE(notes.find("--dataset_kwargs: add_special_tokens: as with the reference's trainer of today"), std::string::npos) << notes;
  EXPECT_EQ(notes.find("skip_prepare_dataset"), std::string::npos) << notes;
  EXPECT_ERROR(resolve({"--dataset_kwargs", "{\"skip_prepare_datset\": true}"}), UnknownKey, "did you mean skip_prepare_dataset");
  EXPECT_ERROR(resolve({"--dataset_kwargs", "word"}), Config, "--dataset_kwargs: is 'word', expected a JSON object");
}

TEST_F(SftJobTest, batchLaw) {
  auto batch = [&](const std::string &json, const std::vector<std::string> &words) {
    StatusOr<SftJob> job = withJson(json, words);
    EXPECT_TRUE(job.ok()) << job.status().toString();
    return job.ok() ? std::make_pair(job->values.per_device_train_batch_size, job->values.gradient_accumulation_steps)
                    : std::make_pair<int64_t, int64_t>(0, 0);
  };
  using Pair = std::pair<int64_t, int64_t>; // rows of a micro-batch, micro-batches; on two ranks
  EXPECT_EQ(batch("\"train_batch_size\": 16", {}), Pair(8, 1));
  EXPECT_EQ(batch("\"train_batch_size\": 16, \"gradient_accumulation_steps\": 4", {}), Pair(2, 4));
  EXPECT_EQ(batch("\"train_batch_size\": 16, \"train_micro_batch_size_per_gpu\": 2", {}), Pair(2, 4));
  EXPECT_EQ(batch("\"train_batch_size\": 16", {"--per_device_train_batch_size", "4", "--gradient_accumulation_steps", "2"}), Pair(4, 2));
  EXPECT_EQ(batch("\"train_micro_batch_size_per_gpu\": 4", {}), Pair(4, 1));
  EXPECT_EQ(batch("\"train_batch_size\": \"auto\"", {"--per_device_train_batch_size", "4"}), Pair(4, 1));
  EXPECT_ERROR(withJson("\"train_batch_size\": 16", {"--per_device_train_batch_size", "4", "--gradient_accumulation_steps", "4"}), Config,
               "ds.json:1: train_batch_size: is 16, expected the product 32 (per_device_train_batch_size 4, "
               "gradient_accumulation_steps 4, num_processes 2)");
  EXPECT_ERROR(withJson("\"train_batch_size\": 9", {}), Config, "is 9, expected a positive multiple of 2");
  EXPECT_ERROR(withJson("\"train_batch_size\": 0", {}), Config, "is 0, expected a positive multiple of 2");
}

// Before texts are read and a plan is made.
TEST_F(SftJobTest, whatLaterStepsWouldRefuse) {
  EXPECT_ERROR(resolve({"--use_peft_lora", "--lora_r", "0"}), Config, "--lora_r: is 0");
  JobConfig disk = yaml({{"offload_param_device", "nvme", "c.yaml:6: offload_param_device", false},
                         {"nvme_path", "/nowhere/at/all", "c.yaml:7: offload_param_nvme_path", false}});
  EXPECT_ERROR(resolve({}, disk), DiskWrite, "c.yaml:7: offload_param_nvme_path: '/nowhere/at/all' is no directory, expected one");
  EXPECT_TRUE(resolve({"--nvme_path", folder.path}, disk).ok());
}

TEST_F(SftJobTest, thresholdFromTheHiddenSize) {
  JobConfig config = yaml({{"zero_stage", "3", "ds.json:7: stage", false}});
  config.hiddenThreshold = "ds.json:8: threshold";
  SftJob job = resolved({}, config);
  EXPECT_EQ(job.values.stage3_param_persistence_threshold, 400);
  folder.write("model/config.json", "{\"text_config\": {\"hidden_size\": 8}}");
  EXPECT_EQ(resolved({}, config).values.stage3_param_persistence_threshold, 80);
  folder.write("model/config.json", "{\"d_model\": 16}");
  EXPECT_EQ(resolved({}, config).values.stage3_param_persistence_threshold, 160);
  folder.write("model/config.json", "{\"hidden_size\": 64, \"n_embed\": 32}"); // BLOOM's way
  EXPECT_EQ(resolved({}, config).values.stage3_param_persistence_threshold, 320);
  folder.write("model/config.json", "{}");
  EXPECT_ERROR(resolve({}, config), Config, "ds.json:8: threshold: is auto, expected a hidden_size");
  config.wishes[0].value = "2"; // where the reference leaves it
  EXPECT_EQ(resolved({}, config).values.stage3_param_persistence_threshold, JobSettings().stage3_param_persistence_threshold);
}

TEST_F(SftJobTest, checkpointing) {
  EXPECT_EQ(resolved({"--gradient_checkpointing", "False"}).values.rematerialize, "none");
  EXPECT_EQ(resolved({"--gradient_checkpointing", "True"}).values.rematerialize, "block");
  EXPECT_ERROR(resolve({"--gradient_checkpointing", "True", "--rematerialize", "none"}), Config,
               "--gradient_checkpointing: means --rematerialize block");
  EXPECT_EQ(resolved({"--gradient_checkpointing", "True", "--rematerialize", "selective"}).values.rematerialize, "selective");
  EXPECT_ERROR(resolve({"--gradient_checkpointing", "False", "--rematerialize", "auto"}), Config,
               "--gradient_checkpointing: means --rematerialize none");
  EXPECT_EQ(resolved({"--activation_offloading", "True"}).values.offload_activation_device, "cpu");
  EXPECT_EQ(resolved({"--activation_offloading", "False"}).values.offload_activation_device, "none");
}

TEST_F(SftJobTest, splits) {
  EXPECT_EQ(resolved({}).trainSplit, "train");
  EXPECT_EQ(resolved({}).testSplit, "") << "nothing is evaluated unless it is asked for";
  EXPECT_EQ(resolved({"--eval_strategy", "epoch"}).testSplit, "test");
  EXPECT_TRUE(resolved({"--eval_strategy", "epoch"}).evaluatesBetween);
  EXPECT_FALSE(resolved({"--eval_strategy", "epoch"}).evaluatesAfter);
  EXPECT_EQ(resolved({"--splits", "test_sft,train_sft", "--do_eval"}).testSplit, "test_sft");
  EXPECT_TRUE(resolved({"--eval_on_start"}).evaluatesBetween) << "without a strategy, too";
  EXPECT_EQ(resolved({"--eval_on_start"}).testSplit, "test");
  EXPECT_FALSE(resolved({"--do_eval"}).evaluatesBetween);
  EXPECT_TRUE(resolved({"--do_eval"}).evaluatesAfter);
  EXPECT_ERROR(resolve({"--splits", "train,validation"}), Config, "--splits: validation is neither, expected train or test");
  EXPECT_ERROR(resolve({"--splits", "test"}), Config, "--splits: is test, expected a split with train in its name");
  EXPECT_ERROR(resolve({"--splits", "train", "--eval_strategy", "steps"}), Config, "--eval_strategy: is steps without a test split");
  EXPECT_ERROR(resolve({"--splits", "train", "--eval_on_start"}), Config, "--eval_on_start: is true without a test split");
  EXPECT_ERROR(resolve({"--splits", "train", "--eval_strategy", "no", "--do_eval"}), Config, "--do_eval: is true without a test split");
}

TEST_F(SftJobTest, rowsOfPairsHaveThePlansLengths) {
  EXPECT_EQ(joined(resolved({"--mode", "causal", "--text_column", "Tweet text", "--label_column", "Label"}).dataFlags),
            "--mode causal --source_column Tweet text --target_column Label --max_length 1024 ");
  EXPECT_EQ(joined(resolved({"--mode", "causal", "--max_length", "64"}).dataFlags), "--max_length 64 --mode causal ");
  const SftJob job = resolved({"--mode", "seq2seq", "--max_target_length", "8", "--report_memory", "true"});
  EXPECT_EQ(joined(job.dataFlags), "--mode seq2seq --max_source_length 1024 --max_target_length 8 ");
  EXPECT_EQ(joined(job.testDataFlags), joined(job.dataFlags));
  EXPECT_EQ(job.values.max_target_length, 8);
  EXPECT_EQ(joined(job.runFlags), "--report_memory true ");
  // T5's tokenizer truncates at 512 of its own; who has no end says 1e30.
  for (const auto &[text, length] : {std::pair("512", 512), {"1000000000000000019884624838656", 1024}, {"0", 1024}, {"null", 1024}}) {
    folder.write("model/tokenizer_config.json", std::string("{\"model_max_length\": ") + text + "}");
    EXPECT_EQ(resolved({"--mode", "seq2seq"}).values.max_source_length, length) << text;
  }
  folder.write("model/tokenizer_config.json", "{\"model_max_length\": 512}");
  EXPECT_EQ(resolved({"--mode", "seq2seq", "--max_source_length", "600"}).values.max_source_length, 600);
}

TEST_F(SftJobTest, flagsOfTheOtherTools) {
  SftJob job = resolved({"--packing", "True", "--max_seq_len", "64", "--seed", "7", "--eval_packing", "False", "--save_steps", "5",
                         "--resume_from_checkpoint", "True"});
  EXPECT_EQ(joined(job.dataFlags), "--max_length 64 --packing true --seed 7 ");
  EXPECT_EQ(joined(job.testDataFlags), "--max_length 64 --seed 7 --packing false ");
  EXPECT_EQ(joined(job.runFlags), "--save_steps 5 --resume_from_checkpoint latest ");
  EXPECT_EQ(job.values.max_length, 64);
  EXPECT_EQ(job.values.seed, 7);
  EXPECT_EQ(joined(resolved({"--resume_from_checkpoint", "False"}).runFlags), "");
  EXPECT_EQ(joined(resolved({"--eval_strategy", "steps", "--eval_steps", "5", "--greater_is_better", "Yes"}).runFlags),
            "--eval_strategy steps --eval_steps 5 --greater_is_better true ");
  EXPECT_EQ(joined(resolved({"--eval_steps", "5", "--eval_strategy", "no"}).runFlags), "") << "nothing is evaluated";
  EXPECT_EQ(joined(resolved({"--eval_on_start"}).runFlags), "--eval_on_start true ");
  EXPECT_EQ(joined(resolved({"--report_to", "wandb,tensorboard", "--logging_dir", "logs", "--push_to_hub"}).runFlags),
            "--logging_dir logs --report_to tensorboard --push_to_hub true ");
  EXPECT_EQ(resolved({"--report_to", "none"}).notes, resolved({}).notes);
  EXPECT_EQ(joined(resolved({"--resume_from_checkpoint", "out/checkpoint-5"}).runFlags), "--resume_from_checkpoint out/checkpoint-5 ");
}

TEST_F(SftJobTest, wrongFlags) {
  EXPECT_ERROR(resolve({"--load_best_model_at_end", "True"}), Config, "--load_best_model_at_end: is true without evaluation");
  EXPECT_ERROR(resolve({"--load_best_model_at_end", "True", "--eval_strategy", "epoch"}), Config,
               "true beside --eval_strategy epoch and --save_strategy steps");
  EXPECT_ERROR(resolve({"--eval_steps", "-1"}), Config, "--eval_steps: is -1");
  EXPECT_ERROR(resolve({"--zero_stage", "4"}), Config, "--zero_stage: is 4");
  EXPECT_ERROR(resolve({"--do_train", "False"}), Config, "--do_train: is false, expected true");
  EXPECT_ERROR(resolve({"--average_tokens_across_devices", "False"}), Config, "the mean is over the counted labels of all ranks");
  EXPECT_ERROR(resolve({"--model_name_or_path", "meta-llama/Llama-2-70b-hf"}), FileMissing,
               "--model_name_or_path: 'meta-llama/Llama-2-70b-hf' is not here");
  EXPECT_ERROR(resolve({"--dataset_name", "smangrul/ultrachat-10k-chatml"}), FileMissing,
               "hf download --repo-type dataset smangrul/ultrachat-10k-chatml --local-dir DIR");
  StatusOr<SftArguments> none = parseSftFlags({});
  ASSERT_TRUE(none.ok());
  EXPECT_ERROR(resolveJob(*none, {}), Usage, "--model_name_or_path: is missing");
}
