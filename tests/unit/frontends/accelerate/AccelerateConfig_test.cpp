#include "frontends/accelerate/AccelerateConfig.h"

#include <algorithm>

#include "tests/unit/frontends/support.h"

using namespace zp;
using namespace zp::fe;

namespace {

class AccelerateConfig : public testing::Test {
protected:
  StatusOr<JobConfig> read(const std::string &text) { return readAccelerateConfig(folder.write("c.yaml", text)); }
  JobConfig parsed(const std::string &text) {
    StatusOr<JobConfig> config = read(text);
    EXPECT_TRUE(config.ok()) << config.status().toString();
    return config.ok() ? *config : JobConfig();
  }
  static std::string value(const JobConfig &config, const std::string &setting) {
    const SettingWish *wish = config.wish(setting);
    return wish ? wish->value : "(none)";
  }
  static bool hasNote(const JobConfig &config, const std::string &part) {
    return std::any_of(config.notes.begin(), config.notes.end(), [&](const std::string &note) { return note.find(part) != std::string::npos; });
  }
  test::TemporaryFolder folder;
};

const std::string kSharded = "distributed_type: DEEPSPEED\nmixed_precision: bf16\nnum_processes: 4\ndeepspeed_config:\n  zero_stage: 3\n";

std::string sample(const std::string &name) { return std::string(ZP_TESTS) + "/../samples/configs/" + name; }

} // namespace

TEST_F(AccelerateConfig, theGuidesFiles) {
  StatusOr<JobConfig> lora = readAccelerateConfig(sample("deepspeed_config.yaml"));
  ASSERT_TRUE(lora.ok()) << lora.status().toString();
  EXPECT_EQ(value(*lora, "num_processes"), "8");
  EXPECT_EQ(value(*lora, "zero_stage"), "3");
  EXPECT_EQ(value(*lora, "gradient_accumulation_steps"), "4");
  EXPECT_EQ(value(*lora, "bf16"), "true");
  EXPECT_TRUE(lora->wish("gradient_accumulation_steps")->mustMatch);
  EXPECT_NE(lora->wish("gradient_accumulation_steps")->place.find("deepspeed_config.yaml:5: gradient_accumulation_steps"), std::string::npos);
  EXPECT_TRUE(hasNote(*lora, "zero3_init_flag: each rank reads its own slices"));

  StatusOr<JobConfig> qlora = readAccelerateConfig(sample("deepspeed_config_z3_qlora.yaml"));
  ASSERT_TRUE(qlora.ok()) << qlora.status().toString();
  EXPECT_EQ(value(*qlora, "gradient_accumulation_steps"), "(none)");
  EXPECT_EQ(value(*qlora, "num_processes"), "2");

  StatusOr<JobConfig> offload = readAccelerateConfig(sample("accelerate_ds_zero3_cpu_offload_config.yaml"));
  ASSERT_TRUE(offload.ok()) << offload.status().toString();
  EXPECT_EQ(value(*offload, "offload_param_device"), "cpu");
  EXPECT_EQ(value(*offload, "offload_optimizer_device"), "cpu");
}

TEST_F(AccelerateConfig, distribution) {
  EXPECT_EQ(value(parsed("distributed_type: MULTI_GPU\nnum_processes: 4\n"), "zero_stage"), "0");
  EXPECT_EQ(value(parsed("distributed_type: 'NO'\nnum_processes: 1\n"), "zero_stage"), "0");
  EXPECT_EQ(value(parsed("distributed_type: DEEPSPEED\nnum_processes: -1\n"), "zero_stage"), "2") << "Accelerate's default";
  EXPECT_EQ(value(parsed("distributed_type: DEEPSPEED\nnum_processes: -1\n"), "num_processes"), "(none)");
  EXPECT_NE(parsed("distributed_type: DEEPSPEED\nnum_processes: -1\n").openProcesses.find("c.yaml:2: num_processes"), std::string::npos);
  EXPECT_EQ(parsed("distributed_type: DEEPSPEED\n").openProcesses + parsed(kSharded).openProcesses, "");
  EXPECT_ERROR(read("num_processes: 2\n"), Config, "distributed_type: is missing, expected DEEPSPEED, MULTI_GPU or NO");
  EXPECT_ERROR(read("distributed_type: TPU\n"), Config, "c.yaml:1: distributed_type: is TPU, expected DEEPSPEED or MULTI_GPU or NO");
  EXPECT_ERROR(read("distributed_type: 'NO'\nnum_processes: 2\n"), Config, "is NO beside num_processes 2");
  EXPECT_ERROR(read("distributed_type: MULTI_GPU\ndeepspeed_config:\n  zero_stage: 3\n"), Config,
               "c.yaml:2: deepspeed_config: has keys beside distributed_type MULTI_GPU");
  EXPECT_ERROR(read("distributed_type: DEEPSPEED\ndeepspeed_config: 3\n"), Config, "deepspeed_config: is 3, expected a map of keys");
  EXPECT_ERROR(read("distributed_type: DEEPSPEED\ndeepspeed_config:\n  zero_stage: 4\n"), Config,
               "c.yaml:3: zero_stage: is 4, expected 0, 1, 2 or 3");
}

TEST_F(AccelerateConfig, enginesThatAreNotHereSayWhatIs) {
  const std::pair<const char *, const char *> instead[] = {
      {"FSDP", "set DEEPSPEED, and below deepspeed_config zero_stage: 3, which shards what FULL_SHARD does"},
      {"fsdp", "set DEEPSPEED, and below deepspeed_config zero_stage: 3"},
      {"MEGATRON_LM", "set DEEPSPEED, and below deepspeed_config zero_stage: 3; tensor and pipeline"},
      {"MULTI_CPU", "set MULTI_GPU: --num_processes says how many ranks there are"},
      {"MULTI_XPU", "set MULTI_GPU"}};
  for (const auto &[type, fix] : instead) {
    const std::string is = std::string("c.yaml:2: distributed_type: is ") + type + ", expected DEEPSPEED or MULTI_GPU or NO; ";
    EXPECT_ERROR(read(std::string("fsdp_config: {fsdp_version: 2}\ndistributed_type: ") + type + "\n"), Config, is + fix);
  }
}

// As accelerate launch does.
TEST_F(AccelerateConfig, oneProcessLeavesDeepspeedsKeysAlone) {
  JobConfig alone = parsed("distributed_type: 'NO'\ndeepspeed_config:\n  zero_stage: 3\n  offload_param_device: cpu\n  gradient_clipping: 0.5\n");
  EXPECT_EQ(value(alone, "zero_stage"), "0");
  EXPECT_EQ(value(alone, "offload_param_device") + value(alone, "max_grad_norm"), "(none)(none)");
  EXPECT_TRUE(hasNote(alone, "c.yaml:2: deepspeed_config: its keys have no part beside distributed_type NO"));
  EXPECT_FALSE(hasNote(parsed("distributed_type: 'NO'\ndeepspeed_config: {}\n"), "deepspeed_config"));
}

TEST_F(AccelerateConfig, machines) {
  JobConfig several = parsed("distributed_type: DEEPSPEED\nnum_machines: 2\nnum_processes: 16\nmachine_rank: "
                             "1\nmain_process_ip: h\nmain_process_port: 29500\n");
  EXPECT_EQ(several.machines, 2);
  EXPECT_TRUE(hasNote(several, "main_process_ip: ranks on several machines"));
  EXPECT_EQ(parsed(kSharded + "gpu_ids: 0,1\n").gpuIds, "0,1");
  EXPECT_EQ(parsed(kSharded + "gpu_ids: all\n").gpuIds, "");
  EXPECT_ERROR(read("distributed_type: DEEPSPEED\nnum_machines: 2\nnum_processes: 7\n"), Config,
               "c.yaml:3: num_processes: is 7, expected a positive multiple of num_machines, 2");
  EXPECT_ERROR(read("distributed_type: DEEPSPEED\nnum_processes: 0\n"), Config, "num_processes: is 0");
  EXPECT_ERROR(read("distributed_type: DEEPSPEED\nnum_machines: 0\n"), Config, "num_machines: is 0");
  EXPECT_ERROR(read("distributed_type: DEEPSPEED\nmachine_rank: 1\n"), Config, "machine_rank: is 1, expected 0 to 0");
  EXPECT_ERROR(read("compute_environment: AMAZON_SAGEMAKER\ndistributed_type: 'NO'\n"), Config,
               "compute_environment: is AMAZON_SAGEMAKER, expected LOCAL_MACHINE");
  EXPECT_ERROR(read(kSharded + "rdzv_backend: c10d\n"), Config, "rdzv_backend: is c10d, expected static");
}

TEST_F(AccelerateConfig, precision) {
  EXPECT_EQ(value(parsed("distributed_type: DEEPSPEED\nmixed_precision: fp16\n"), "fp16"), "true");
  JobConfig no = parsed("distributed_type: DEEPSPEED\nmixed_precision: no\n");
  EXPECT_EQ(value(no, "bf16") + value(no, "fp16"), "(none)(none)") << "--bf16 decides";
  ASSERT_TRUE(no.precision.has_value());
  EXPECT_EQ(no.precision->value, "no");
  EXPECT_TRUE(no.precision->place.ends_with("c.yaml:2: mixed_precision")) << no.precision->place;
  JobConfig old = parsed("distributed_type: DEEPSPEED\nfp16: true\n");
  EXPECT_EQ(value(old, "fp16"), "true") << "old files";
  EXPECT_EQ(old.precision->place, old.wish("fp16")->place);
  EXPECT_FALSE(parsed("distributed_type: DEEPSPEED\nfp16: false\n").precision.has_value());
  EXPECT_EQ(value(parsed("distributed_type: DEEPSPEED\n"), "bf16"), "(none)");
  EXPECT_ERROR(read("distributed_type: DEEPSPEED\nmixed_precision: fp8\n"), Config, "mixed_precision: is fp8, expected no or bf16 or fp16");
  EXPECT_ERROR(read("distributed_type: DEEPSPEED\nmixed_precision: true\n"), Config, "mixed_precision: is true");
}

TEST_F(AccelerateConfig, wordsInAnyCase) {
  EXPECT_EQ(value(parsed("distributed_type: DEEPSPEED\nmixed_precision: FP16\n"), "fp16"), "true");
  EXPECT_EQ(parsed("distributed_type: DEEPSPEED\nmixed_precision: No\n").precision->value, std::string("no"));
  EXPECT_EQ(value(parsed("distributed_type: deepspeed\ndeepspeed_config:\n  zero_stage: 3\n"), "zero_stage"), "3");
  EXPECT_EQ(value(parsed("distributed_type: multi_gpu\n"), "zero_stage"), "0");
  JobConfig offloads = parsed("distributed_type: DEEPSPEED\ndeepspeed_config:\n  zero_stage: 3\n  offload_optimizer_device: CPU\n"
                              "  offload_param_device: NONE\n");
  EXPECT_EQ(value(offloads, "offload_optimizer_device"), "cpu");
  EXPECT_EQ(value(offloads, "offload_param_device"), "(none)");
}

TEST_F(AccelerateConfig, unknownKeys) {
  EXPECT_ERROR(read("distributed_type: DEEPSPEED\nnum_proceses: 2\n"), UnknownKey,
               "c.yaml:2: num_proceses: is not a key of an Accelerate config, expected one that it has; did you mean "
               "num_processes");
  EXPECT_ERROR(read(kSharded + "  gradient_acumulation_steps: 4\n"), UnknownKey,
               "c.yaml:6: gradient_acumulation_steps: is not a key of deepspeed_config, expected one that it has; did "
               "you mean gradient_accumulation_steps");
  EXPECT_ERROR(read(kSharded + "zzz: 1\n"), UnknownKey, "drop it");
}

TEST_F(AccelerateConfig, wrongTypes) {
  EXPECT_ERROR(read("distributed_type: DEEPSPEED\nnum_processes: eight\n"), Config, "c.yaml:2: num_processes: is eight, expected a whole number");
  EXPECT_ERROR(read("distributed_type: DEEPSPEED\nnum_processes: [1]\n"), Config, "num_processes: is [1], expected a whole number");
  EXPECT_ERROR(read(kSharded + "  gradient_clipping: much\n"), Config, "gradient_clipping: is much, expected a number or auto");
  EXPECT_ERROR(read(kSharded + "  zero3_init_flag: maybe\n"), Config, "zero3_init_flag: is maybe, expected true or false");
}

TEST_F(AccelerateConfig, clipping) {
  EXPECT_EQ(value(parsed(kSharded + "  gradient_clipping: 0.5\n"), "max_grad_norm"), "0.5");
  EXPECT_EQ(value(parsed(kSharded + "  gradient_clipping: auto\n"), "max_grad_norm"), "(none)");
  JobConfig off = parsed(kSharded + "  gradient_clipping: 0\n");
  EXPECT_EQ(value(off, "max_grad_norm"), "0");
  EXPECT_TRUE(hasNote(off, "0 clips nothing here"));
}

TEST_F(AccelerateConfig, otherEngines) {
  for (const char *off :
       {"fsdp_config: {}", "megatron_lm_config: {}", "tpu_env: []", "tpu_use_cluster: false", "dynamo_backend: 'NO'", "commands: null",
        "tpu_name: null", "downcast_bf16: 'no'", "dynamo_config: {dynamo_backend: 'NO', dynamo_mode: default}", "fp8_config: {}"})
    EXPECT_TRUE(read(kSharded + off + "\n").ok()) << off;
  const std::pair<const char *, const char *> refused[] = {{"fsdp_config: {fsdp_version: 2}", "fsdp_config: is {fsdp_version: 2}, expected it off"},
                                                           {"tpu_use_cluster: true", "there are no TPUs here"},
                                                           {"dynamo_backend: INDUCTOR", "dynamo_backend: is INDUCTOR"},
                                                           {"dynamo_config: {dynamo_backend: INDUCTOR}", "dynamo_config: is"},
                                                           {"megatron_lm_config: {tp: 2}", "tensor and pipeline parallelism"},
                                                           {"parallelism_config: {parallelism_config_tp_size: 2}", "parallelism_config"},
                                                           {"downcast_bf16: true", "downcast_bf16"},
                                                           {"mpirun_config: {mpirun_ccl: 1}", "start zprun by mpirun yourself"}};
  for (const auto &[on, message] : refused)
    EXPECT_ERROR(read(kSharded + on + "\n"), Config, message);
}

TEST_F(AccelerateConfig, offload) {
  const std::string stage2 = "distributed_type: DEEPSPEED\ndeepspeed_config:\n  zero_stage: 2\n",
                    stage0 = "distributed_type: DEEPSPEED\ndeepspeed_config:\n  zero_stage: 0\n";
  for (const char *device : {"cpu", "nvme"}) {
    const std::string keys = std::string("  offload_param_device: ") + device + "\n  offload_param_nvme_path: /x\n";
    for (const std::string &stage : {stage2, stage0}) {
      JobConfig whole = parsed(stage + keys);
      EXPECT_EQ(value(whole, "offload_param_device") + value(whole, "nvme_path"), "(none)(none)");
      EXPECT_TRUE(hasNote(whole, "c.yaml:4: offload_param_device: parameters stay on the device at zero_stage")) << device;
    }
  }
  EXPECT_ERROR(read(stage2 + "  offload_optimizer_device: nvme\n"), Config,
               "offload_optimizer_device: is nvme at zero_stage 2, expected stage 3 for NVMe");
  EXPECT_ERROR(read(stage0 + "  offload_optimizer_device: cpu\n"), Config, "offload_optimizer_device: is cpu at zero_stage 0");
  EXPECT_ERROR(read(kSharded + "  offload_param_device: gpu\n"), Config, "offload_param_device: is gpu, expected none or cpu or nvme");
  EXPECT_TRUE(hasNote(parsed(kSharded + "  offload_param_nvme_path: /x\n"), "nothing goes to NVMe"));
  const std::string disk = "  offload_param_device: nvme\n  offload_param_nvme_path: /x\n  offload_optimizer_device: nvme\n";
  JobConfig config = parsed(kSharded + disk);
  EXPECT_EQ(value(config, "offload_param_device"), "nvme");
  EXPECT_EQ(value(config, "nvme_path"), "/x");
  JobConfig two = parsed(kSharded + disk + "  offload_optimizer_nvme_path: /y\n");
  EXPECT_EQ(value(two, "nvme_path"), "/x");
  EXPECT_TRUE(hasNote(two, "one directory holds all that goes to NVMe"));
  EXPECT_TRUE(read(kSharded + "  offload_param_device: none\n  offload_param_nvme_path: none\n").ok());
}

TEST_F(AccelerateConfig, jsonFile) {
  std::string json = folder.write("ds.json", "{\"zero_optimization\": {\"stage\": 1}, \"bf16\": {\"enabled\": \"auto\"}}");
  std::string start = "distributed_type: DEEPSPEED\nnum_processes: 2\ndeepspeed_config:\n  deepspeed_config_file: " + json + "\n";
  JobConfig config = parsed(start + "  zero3_init_flag: false\n");
  EXPECT_EQ(value(config, "zero_stage"), "1");
  EXPECT_EQ(value(config, "num_processes"), "2");
  // Accelerate: these would be ignored, so it refuses them.
  for (const char *key :
       {"zero_stage: 3", "gradient_accumulation_steps: 2", "gradient_clipping: 1.0", "offload_optimizer_device: none", "offload_param_device: none",
        "offload_optimizer_nvme_path: none", "offload_param_nvme_path: none", "zero3_save_16bit_model: true"})
    EXPECT_ERROR(read(start + "  " + key + "\n"), Config, "is set beside deepspeed_config_file");
  EXPECT_ERROR(read(start + "mixed_precision: bf16\n"), Config, "mixed_precision: is set beside deepspeed_config_file");
  EXPECT_ERROR(read("distributed_type: DEEPSPEED\ndeepspeed_config:\n  deepspeed_config_file: /nowhere.json\n"), FileMissing, "/nowhere.json");
}
