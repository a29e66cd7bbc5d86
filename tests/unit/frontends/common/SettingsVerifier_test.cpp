#include "frontends/common/SettingsVerifier.h"

#include <cmath>
#include <functional>

#include "tests/unit/frontends/support.h"

using namespace zp;
using namespace zp::fe;

namespace {

struct WrongSetting {
  const char *flag;
  std::function<void(JobSettings &)> spoil;
};

const WrongSetting kWrong[] = {
    {"--fp16: is set beside --bf16", [](JobSettings &s) { s.bf16 = s.fp16 = true; }},
    {"--loss_scale: is -1", [](JobSettings &s) { s.loss_scale = -1; }},
    {"--initial_scale_power: is 128", [](JobSettings &s) { s.initial_scale_power = 128; }},
    {"--loss_scale_window: is 0", [](JobSettings &s) { s.loss_scale_window = 0; }},
    {"--hysteresis: is 0", [](JobSettings &s) { s.hysteresis = 0; }},
    {"--min_loss_scale: is 0", [](JobSettings &s) { s.min_loss_scale = 0; }},
    {"--bnb_4bit_quant_type: is \"int4\", expected nf4 or fp4",
     [](JobSettings &s) { s.bnb_4bit_quant_type = "int4"; }},
    {"--bnb_4bit_quant_storage_dtype: is \"uint4\"",
     [](JobSettings &s) { s.bnb_4bit_quant_storage_dtype = "uint4"; }},
    {"--bnb_4bit_compute_dtype: is \"bf16\"",
     [](JobSettings &s) { s.bnb_4bit_compute_dtype = "bf16"; }},
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
    {"--stage3_param_persistence_threshold: is -1",
     [](JobSettings &s) { s.stage3_param_persistence_threshold = -1; }},
    {"--prefetch_distance: is -1", [](JobSettings &s) { s.prefetch_distance = -1; }},
    {"--prefetch_bytes: is -1", [](JobSettings &s) { s.prefetch_bytes = -1; }},
    {"--dequant_cache_bytes: is -1", [](JobSettings &s) { s.dequant_cache_bytes = -1; }},
    {"--reduce_gradients: is \"never\"", [](JobSettings &s) { s.reduce_gradients = "never"; }},
    {"--reduce_bucket_size: is -1", [](JobSettings &s) { s.reduce_bucket_size = -1; }},
    {"--rematerialize: is \"some\"", [](JobSettings &s) { s.rematerialize = "some"; }},
    {"--rematerialize_blocks: is -2", [](JobSettings &s) { s.rematerialize_blocks = -2; }},
    {"--per_device_train_batch_size: is 0",
     [](JobSettings &s) { s.per_device_train_batch_size = 0; }},
    {"--per_device_train_batch_size: makes",
     [](JobSettings &s) { s.per_device_train_batch_size = 1 << 20, s.max_length = 1 << 20; }},
    {"--gradient_accumulation_steps: is -2",
     [](JobSettings &s) { s.gradient_accumulation_steps = -2; }},
    {"--max_length: is 0", [](JobSettings &s) { s.max_length = 0; }},
    {"--learning_rate: is -1", [](JobSettings &s) { s.learning_rate = -1; }},
    {"--learning_rate: is nan", [](JobSettings &s) { s.learning_rate = std::nan(""); }},
    {"--lr_scheduler_type: is \"cosin\"", [](JobSettings &s) { s.lr_scheduler_type = "cosin"; }},
    {"--save_strategy: is \"often\", expected steps, epoch, best or no", [](JobSettings &s) { s.save_strategy = "often"; }},
    {"--save_steps: is 1.5", [](JobSettings &s) { s.save_steps = 1.5; }},
    {"--save_total_limit: is -1", [](JobSettings &s) { s.save_total_limit = -1; }},
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
    {"--train_sampling_strategy: is \"shuffled\"",
     [](JobSettings &s) { s.train_sampling_strategy = "shuffled"; }},
    {"--seed: is -1", [](JobSettings &s) { s.seed = -1; }},
    {"--data_seed: is -2", [](JobSettings &s) { s.data_seed = -2; }},
    {"--logging_steps: is 0", [](JobSettings &s) { s.logging_steps = 0; }},
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
