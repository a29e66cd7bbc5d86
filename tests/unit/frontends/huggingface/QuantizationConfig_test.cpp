#include "frontends/huggingface/QuantizationConfig.h"

#include "frontends/huggingface/ModelImporter.h"
#include "tests/unit/frontends/support.h"

using namespace zp;
using namespace zp::fe;
using namespace zp::fe::test;

namespace {

StatusOr<std::optional<CheckpointQuantization>> found(const std::string &keys) {
  return importQuantization(document("{\"model_type\": \"llama\",\n\"quantization_config\": {\n" + keys + "}}"));
}

class Prequantised : public ::testing::Test {
protected:
  /// A config.json alone, as transformers 5.23 writes it.
  StatusOr<ImportedModel> imported(const JobSettings &settings, const std::set<std::string> &given, const std::string &compute = "float32") {
    folder.write("config.json", R"({"model_type": "llama", "num_hidden_layers": 2, "hidden_size": 8,
      "intermediate_size": 12, "num_attention_heads": 2,
      "quantization_config": {"_load_in_4bit": true, "_load_in_8bit": false, "bnb_4bit_compute_dtype": ")" +
                                    compute + R"(",
        "bnb_4bit_quant_storage": "bfloat16", "bnb_4bit_quant_type": "fp4", "bnb_4bit_use_double_quant": true,
        "llm_int8_enable_fp32_cpu_offload": false, "llm_int8_has_fp16_weight": false,
        "llm_int8_skip_modules": ["lm_head", "layers.1.mlp.up_proj", "vision_tower"], "llm_int8_threshold": 6.0,
        "load_in_4bit": true, "load_in_8bit": false, "quant_method": "bitsandbytes"}})");
    return importModel({folder.path, "", settings, given});
  }
  static JobSettings settings() {
    JobSettings settings;
    settings.max_length = 16;
    return settings;
  }
  TemporaryFolder folder;
};

} // namespace

TEST(QuantizationConfig, absentInFloatingPoint) {
  auto none = importQuantization(document(R"({"model_type": "llama", "quantization_config": null})"));
  ASSERT_TRUE(none.ok());
  EXPECT_FALSE(none->has_value());
}

// BitsAndBytesConfig's defaults stand for absent keys; old files don't name the method.
TEST(QuantizationConfig, defaults) {
  auto four = found(R"("load_in_4bit": true)");
  ASSERT_TRUE(four.ok()) << four.status().toString();
  EXPECT_EQ((*four)->quantType, "fp4");
  EXPECT_EQ((*four)->storage, "uint8");
  EXPECT_EQ((*four)->computeDtype, "float32");
  EXPECT_FALSE((*four)->nested);
  EXPECT_FALSE((*four)->skipped.has_value());
}

TEST(QuantizationConfig, refusesWhatIsNotRead) {
  EXPECT_ERROR(found(R"("quant_method": "gptq", "bits": 4)"), UnknownArchitecture,
               "config.json:3: quantization_config.quant_method: is \"gptq\", expected \"bitsandbytes\"; use the model "
               "that it was quantised from with --use_4bit_quantization");
  EXPECT_ERROR(found(R"("quant_method": "bitsandbytes", "load_in_8bit": true)"), UnknownArchitecture,
               "config.json:3: quantization_config.load_in_8bit: is true, expected weights in 4 bits");
  EXPECT_ERROR(found(R"("load_in_4bit": true, "load_in_8bit": true)"), UnknownArchitecture, "load_in_8bit: is true");
  EXPECT_ERROR(found(R"("quant_method": "bitsandbytes")"), UnknownArchitecture, "quantization_config.load_in_4bit: is missing, expected true");
  EXPECT_ERROR(found(R"("load_in_4bit": true, "bnb_4bit_quant_type": "int4")"), UnknownArchitecture,
               "bnb_4bit_quant_type: is \"int4\", expected \"nf4\" or \"fp4\"");
  EXPECT_ERROR(found(R"("load_in_4bit": "yes")"), Json, "quantization_config.load_in_4bit: is \"yes\"");
  EXPECT_ERROR(found(R"("load_in_4bit": true, "llm_int8_skip_modules": "lm_head")"), Json, "llm_int8_skip_modules");
  EXPECT_ERROR(importQuantization(document(R"({"quantization_config": 4})")), Json, "config.json:1: quantization_config: is 4, expected an object");
}

TEST_F(Prequantised, theFileSaysTheFormat) {
  StatusOr<ImportedModel> model = imported(settings(), {});
  ASSERT_TRUE(model.ok()) << model.status().toString();
  EXPECT_TRUE(model->settings.use_4bit_quantization);
  EXPECT_TRUE(model->settings.bnb_4bit_prequantized);
  EXPECT_TRUE(model->settings.use_nested_quant);
  EXPECT_EQ(model->settings.bnb_4bit_quant_type, "fp4");
  EXPECT_EQ(model->settings.bnb_4bit_quant_storage_dtype, "bfloat16");
  EXPECT_EQ(model->settings.bnb_4bit_skip_modules, "lm_head,layers.1.mlp.up_proj,vision_tower");
  EXPECT_TRUE(model->warnings.empty()) << model->warnings[0];
  size_t fourBit = 0;
  for (const ModuleSpec &module : model->spec.modules)
    fourBit += module.fourBit;
  EXPECT_EQ(fourBit, 13u); // all linears of two layers but one
}

TEST_F(Prequantised, theFileWinsOverFlags) {
  JobSettings wanted = settings();
  wanted.bnb_4bit_quant_type = "nf4";
  wanted.bf16 = true;
  StatusOr<ImportedModel> model = imported(wanted, {"use_4bit_quantization", "bnb_4bit_quant_type", "use_nested_quant", "max_length"}, "bfloat16");
  ASSERT_TRUE(model.ok()) << model.status().toString();
  EXPECT_EQ(model->settings.bnb_4bit_quant_type, "fp4");
  ASSERT_EQ(model->warnings.size(), 1u);
  EXPECT_NE(model->warnings[0].find("config.json:3: quantization_config: the weights are quantised already, as it says; "
                                    "--use_4bit_quantization false, --bnb_4bit_quant_type 'nf4', "
                                    "--use_nested_quant false have no effect"),
            std::string::npos)
      << model->warnings[0];
  // Flags that agree need no word.
  wanted.use_4bit_quantization = wanted.use_nested_quant = true;
  wanted.bnb_4bit_quant_type = "fp4";
  model = imported(wanted, {"use_4bit_quantization", "bnb_4bit_quant_type", "use_nested_quant"}, "bfloat16");
  ASSERT_TRUE(model.ok());
  EXPECT_TRUE(model->warnings.empty()) << model->warnings[0];
}

TEST_F(Prequantised, theJobSaysTheComputeDtype) {
  StatusOr<ImportedModel> model = imported(settings(), {}, "bfloat16");
  ASSERT_TRUE(model.ok());
  ASSERT_EQ(model->warnings.size(), 1u);
  EXPECT_NE(model->warnings[0].find("quantization_config.bnb_4bit_compute_dtype: is \"bfloat16\", but this job computes "
                                    "in float32; --bf16 makes that bfloat16"),
            std::string::npos)
      << model->warnings[0];
  JobSettings wrong = settings();
  wrong.bnb_4bit_compute_dtype = "bfloat16";
  EXPECT_ERROR(imported(wrong, {"bnb_4bit_compute_dtype"}), Config, "is bfloat16 without --bf16");
}

TEST_F(Prequantised, isNotTrained) {
  JobSettings full = settings();
  full.use_peft_lora = false;
  EXPECT_ERROR(imported(full, {"use_peft_lora"}), Config, "--use_peft_lora false");
}

TEST_F(Prequantised, theFlagAloneIsNotEnough) {
  folder.write("config.json", R"({"model_type": "llama"})");
  JobSettings wanted = settings();
  wanted.bnb_4bit_prequantized = true;
  EXPECT_ERROR(importModel({folder.path, "", wanted}), Config,
               "--bnb_4bit_prequantized: is true, but " + folder.path + "/config.json has no quantization_config");
}
