#include "frontends/huggingface/PeftImporter.h"

#include "tests/unit/frontends/support.h"

using namespace zp;
using namespace zp::fe;
using namespace zp::fe::test;

static const std::vector<std::string> kTargets = {"q_proj", "v_proj"};

static StatusOr<LoraSettings> importedAdapter(const std::string &keys, std::vector<std::string> *warnings = nullptr) {
  std::vector<std::string> ignored;
  std::string text = "{\"peft_type\": \"LORA\"" + (keys.empty() ? "" : ",\n" + keys) + "}";
  return importAdapterConfig(document(text, "adapter_config.json"), kTargets, warnings ? *warnings : ignored);
}

TEST(PeftImporter, missingKeysTakePeftsDefaults) {
  LoraSettings lora = *importedAdapter("");
  EXPECT_EQ(lora.rank, 8);
  EXPECT_EQ(lora.alpha.value, 8);
  EXPECT_EQ(lora.dropout.value, 0);
  EXPECT_EQ(lora.targets.names, kTargets);
  EXPECT_EQ(lora.bias, "none");
  EXPECT_EQ(lora.initial, "true");
  EXPECT_FALSE(lora.modulesToSave);
}

TEST(PeftImporter, aStringIsARegularExpression) {
  LoraSettings lora = *importedAdapter(R"("target_modules": "q_proj")");
  EXPECT_EQ(lora.targets.kind, ModuleChoice::Kind::Regex);
  EXPECT_EQ(importedAdapter(R"("target_modules": "All-Linear")")->targets.kind, ModuleChoice::Kind::AllLinear);
  EXPECT_EQ(importedAdapter(R"("exclude_modules": "x")")->excluded.kind, ModuleChoice::Kind::Regex);
}

TEST(PeftImporter, readsEveryHonouredKey) {
  LoraSettings lora = *importedAdapter(
      R"("r": 4, "lora_alpha": 6.5, "lora_dropout": 0.1, "bias": "all", "use_rslora": true, "init_lora_weights": "gaussian",
    "rank_pattern": {"z": 1, "a": 2}, "alpha_pattern": {"q": 3}, "layers_to_transform": 1, "layers_pattern": "layers", "modules_to_save": ["lm_head"],
    "target_modules": ["k_proj"], "revision": "main", "task_type": null)");
  EXPECT_EQ(lora.rank, 4);
  EXPECT_EQ(lora.alpha.value, 6.5);
  EXPECT_TRUE(lora.rankStabilised);
  EXPECT_EQ(lora.rankPattern, (PatternMap<int64_t>{{"z", 1}, {"a", 2}})); // in the file's order
  EXPECT_EQ(*lora.layers, std::vector<int64_t>{1});
  EXPECT_TRUE(lora.singleLayer && lora.singleLayersPattern);
  EXPECT_EQ(*lora.modulesToSave, std::vector<std::string>{"lm_head"});
  EXPECT_EQ(lora.initial, "gaussian");
  EXPECT_EQ(lora.recorded["revision"], "main");
  EXPECT_TRUE(lora.recorded["task_type"].is_null());
  EXPECT_EQ(importedAdapter(R"("init_lora_weights": false)")->initial, "false");
  EXPECT_EQ(importedAdapter(R"("init_lora_weights": "Gaussian")")->initial, "gaussian");
  EXPECT_EQ(importedAdapter(R"("init_lora_weights": "orthogonal")")->initial, "orthogonal"); // is drawn already
}

TEST(PeftImporter, refusesVariantsThatItDoesNotTrain) {
  for (const char *key :
       {R"("use_dora": true)", R"("lora_bias": true)", R"("layer_replication": [[0, 2]])", R"("trainable_token_indices": [1])",
        R"("target_parameters": ["x"])", R"("loftq_config": {"loftq_bits": 4})", R"("eva_config": {"rho": 2.0})", R"("corda_config": {"a": 1})",
        R"("lora_ga_config": {"a": 1})", R"("arrow_config": {"a": 1})", R"("use_bdlora": {"a": 1})", R"("alora_invocation_tokens": [1])",
        R"("use_qalora": true)", R"("megatron_config": {"a": 1})", R"("ensure_weight_tying": true)", R"("kasa_config": {"a": 1})",
        R"("velora_config": {"a": 1})", R"("monteclora_config": {"a": 1})"})
    EXPECT_ERROR(importedAdapter(key), Config, "adapter_config.json:2: ");
  EXPECT_TRUE(importedAdapter(R"("loftq_config": null, "eva_config": {}, "megatron_core": null, "fan_in_fan_out": true)").ok());
}

TEST(PeftImporter, errorsNameTheLine) {
  EXPECT_ERROR(importedAdapter(R"("r": 0)"), Config, "adapter_config.json:2: r: is 0");
  EXPECT_ERROR(importedAdapter(R"("r": "8")"), Json, "adapter_config.json:2: r: is \"8\"");
  EXPECT_ERROR(importedAdapter(R"("bias": "some")"), Config, "adapter_config.json:2: bias: is \"some\"");
  EXPECT_ERROR(importedAdapter(R"("lora_dropout": 1.0)"), Config, "adapter_config.json:2: lora_dropout");
  EXPECT_ERROR(importedAdapter(R"("init_lora_weights": "pissa")"), Config, "adapter_config.json:2: init_lora_weights: is \"pissa\"");
  EXPECT_ERROR(importedAdapter(R"("rank_pattern": {"q_proj": 0})"), Config, "adapter_config.json:2: rank_pattern");
  EXPECT_ERROR(importedAdapter(R"("rank_pattern": 3)"), Json, "adapter_config.json:2: rank_pattern");
  EXPECT_ERROR(importedAdapter(R"("target_modules": ".*q_proj", "layers_to_transform": [0])"), Config,
               "layers_to_transform: is set beside a regular expression");
  EXPECT_ERROR(importedAdapter(R"("target_modules": ["q_proj"], "layers_pattern": ["layers"])"), Config, "layers_pattern: is set without");
  EXPECT_ERROR(importedAdapter(R"("alpha_pattern": {"q_proj": null})"), Json, "adapter_config.json:2: alpha_pattern.q_proj: is null");
  EXPECT_ERROR(importedAdapter(R"("task_type": "FOO")"), Config, "adapter_config.json:2: task_type: is \"FOO\", expected CAUSAL_LM");
  EXPECT_ERROR(importedAdapter(R"("task_type": "SEQ_CLS")"), Config, "task_type: is \"SEQ_CLS\"");
  std::vector<std::string> none;
  EXPECT_ERROR(importAdapterConfig(document("{\n\"peft_type\": \"IA3\"}", "adapter_config.json"), kTargets, none), Config,
               "adapter_config.json:2: peft_type: is \"IA3\"");
  EXPECT_ERROR(importAdapterConfig(document("{}", "adapter_config.json"), kTargets, none), Config, "peft_type: is missing");
}

TEST(PeftImporter, unknownKeysAreDroppedWithAWarning) {
  std::vector<std::string> warnings;
  EXPECT_TRUE(importedAdapter(R"("lora_alpah": 3, "runtime_config": {})", &warnings).ok());
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_NE(warnings[0].find("adapter_config.json:2: lora_alpah: is no key that is known (lora_alpha is)"), std::string::npos) << warnings[0];
}
