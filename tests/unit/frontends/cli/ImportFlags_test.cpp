#include "frontends/cli/ImportFlags.h"

#include <type_traits>

#include "tests/unit/frontends/support.h"

using namespace zp;
using namespace zp::fe;

static ImportOptions parsed(const std::vector<std::string> &words) {
  StatusOr<ImportOptions> options = parseImportFlags(words);
  EXPECT_TRUE(options.ok()) << options.status().toString();
  return options.ok() ? *options : ImportOptions();
}

static std::string textOf(int64_t) { return "77"; }
static std::string textOf(double) { return "0.25"; }
static std::string textOf(bool value) { return value ? "false" : "true"; }
static std::string textOf(const std::string &) { return "words"; }

TEST(ImportFlags, everySettingHasItsFlag) {
  JobSettings().forEach([](const char *name, const auto &initial, const char *) {
    JobSettings settings = parsed({std::string("--") + name, textOf(initial)}).settings;
    settings.forEach([&](const char *other, const auto &value, const char *) {
      if constexpr (std::is_same_v<decltype(value), decltype(initial)>)
        if (name == std::string(other)) {
          EXPECT_NE(value, initial) << name;
        }
    });
  });
}

static std::vector<const char *> wrongOf(int64_t) { return {"many", "", "1.5", "1e", "0x10", " 1", "1 2", "99999999999999999999"}; }
static std::vector<const char *> wrongOf(double) { return {"many", "", "nan", "inf", "-inf", "1e999", "1,5", "0.5 "}; }
static std::vector<const char *> wrongOf(bool) { return {"maybe", "", "2", "tru", "none"}; }
static std::vector<const char *> wrongOf(const std::string &) { return {}; } // the verifier's

TEST(ImportFlags, everySettingRefusesAnotherType) {
  JobSettings().forEach([](const char *name, const auto &initial, const char *) {
    const std::string flag = std::string("--") + name;
    for (const char *wrong : wrongOf(initial))
      EXPECT_ERROR(parseImportFlags({flag + "=" + wrong}), Usage, flag + ": is '" + wrong + "', expected ");
    if (!std::is_same_v<std::decay_t<decltype(initial)>, bool>) {
      EXPECT_ERROR(parseImportFlags({flag}), Usage, flag + ": has no value, expected ");
    }
  });
}

TEST(ImportFlags, spellings) {
  ImportOptions options =
      parsed({"--model", "dir", "--lora-r", "4", "--learning_rate=1e-4", "--lora_target_modules", "a,b", "--max_steps", "-1", "-o", "m.mlir"});
  EXPECT_EQ(options.model, "dir");
  EXPECT_EQ(options.output, "m.mlir");
  EXPECT_EQ(options.settings.lora_r, 4);
  EXPECT_EQ(options.settings.learning_rate, 1e-4);
  EXPECT_EQ(options.settings.lora_target_modules, "a,b");
  EXPECT_EQ(options.settings.max_steps, -1);
  EXPECT_TRUE(options.given.count("lora_r"));
  EXPECT_FALSE(options.given.count("lora_alpha"));
  EXPECT_EQ(parsed({"--model_name_or_path=x=y"}).model, "x=y");
  EXPECT_EQ(parsed({"--max_seq_len", "7"}).settings.max_length, 7);
  EXPECT_EQ(parsed({"--max-seq-length", "8"}).settings.max_length, 8);
}

TEST(ImportFlags, booleans) {
  for (const char *yes : {"true", "True", "YES", "t", "y", "1"})
    EXPECT_TRUE(parsed({"--bf16", yes}).settings.bf16) << yes;
  for (const char *no : {"false", "No", "f", "N", "0"})
    EXPECT_FALSE(parsed({"--use_peft_lora", no}).settings.use_peft_lora) << no;
  EXPECT_TRUE(parsed({"--bf16"}).settings.bf16);
  ImportOptions options = parsed({"--bf16", "--lora_r", "2", "--dataloader_drop_last", "-o", "m.mlir"});
  EXPECT_TRUE(options.settings.bf16 && options.settings.dataloader_drop_last);
  EXPECT_EQ(options.settings.lora_r, 2);
  EXPECT_EQ(options.output, "m.mlir");
}

TEST(ImportFlags, gradientCheckpointingMeansBlock) {
  EXPECT_EQ(parsed({"--gradient_checkpointing"}).settings.rematerialize, "block");
  EXPECT_EQ(parsed({"--gradient_checkpointing", "false"}).settings.rematerialize, "none");
  EXPECT_EQ(parsed({"--rematerialize", "block", "--gradient_checkpointing"}).settings.rematerialize, "block");
  EXPECT_EQ(parsed({"--rematerialize", "selective", "--gradient_checkpointing"}).settings.rematerialize, "selective");
  EXPECT_ERROR(parseImportFlags({"--rematerialize", "selective", "--gradient_checkpointing", "false"}), Config,
               "--gradient_checkpointing: means --rematerialize none");
  EXPECT_EQ(parsed({"--activation_offloading"}).settings.offload_activation_device, "cpu");
  EXPECT_EQ(parsed({"--activation_offloading", "--offload_activation_device", "nvme"}).settings.offload_activation_device, "nvme");
  EXPECT_ERROR(parseImportFlags({"--activation_offloading", "false", "--offload_activation_device", "cpu"}), Config,
               "--activation_offloading: is false beside --offload_activation_device cpu");
  EXPECT_ERROR(parseImportFlags({"--rematerialize", "none", "--gradient_checkpointing"}), Config, "--gradient_checkpointing: means");
}

TEST(ImportFlags, eightBitsAreRefused) {
  EXPECT_ERROR(parseImportFlags({"--use_8bit_quantization"}), Config,
               "--use_8bit_quantization: is not supported, expected weights in 4 bits or in floating "
               "point; use --use_4bit_quantization");
  EXPECT_ERROR(parseImportFlags({"--use_8bit_quantization", "True", "--use_4bit_quantization", "True"}), Config,
               "--use_8bit_quantization: is set beside --use_4bit_quantization, expected one");
  EXPECT_TRUE(parsed({"--use_8bit_quantization", "False", "--use_4bit_quantization", "True"}).settings.use_4bit_quantization);
}

TEST(ImportFlags, errors) {
  EXPECT_ERROR(parseImportFlags({"--learnin_rate", "1"}), UnknownKey,
               "--learnin_rate: is not a flag of zpc import, expected a setting's name; did you "
               "mean --learning_rate");
  EXPECT_ERROR(parseImportFlags({"--zzz"}), UnknownKey, "see zpc import --help");
  EXPECT_ERROR(parseImportFlags({"model"}), Usage, "'model' is no flag");
  EXPECT_ERROR(parseImportFlags({"--lora_r"}), Usage, "--lora_r: has no value, expected a whole number");
  EXPECT_ERROR(parseImportFlags({"--lora_r", "--bf16"}), Usage, "--lora_r: has no value");
  EXPECT_ERROR(parseImportFlags({"--model", "-o", "x"}), Usage, "--model: has no value");
  EXPECT_ERROR(parseImportFlags({"--lora_r", "eight"}), Usage, "--lora_r: is 'eight', expected a whole number");
  EXPECT_ERROR(parseImportFlags({"--lora_r", "8.5"}), Usage, "--lora_r: is '8.5'");
  EXPECT_ERROR(parseImportFlags({"--lora_r", "99999999999999999999"}), Usage, "--lora_r");
  EXPECT_ERROR(parseImportFlags({"--learning_rate", "nan"}), Usage, "--learning_rate: is 'nan', expected a number");
  EXPECT_ERROR(parseImportFlags({"--bf16", "maybe"}), Usage, "--bf16: is 'maybe', expected true or false");
  EXPECT_ERROR(parseImportFlags({"--bf16="}), Usage, "--bf16: is ''");
}

TEST(ImportFlags, helpNamesEverySetting) {
  std::string help = importHelp();
  JobSettings().forEach(
      [&](const char *name, const auto &, const char *) { EXPECT_NE(help.find(std::string("--") + name + " "), std::string::npos) << name; });
}
