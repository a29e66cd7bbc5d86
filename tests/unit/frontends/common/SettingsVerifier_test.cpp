#include "frontends/common/SettingsVerifier.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>
#include <type_traits>

#include "tests/unit/frontends/support.h"

using namespace zp;
using namespace zp::fe;

namespace {

struct WrongSetting {
  const char *flag;
  std::function<void(JobSettings &)> spoil;
};

const WrongSetting kWrong[] = {
    {"--zero_stage: is 9", [](JobSettings &s) { s.zero_stage = 9; }},
    {"--num_processes: is 1048577", [](JobSettings &s) { s.num_processes = (1 << 20) + 1; }},
    {"--offload_param_device: is \"gpu\", expected none or cpu or nvme", [](JobSettings &s) { s.offload_param_device = "gpu"; }},
    {"--offload_optimizer_device: is \"disk\"", [](JobSettings &s) { s.offload_optimizer_device = "disk"; }},
    {"--offload_activation_device: is \"\"", [](JobSettings &s) { s.offload_activation_device = ""; }},
    {"--length_buckets: is 0", [](JobSettings &s) { s.length_buckets = 0; }},
    {"--length_buckets: is 9", [](JobSettings &s) { s.length_buckets = 9; }},
    {"--max_source_length: is 0", [](JobSettings &s) { s.max_source_length = 0; }},
    {"--max_target_length: is -1", [](JobSettings &s) { s.max_target_length = -1; }},
    {"--generation_batch_size: is 0", [](JobSettings &s) { s.generation_batch_size = 0; }},
    {"--generation_batch_size: makes a cache of",
     [](JobSettings &s) { s.generate = true, s.generation_batch_size = 1 << 20, s.max_length = 1 << 20; }},
    {"--num_beams: is 0", [](JobSettings &s) { s.num_beams = 0; }},
    {"--prefill_length: is 0", [](JobSettings &s) { s.prefill_length = 0; }},
    {"--learning_rate: is inf", [](JobSettings &s) { s.learning_rate = INFINITY; }},
    {"--warmup_steps: is nan", [](JobSettings &s) { s.warmup_steps = std::nan(""); }},
    {"--save_strategy: is best without evaluation", [](JobSettings &s) { s.save_strategy = "best"; }},
    {"--logging_steps: is 2.5", [](JobSettings &s) { s.logging_steps = 2.5; }},
    {"--logging_strategy: is \"best\", expected steps, epoch or no", [](JobSettings &s) { s.logging_strategy = "best"; }},
    {"--fp16: is set beside --bf16", [](JobSettings &s) { s.bf16 = s.fp16 = true; }},
    {"--loss_scale: is -1", [](JobSettings &s) { s.loss_scale = -1; }},
    {"--initial_scale_power: is 128", [](JobSettings &s) { s.initial_scale_power = 128; }},
    {"--loss_scale_window: is 0", [](JobSettings &s) { s.loss_scale_window = 0; }},
    {"--hysteresis: is 0", [](JobSettings &s) { s.hysteresis = 0; }},
    {"--min_loss_scale: is 0", [](JobSettings &s) { s.min_loss_scale = 0; }},
    {"--bnb_4bit_quant_type: is \"int4\", expected nf4 or fp4", [](JobSettings &s) { s.bnb_4bit_quant_type = "int4"; }},
    {"--bnb_4bit_quant_storage_dtype: is \"uint4\"", [](JobSettings &s) { s.bnb_4bit_quant_storage_dtype = "uint4"; }},
    {"--bnb_4bit_compute_dtype: is \"bf16\"", [](JobSettings &s) { s.bnb_4bit_compute_dtype = "bf16"; }},
    {"--bnb_4bit_compute_dtype: is bfloat16 without --bf16",
     [](JobSettings &s) {
       s.use_4bit_quantization = true;
       s.bnb_4bit_compute_dtype = "bfloat16";
     }},
    {"--bnb_4bit_compute_dtype: is float32 beside --bf16",
     [](JobSettings &s) {
       s.use_4bit_quantization = s.bf16 = true;
       s.bnb_4bit_compute_dtype = "float32";
     }},
    {"--bnb_4bit_compute_dtype: is float16 without --fp16",
     [](JobSettings &s) {
       s.use_4bit_quantization = s.bf16 = true;
       s.bnb_4bit_compute_dtype = "float16";
     }},
    {"--use_4bit_quantization: is true beside --use_peft_lora false",
     [](JobSettings &s) { s.use_4bit_quantization = true, s.use_peft_lora = false; }},
    {"--zero_stage: is 4", [](JobSettings &s) { s.zero_stage = 4; }},
    {"--zero_stage: is -1", [](JobSettings &s) { s.zero_stage = -1; }},
    {"--num_processes: is 0", [](JobSettings &s) { s.num_processes = 0; }},
    {"--stage3_param_persistence_threshold: is -1", [](JobSettings &s) { s.stage3_param_persistence_threshold = -1; }},
    {"--prefetch_distance: is -2", [](JobSettings &s) { s.prefetch_distance = -2; }},
    {"--prefetch_bytes: is -1", [](JobSettings &s) { s.prefetch_bytes = -1; }},
    {"--dequant_cache_bytes: is -1", [](JobSettings &s) { s.dequant_cache_bytes = -1; }},
    {"--reduce_gradients: is \"never\"", [](JobSettings &s) { s.reduce_gradients = "never"; }},
    {"--reduce_bucket_size: is -1", [](JobSettings &s) { s.reduce_bucket_size = -1; }},
    {"--rematerialize: is \"some\"", [](JobSettings &s) { s.rematerialize = "some"; }},
    {"--rematerialize_blocks: is -2", [](JobSettings &s) { s.rematerialize_blocks = -2; }},
    {"--per_device_train_batch_size: is 0", [](JobSettings &s) { s.per_device_train_batch_size = 0; }},
    {"--per_device_train_batch_size: makes", [](JobSettings &s) { s.per_device_train_batch_size = 1 << 20, s.max_length = 1 << 20; }},
    {"--gradient_accumulation_steps: is -2", [](JobSettings &s) { s.gradient_accumulation_steps = -2; }},
    {"--gradient_accumulation_steps: is 1024 beside --per_device_train_batch_size 1024 on 1025 ranks, expected at most 2^30 rows "
     "of an update",
     [](JobSettings &s) { s.per_device_train_batch_size = s.gradient_accumulation_steps = 1024, s.num_processes = 1025; }},
    {"--max_length: is 0", [](JobSettings &s) { s.max_length = 0; }},
    {"--learning_rate: is -1", [](JobSettings &s) { s.learning_rate = -1; }},
    {"--learning_rate: is nan", [](JobSettings &s) { s.learning_rate = std::nan(""); }},
    {"--learning_rate: is 1e-08 beside --lr_scheduler_type polynomial",
     [](JobSettings &s) { s.learning_rate = 1e-8, s.lr_scheduler_type = "polynomial"; }},
    {"--lr_scheduler_kwargs: num_cycles: is -1, expected a number of 0 or more",
     [](JobSettings &s) { s.lr_scheduler_type = "cosine", s.lr_scheduler_kwargs = "{\"num_cycles\": -1}"; }},
    {"--lr_scheduler_type: is \"cosin\"", [](JobSettings &s) { s.lr_scheduler_type = "cosin"; }},
    {"--save_strategy: is \"often\", expected steps, epoch, best or no", [](JobSettings &s) { s.save_strategy = "often"; }},
    {"--save_steps: is 1.5", [](JobSettings &s) { s.save_steps = 1.5; }},
    {"--save_total_limit: is -1", [](JobSettings &s) { s.save_total_limit = -1; }},
    {"--per_device_eval_batch_size: is 0", [](JobSettings &s) { s.per_device_eval_batch_size = 0; }},
    {"--eval_strategy: is \"epochs\"", [](JobSettings &s) { s.eval_strategy = "epochs"; }},
    {"--eval_steps: is -1", [](JobSettings &s) { s.eval_steps = -1; }},
    {"--eval_steps: is nan", [](JobSettings &s) { s.eval_steps = std::nan(""); }},
    {"--eval_delay: is -1", [](JobSettings &s) { s.eval_delay = -1; }},
    {"--metric_for_best_model: is \"bleu\"", [](JobSettings &s) { s.metric_for_best_model = "bleu"; }},
    {"--greater_is_better: is \"maybe\"", [](JobSettings &s) { s.greater_is_better = "maybe"; }},
    {"--load_best_model_at_end: is true without evaluation", [](JobSettings &s) { s.load_best_model_at_end = true; }},
    {"--load_best_model_at_end: is true beside --eval_strategy epoch and --save_strategy steps",
     [](JobSettings &s) { s.load_best_model_at_end = true, s.eval_strategy = "epoch"; }},
    {"--load_best_model_at_end: is true beside --save_steps 500 and --eval_steps 300",
     [](JobSettings &s) { s.load_best_model_at_end = true, s.eval_strategy = "steps", s.eval_steps = 300; }},
    {"--load_best_model_at_end: is true beside --save_steps 500 and --eval_steps 0.1",
     [](JobSettings &s) { s.load_best_model_at_end = true, s.eval_strategy = "steps", s.eval_steps = 0.1; }},
    {"--warmup_steps: is -1", [](JobSettings &s) { s.warmup_steps = -1; }},
    {"--warmup_ratio: is 1.5", [](JobSettings &s) { s.warmup_ratio = 1.5; }},
    {"--weight_decay: is -0.1", [](JobSettings &s) { s.weight_decay = -0.1; }},
    {"--adam_beta1: is 1", [](JobSettings &s) { s.adam_beta1 = 1; }},
    {"--adam_beta2: is 1", [](JobSettings &s) { s.adam_beta2 = 1; }},
    {"--adam_epsilon: is -1", [](JobSettings &s) { s.adam_epsilon = -1; }},
    {"--max_grad_norm: is -1", [](JobSettings &s) { s.max_grad_norm = -1; }},
    {"--max_steps: is 0", [](JobSettings &s) { s.max_steps = 0; }},
    {"--num_train_epochs: is 0", [](JobSettings &s) { s.num_train_epochs = 0; }},
    {"--train_sampling_strategy: is \"shuffled\"", [](JobSettings &s) { s.train_sampling_strategy = "shuffled"; }},
    {"--seed: is -1", [](JobSettings &s) { s.seed = -1; }},
    {"--data_seed: is -2", [](JobSettings &s) { s.data_seed = -2; }},
    {"--logging_steps: is 0", [](JobSettings &s) { s.logging_steps = 0; }},
    {"--num_beams: is 3 beside --generation_batch_size 1366, which makes 4098 rows of a cache whose beams change places, "
     "expected at most 4096; use fewer prompts at once, or fewer beams",
     [](JobSettings &s) { s.generate = true, s.num_beams = 3, s.generation_batch_size = 1366; }},
    {"--num_beams: is 1073741824 beside --generation_batch_size 1073741824, which makes 1152921504606846976 rows",
     [](JobSettings &s) { s.generate = true, s.num_beams = s.generation_batch_size = 1 << 30; }},
    {"--generation_batch_size: makes a cache of 2147483648 tokens", [](JobSettings &s) { s.generate = true, s.generation_batch_size = 1 << 21; }},
};

} // namespace

TEST(SettingsVerifier, defaultsAreSound) { EXPECT_TRUE(verifySettings(JobSettings()).ok()); }

TEST(SettingsVerifier, refusesEachWrongSetting) {
  for (const WrongSetting &wrong : kWrong) {
    JobSettings settings;
    wrong.spoil(settings);
    EXPECT_ERROR(verifySettings(settings), Config, wrong.flag);
  }
}

/// Settings that the model decides about (LoraTargets_test, FourBitModules_test), and a path.
const std::set<std::string> kElsewhere = {"lora_r",
                                          "lora_alpha",
                                          "lora_dropout",
                                          "lora_target_modules",
                                          "lora_exclude_modules",
                                          "lora_bias",
                                          "lora_rank_pattern",
                                          "lora_alpha_pattern",
                                          "lora_layers_to_transform",
                                          "lora_layers_pattern",
                                          "lora_modules_to_save",
                                          "init_lora_weights",
                                          "bnb_4bit_skip_modules",
                                          "nvme_path"};

// A new setting has a wrong value above, or a reason here.
TEST(SettingsVerifier, everySettingHasItsWrongValue) {
  JobSettings().forEach([](const char *name, const auto &value, const char *) {
    if (std::is_same_v<std::decay_t<decltype(value)>, bool> || kElsewhere.count(name))
      return;
    const std::string flag = std::string("--") + name + ": ";
    EXPECT_TRUE(
        std::any_of(std::begin(kWrong), std::end(kWrong), [&](const WrongSetting &wrong) { return std::string(wrong.flag).starts_with(flag); }))
        << flag << "no wrong value is tried";
  });
}

TEST(SettingsVerifier, acceptsTheEdges) {
  JobSettings settings;
  settings.zero_stage = 0;
  settings.max_steps = 1;
  settings.num_train_epochs = 0; // void beside max_steps
  settings.max_grad_norm = 0;
  settings.warmup_steps = 0.5;
  settings.adam_beta1 = 0;
  settings.bf16 = true;
  EXPECT_TRUE(verifySettings(settings).ok()) << verifySettings(settings).toString();
}

// reorder_cache takes 4096 rows (runtime/schema/limits.h); a plan without beams has no such instruction.
TEST(SettingsVerifier, rowsOfACacheThatBeamsReorder) {
  JobSettings settings;
  settings.max_length = 16;
  settings.num_beams = 4;
  settings.generation_batch_size = 1025;
  EXPECT_TRUE(verifySettings(settings).ok()) << "it trains";
  settings.generate = true;
  EXPECT_ERROR(verifySettings(settings), Config, "which makes 4100 rows");
  settings.generation_batch_size = 1024;
  EXPECT_TRUE(verifySettings(settings).ok()) << verifySettings(settings).toString();
  settings.num_beams = 1;
  settings.generation_batch_size = 5000;
  EXPECT_TRUE(verifySettings(settings).ok()) << verifySettings(settings).toString();
}

// ZeRO-3 of the reference can't shard uint8; here the bytes are the same under any name.
TEST(SettingsVerifier, acceptsEveryStorageOfFourBits) {
  for (const char *storage : {"uint8", "int8", "bfloat16", "float16", "float32", "float64"}) {
    JobSettings settings;
    settings.use_4bit_quantization = true;
    settings.zero_stage = 3;
    settings.bnb_4bit_quant_storage_dtype = storage;
    EXPECT_TRUE(verifySettings(settings).ok()) << verifySettings(settings).toString();
  }
}

TEST(SettingsVerifier, computeDtypeIsThatOfTheJob) {
  JobSettings settings;
  settings.use_4bit_quantization = true;
  settings.bnb_4bit_compute_dtype = "float32";
  EXPECT_TRUE(verifySettings(settings).ok());
  settings.bf16 = true;
  settings.bnb_4bit_compute_dtype = "bfloat16";
  EXPECT_TRUE(verifySettings(settings).ok());
  settings.bnb_4bit_compute_dtype = "";
  EXPECT_TRUE(verifySettings(settings).ok());
  // The guide's script has float16 for a default, void without 4 bits.
  settings.use_4bit_quantization = false;
  settings.bnb_4bit_compute_dtype = "float16";
  EXPECT_TRUE(verifySettings(settings).ok());
}
