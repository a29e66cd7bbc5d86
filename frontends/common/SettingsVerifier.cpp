#include "frontends/common/SettingsVerifier.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>
#include <vector>

#include "runtime/base/names.h"
#include "runtime/base/number_text.h"
#include "runtime/schedule/schedule_rules.h"
#include "runtime/schema/limits.h"
#include "runtime/schema/run_rules.h"

namespace zp::fe {

namespace {

/// Collects the first complaint.
class Checks {
public:
  void range(const char *flag, double value, double least, double most, const char *expected, const char *fix) {
    if (!(value >= least && value <= most))
      fail(flag, "is " + numberText(value) + ", expected " + expected + "; " + fix);
  }
  void choice(const char *flag, const std::string &value, const std::vector<std::string> &choices) {
    if (std::find(choices.begin(), choices.end(), value) == choices.end())
      fail(flag, "is \"" + value + "\", expected " + joinNames(choices, " or ") + "; choose one");
  }
  void fail(const char *flag, const std::string &message) {
    if (first.ok())
      first = Status(ErrorCode::Config, std::string("--") + flag + ": " + message);
  }
  Status first;
};

/// The names of the PEFT guide's script. Without 4 bits they are void, but a wrong word is wrong.
void checkFourBit(const JobSettings &s, Checks &checks) {
  checks.choice("bnb_4bit_quant_type", s.bnb_4bit_quant_type, {"nf4", "fp4"});
  checks.choice("bnb_4bit_quant_storage_dtype", s.bnb_4bit_quant_storage_dtype,
                {
#define ZP_QUANT_STORAGE(label, name) name,
#include "runtime/schema/quant_storages.inc"
#undef ZP_QUANT_STORAGE
                });
  const std::string &compute = s.bnb_4bit_compute_dtype;
  if (!compute.empty())
    checks.choice("bnb_4bit_compute_dtype", compute, {"bfloat16", "float32", "float16"});
  if (!s.use_4bit_quantization)
    return;
  for (auto [word, flag, on] : {std::tuple("bfloat16", "--bf16", s.bf16), {"float16", "--fp16", s.fp16}}) {
    if (compute == word && !on)
      checks.fail("bnb_4bit_compute_dtype", std::string("is ") + word + " without " + flag + ", expected the dtype of the job; add " + flag);
    if (compute == "float32" && on)
      checks.fail("bnb_4bit_compute_dtype", std::string("is float32 beside ") + flag + ", expected the dtype of the job; drop one of the two");
  }
  if (!s.use_peft_lora)
    checks.fail("use_4bit_quantization", "is true beside --use_peft_lora false, expected weights that are trained to be "
                                         "in floats; train LoRA adapters or drop --use_4bit_quantization");
}

/// The caches of a plan that generates. Without beams no row changes its place, and as many prompts go as there is memory for.
void checkGeneration(const JobSettings &s, double mostTokens, Checks &checks) {
  checks.range("generation_batch_size", double(s.generation_batch_size), 1, mostTokens, "1 or more prompts", "use 1 at least");
  checks.range("num_beams", double(s.num_beams), 1, mostTokens, "1 or more beams", "use 1 at least");
  checks.range("prefill_length", double(s.prefill_length), 1, mostTokens, "1 or more tokens", "use 64");
  if (!checks.first.ok() || !s.generate)
    return;
  const int64_t rows = s.generation_batch_size * s.num_beams;
  if (s.num_beams > 1 && rows > kMaxCacheRows)
    checks.fail("num_beams", "is " + std::to_string(s.num_beams) + " beside --generation_batch_size " + std::to_string(s.generation_batch_size) +
                                 ", which makes " + std::to_string(rows) + " rows of a cache whose beams change places, expected at most " +
                                 std::to_string(kMaxCacheRows) + "; use fewer prompts at once, or fewer beams");
  if (double(rows) * double(s.max_length) > mostTokens)
    checks.fail("generation_batch_size", "makes a cache of " + numberText(double(rows) * double(s.max_length)) +
                                             " tokens, expected at most 2^30; use fewer prompts at once, or fewer beams");
}

} // namespace

Status verifySettings(const JobSettings &s) {
  constexpr double kBelowOne = 0x1.fffffffffffffp-1, kMost = std::numeric_limits<double>::max(), kMostInt = 1 << 30;
  Checks checks;
  if (s.bf16 && s.fp16)
    checks.fail("fp16", "is set beside --bf16, expected one of them; drop --fp16");
  checkFourBit(s, checks);
  checks.range("zero_stage", double(s.zero_stage), 0, 3, "0, 1, 2 or 3", "use 3 for full parameter sharding");
  checks.range("num_processes", double(s.num_processes), 1, 1 << 20, "1 to 1048576 ranks", "name how many ranks will run");
  checks.range("stage3_param_persistence_threshold", double(s.stage3_param_persistence_threshold), 0, 9e18, "0 or more elements",
               "use 0 to shard everything");
  checks.range("prefetch_distance", double(s.prefetch_distance), -1, 1 << 20, "0 or more units, or -1 to leave it open", "drop the flag");
  checks.range("prefetch_bytes", double(s.prefetch_bytes), 0, 9e18, "0 or more bytes", "use 0 for no limit");
  checks.range("dequant_cache_bytes", double(s.dequant_cache_bytes), 0, 9e18, "0 or more bytes", "use 0 for none");
  checks.choice("reduce_gradients", s.reduce_gradients, {"micro_batch", "step"});
  checks.range("reduce_bucket_size", double(s.reduce_bucket_size), 0, 9e18, "0 or more elements", "use 0 for a collective a unit");
  checks.choice("rematerialize", s.rematerialize, {"none", "selective", "block", "auto"});
  checks.range("rematerialize_blocks", double(s.rematerialize_blocks), -1, 1 << 20, "0 or more blocks, or -1 for all", "drop the flag");
  checks.choice("offload_param_device", s.offload_param_device, {"none", "cpu", "nvme"});
  checks.choice("offload_optimizer_device", s.offload_optimizer_device, {"none", "cpu", "nvme"});
  checks.choice("offload_activation_device", s.offload_activation_device, {"none", "cpu", "nvme"});
  checks.range("per_device_train_batch_size", double(s.per_device_train_batch_size), 1, kMostInt, "1 or more rows", "use 1 at least");
  checks.range("gradient_accumulation_steps", double(s.gradient_accumulation_steps), 1, kMostInt, "1 or more micro-batches", "use 1 at least");
  checks.range("length_buckets", double(s.length_buckets), 1, 8, "1 to 8 train steps", "use 3 for rows that aren't packed");
  checks.range("max_length", double(s.max_length), 1, kMostInt, "1 or more tokens", "use the length that the data were made with");
  checks.range("max_source_length", double(s.max_source_length), 1, kMostInt, "1 or more tokens", "use the length that the data were made with");
  checks.range("max_target_length", double(s.max_target_length), 1, kMostInt, "1 or more tokens", "use the length that the data were made with");
  checkGeneration(s, kMostInt, checks);
  if (checks.first.ok() && s.per_device_train_batch_size * s.max_length > int64_t(kMostInt))
    checks.fail("per_device_train_batch_size", "makes " + numberText(double(s.per_device_train_batch_size * s.max_length)) +
                                                   " tokens of a micro-batch, expected at most 2^30; use fewer rows and more "
                                                   "accumulation");
  if (checks.first.ok()) {
    const auto updates = s.max_steps > 0 ? std::optional(uint64_t(s.max_steps)) : std::nullopt;
    checks.first = rt::verifySchedule(s, "--", updates).status();
  }
  checks.range("weight_decay", s.weight_decay, 0, kMost, "0 or more", "use 0 for none");
  checks.range("adam_beta1", s.adam_beta1, 0, kBelowOne, "0 up to 1, 1 excluded", "try 0.9");
  checks.range("adam_beta2", s.adam_beta2, 0, kBelowOne, "0 up to 1, 1 excluded", "try 0.999");
  checks.range("adam_epsilon", s.adam_epsilon, 0, kMost, "0 or more", "try 1e-8");
  checks.range("max_grad_norm", s.max_grad_norm, 0, kMost, "0 or more", "use 0 to clip nothing");
  if (s.max_steps != -1)
    checks.range("max_steps", double(s.max_steps), 1, 9e15, "1 or more updates, or -1 to go by epochs", "name the updates");
  checks.choice("train_sampling_strategy", s.train_sampling_strategy, {"random", "sequential"});
  checks.range("seed", double(s.seed), 0, 9e15, "0 or more", "use 42");
  checks.range("data_seed", double(s.data_seed), -1, 9e15, "0 or more, or -1 for --seed", "drop the flag");
  ZP_RETURN_IF_ERROR(checks.first);
  ZP_RETURN_IF_ERROR(rt::verifyEpochs(s));
  ZP_RETURN_IF_ERROR(rt::verifyUpdateSize(s, static_cast<uint64_t>(s.num_processes)));
  return rt::verifyRunSettings(s);
}

} // namespace zp::fe
