#include "frontends/huggingface/FourBitModules.h"

#include "frontends/huggingface/ModelImporter.h"
#include "runtime/base/names.h"
#include "tests/unit/frontends/support.h"

using namespace zp;
using namespace zp::fe;
using namespace zp::fe::test;

namespace {

JobSettings fourBit() {
  JobSettings settings;
  settings.use_4bit_quantization = true;
  settings.max_length = 16;
  return settings;
}

class FourBitModules : public ::testing::Test {
protected:
  StatusOr<ImportedModel> imported(const JobSettings &settings) {
    folder.write("config.json", R"({"model_type": "llama", "num_hidden_layers": 2, "hidden_size": 8,
                                    "intermediate_size": 12, "num_attention_heads": 2})");
    return importModel({folder.path, "", settings});
  }
  TemporaryFolder folder;
};

} // namespace

// fixtures/four_bit_cases.json is what transformers and bitsandbytes make of the same lists.
TEST_F(FourBitModules, areThoseOfTheReference) {
  for (const auto &reference : fixture("four_bit_cases.json")) {
    folder.write("config.json", reference["config"]);
    JobSettings settings = fourBit();
    settings.bnb_4bit_skip_modules = joinNames(reference["skipped"].get<std::vector<std::string>>(), ",");
    StatusOr<ImportedModel> model = importModel({folder.path, "", settings});
    if (reference["idle"]) { // an entry means nothing, which the reference takes silently, as of a checkpoint
      EXPECT_ERROR(model, UnknownTarget, "means no linear");
      settings.bnb_4bit_skip_modules = "";
      model = importModel({folder.path, "", settings});
      ASSERT_TRUE(markFourBit(model->spec, reference["skipped"], "", /*all=*/false).ok());
    }
    ASSERT_TRUE(model.ok()) << reference["name"] << model.status().toString();
    std::vector<std::string> modules;
    for (const ModuleSpec &module : model->spec.modules)
      if (module.fourBit)
        modules.push_back(module.path);
    EXPECT_EQ(modules, reference["modules"].get<std::vector<std::string>>()) << reference["name"];
    if (reference["idle"])
      continue;
    EXPECT_EQ(model->counts.trained, reference["trained"].get<int64_t>()) << reference["name"];
    EXPECT_EQ(model->counts.all, reference["all"].get<int64_t>()) << reference["name"];
  }
}

TEST_F(FourBitModules, entriesThatMeanNothing) {
  JobSettings settings = fourBit();
  settings.bnb_4bit_skip_modules = "o_proj,o_porj";
  EXPECT_ERROR(imported(settings), UnknownTarget,
               "--bnb_4bit_skip_modules: 'o_porj' means no linear of LlamaForCausalLM, expected the end of a module's "
               "name or its beginning up to a dot; try o_proj");
  settings.bnb_4bit_skip_modules = "(o_proj";
  EXPECT_ERROR(imported(settings), Config, "--bnb_4bit_skip_modules: '(o_proj' is no regular expression");
}

TEST_F(FourBitModules, aWeightInFourBitsIsNotTrained) {
  JobSettings settings = fourBit();
  settings.lora_target_modules = "q_proj";
  settings.lora_modules_to_save = "o_proj";
  EXPECT_ERROR(imported(settings), Config,
               "--lora_modules_to_save: holds model.layers.0.self_attn.o_proj, whose weight is in 4 bits and can't be "
               "trained, expected modules in floats; add it to --bnb_4bit_skip_modules");
  settings.bnb_4bit_skip_modules = "o_proj";
  EXPECT_TRUE(imported(settings).ok()) << imported(settings).status().toString();
  settings.lora_modules_to_save = "lm_head,embed_tokens,norm";
  EXPECT_TRUE(imported(settings).ok()) << imported(settings).status().toString();
  settings.use_peft_lora = false;
  EXPECT_ERROR(imported(settings), Config, "--use_4bit_quantization: is true beside --use_peft_lora false");
}

TEST_F(FourBitModules, onlyWithTheFlag) {
  JobSettings settings = fourBit();
  settings.use_4bit_quantization = false;
  settings.use_nested_quant = true;
  settings.bnb_4bit_skip_modules = "o_porj";
  StatusOr<ImportedModel> model = imported(settings);
  ASSERT_TRUE(model.ok()) << model.status().toString();
  EXPECT_FALSE(model->spec.fourBit);
  for (const ModuleSpec &module : model->spec.modules)
    EXPECT_FALSE(module.fourBit);
}
