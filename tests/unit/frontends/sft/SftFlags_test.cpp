#include "frontends/sft/SftFlags.h"

#include <algorithm>

#include "runtime/schema/settings.h"
#include "tests/unit/frontends/sft/known_names.h"
#include "tests/unit/frontends/support.h"

using namespace zp;
using namespace zp::fe;

static SftArguments parsed(const std::vector<std::string> &words) {
  StatusOr<SftArguments> arguments = parseSftFlags(words);
  EXPECT_TRUE(arguments.ok()) << arguments.status().toString();
  return arguments.ok() ? *arguments : SftArguments();
}

/// A word that the row takes.
static std::string wordFor(const ConfigKey &key) {
  std::string accepted = key.accepted;
  if (key.use == KeyUse::Off || key.kind == ValueKind::Bool)
    return "False";
  return !accepted.empty() ? accepted.substr(0, accepted.find('|')) : key.kind == ValueKind::Text ? "word" : "1";
}

TEST(SftFlags, knowsEveryFlagOfTheScripts) {
  for (const std::string &name : test::knownNames("sft/flags.txt")) {
    StatusOr<SftArguments> bare = parseSftFlags({"--" + name, "@"});
    ErrorCode code = bare.ok() ? ErrorCode::Ok : bare.status().code();
    EXPECT_NE(code, ErrorCode::UnknownKey) << bare.status().toString();
  }
}

TEST(SftFlags, everySettingIsAFlag) {
  JobSettings().forEach([](const char *name, const auto &, const char *) {
    const ConfigKey *key = sftFlags().find(name);
    ASSERT_NE(key, nullptr) << name;
    EXPECT_NE(key->use, KeyUse::NoEffect) << name << ": what has become a setting has an effect";
    EXPECT_NE(key->use, KeyUse::Off) << name;
  });
}

TEST(SftFlags, whatHasNoEffectSaysWhy) {
  for (const ConfigKey &key : sftFlags().all()) {
    SftArguments arguments = parsed({std::string("--") + key.name, wordFor(key)});
    if (key.use != KeyUse::NoEffect)
      continue;
    ASSERT_EQ(arguments.notes.size(), 1u) << key.name;
    EXPECT_EQ(arguments.notes[0], "--" + std::string(key.name) + ": " + key.note);
    EXPECT_GT(std::string(key.note).size(), 10u) << key.name;
  }
}

TEST(SftFlags, spellings) {
  for (const char *name : {"--max_length", "--max_seq_len", "--max_seq_length", "--max-seq-len", "--max_seq"})
    EXPECT_EQ(parsed({name, "2048"}).get("max_length"), "2048") << name;
  EXPECT_EQ(parsed({"--max_len=2048"}).get("max_length"), "2048") << "a unique prefix";
  EXPECT_EQ(parsed({"--evaluation_strategy", "epoch"}).get("eval_strategy"), "epoch");
  EXPECT_EQ(parsed({"--learning-rate", "1e-4"}).get("learning_rate"), "1e-4");
  EXPECT_EQ(parsed({"--max_steps", "-1"}).get("max_steps"), "-1");
  EXPECT_EQ(parsed({"-n", "2"}).get("num_processes"), "2");
  EXPECT_EQ(parsed({"--seed", "1", "--seed", "2"}).get("seed"), "2") << "the last one counts";
}

TEST(SftFlags, booleans) {
  for (const char *yes : {"True", "true", "yes", "t", "y", "1"})
    EXPECT_EQ(parsed({"--packing", yes}).get("packing"), "true") << yes;
  for (const char *no : {"False", "no", "F", "n", "0"})
    EXPECT_EQ(parsed({"--packing", no}).get("packing"), "false") << no;
  SftArguments bare = parsed({"--packing", "--seed", "3", "--bf16"});
  EXPECT_TRUE(bare.isOn("packing"));
  EXPECT_TRUE(bare.isOn("bf16"));
  EXPECT_EQ(parsed({"--no_gradient_checkpointing"}).get("gradient_checkpointing"), "false");
  EXPECT_EQ(parsed({"--no-packing"}).get("packing"), "false");
  // A boolean to the reference's parser, a word in its file.
  EXPECT_EQ(parsed({"--include_num_input_tokens_seen", "--seed", "3"}).get("include_num_input_tokens_seen"), "true");
  EXPECT_EQ(parsed({"--include_num_input_tokens_seen", "non_padding"}).get("include_num_input_tokens_seen"), "non_padding");
}

// What the reference's parser takes with nargs="+".
TEST(SftFlags, lists) {
  EXPECT_EQ(parsed({"--label_names", "labels", "more", "--seed", "3"}).get("label_names"), "labels,more");
  EXPECT_EQ(parsed({"--label_names", "labels", "more", "--seed", "3"}).get("seed"), "3");
  EXPECT_EQ(parsed({"--lora_target_modules", "q_proj", "v_proj"}).get("lora_target_modules"), "q_proj,v_proj");
  EXPECT_EQ(parsed({"--debug", "underflow_overflow"}).notes.size(), 1u);
  EXPECT_ERROR(parseSftFlags({"--run_name", "a", "b"}), Usage, "'b' is no flag");
  test::TemporaryFolder folder;
  EXPECT_EQ(parsed({folder.write("list.json", "{\"label_names\": [\"a\", \"b\"]}")}).get("label_names"), "a,b");
  EXPECT_EQ(parsed({folder.write("reporters.json", "{\"report_to\": [\"tensorboard\", \"wandb\"]}")}).get("report_to"), "tensorboard,wandb");
  EXPECT_EQ(parsed({folder.write("none.json", "{\"report_to\": []}")}).get("report_to"), "");
  EXPECT_ERROR(parseSftFlags({"--report_to", "tensorboard", "wandb"}), Usage, "'wandb' is no flag");
  EXPECT_ERROR(parseSftFlags({folder.write("mixed.json", "{\"label_names\": [[1]]}")}), Config, "label_names: is a list");
}

TEST(SftFlags, anEmptyObjectIsOff) {
  EXPECT_TRUE(parseSftFlags({"--model_init_kwargs", "{}"}).ok());
  EXPECT_ERROR(parseSftFlags({"--model_init_kwargs", "{\"dtype\": \"bfloat16\"}"}), Config, "--model_init_kwargs: is {\"dtype\"");
  test::TemporaryFolder folder;
  EXPECT_TRUE(parseSftFlags({folder.write("empty.json", "{\"model_init_kwargs\": {}, \"fsdp_config\": {}}")}).ok());
}

TEST(SftFlags, noLimitOfCheckpoints) {
  for (const char *none : {"-1", "0"})
    EXPECT_EQ(parsed({"--save_total_limit", none}).get("save_total_limit"), "0") << "all are kept, as in the reference";
  EXPECT_EQ(parsed({"--save_total_limit", "2"}).get("save_total_limit"), "2");
}

TEST(SftFlags, theScriptsNameIsSkipped) {
  SftArguments arguments = parsed({"--config_file", "c.yaml", "train.py", "--seed", "3"});
  EXPECT_EQ(arguments.get("seed"), "3");
  EXPECT_EQ(arguments.notes.size(), 1u);
  EXPECT_ERROR(parseSftFlags({"train.py", "again.py"}), Usage, "'again.py' is no flag");
}

TEST(SftFlags, oneFileOfFlags) {
  test::TemporaryFolder folder;
  std::string file =
      folder.write("args.json", "{\"packing\": true, \"learning_rate\": 1e-4, \"splits\": \"train,test\", \"lora_r\": 8, \"run_name\": null}");
  SftArguments arguments = parsed({"--config_file", "c.yaml", "train.py", file});
  EXPECT_EQ(arguments.get("config_file"), "c.yaml");
  EXPECT_EQ(arguments.get("packing"), "true");
  EXPECT_EQ(arguments.get("lora_r"), "8");
  EXPECT_EQ(arguments.get("splits"), "train,test");
  EXPECT_EQ(arguments.given.count("run_name"), 0u);
  EXPECT_EQ(parsed({file}).get("lora_r"), "8");
  EXPECT_EQ(parsed({folder.write("object.json", "{\"lr_scheduler_kwargs\": {\"min_lr\": 1e-6}}")}).get("lr_scheduler_kwargs"), "{\"min_lr\":1e-06}");
  EXPECT_ERROR(parseSftFlags({folder.write("unknown.json", "{\n\"lora_r\": 4,\n\"foo_bar\": 1}")}), UnknownKey,
               "unknown.json:3: --foo_bar: is not a flag of zp sft");
  EXPECT_ERROR(parseSftFlags({folder.write("bad.json", "{\n\"lora_rr\": [1]}")}), Config, "bad.json:2: lora_rr: is a list");
  EXPECT_ERROR(parseSftFlags({"/nowhere.json"}), FileMissing, "/nowhere.json");
}

TEST(SftFlags, errors) {
  EXPECT_ERROR(parseSftFlags({"--learnin_rate", "1"}), UnknownKey,
               "--learnin_rate: is not a flag of zp sft, expected one of train.py or a setting; did you mean --learning_rate");
  EXPECT_ERROR(parseSftFlags({"--zzzzz"}), UnknownKey, "see zp sft --help");
  EXPECT_ERROR(parseSftFlags({"--lora_"}), Usage, "--lora_: could be --lora_alpha or --lora_alpha_pattern");
  EXPECT_ERROR(parseSftFlags({"stray"}), Usage, "'stray' is no flag");
  EXPECT_ERROR(parseSftFlags({"--lora_r"}), Usage, "--lora_r: has no value");
  EXPECT_ERROR(parseSftFlags({"--lora_r", "--bf16"}), Usage, "--lora_r: has no value");
  EXPECT_ERROR(parseSftFlags({"--lora_r", "eight"}), Usage, "--lora_r: is 'eight', expected a whole number");
  EXPECT_ERROR(parseSftFlags({"--packing", "perhaps"}), Usage, "--packing: is 'perhaps', expected true or false");
  EXPECT_ERROR(parseSftFlags({"--no_packing=true"}), Usage, "--no_packing: has a value");
  EXPECT_ERROR(parseSftFlags({"--log_level", "loud"}), Usage, "--log_level: is 'loud', expected debug or info");
  EXPECT_ERROR(parseSftFlags({"--chat_template_format", "llama"}), Usage, "expected chatml or zephyr or none");
  EXPECT_ERROR(parseSftFlags({"--optim", "adafactor"}), Usage, "--optim: is 'adafactor', expected adamw_torch or");
}

TEST(SftFlags, everyFlagRefusesAnotherType) {
  int tried = 0;
  for (const ConfigKey &key : sftFlags().all()) {
    const std::string flag = std::string("--") + key.name;
    if (key.use == KeyUse::Off) {
      EXPECT_ERROR(parseSftFlags({flag + "=perhaps"}), Config, flag + ": is perhaps, expected it off; ");
    } else if (key.kind != ValueKind::Text || *key.accepted) {
      EXPECT_ERROR(parseSftFlags({flag + "=perhaps"}), Usage, flag + ": is 'perhaps', expected ");
    } else {
      continue;
    }
    if (key.kind == ValueKind::Int && key.use != KeyUse::Off) {
      EXPECT_ERROR(parseSftFlags({flag + "=1.5"}), Usage, flag + ": is '1.5', expected a whole number");
    }
    if (key.kind != ValueKind::Bool) {
      EXPECT_ERROR(parseSftFlags({flag}), Usage, flag + ": has no value");
    }
    ++tried;
  }
  EXPECT_GT(tried, 120);
}

TEST(SftFlags, whatIsNotBuiltIsRefusedWhenItIsOn) {
  const std::pair<const char *, const char *> on[] = {{"--use_unsloth", "true"},           {"--use_8bit_quantization", "True"},
                                                      {"--neftune_noise_alpha", "5"},      {"--label_smoothing_factor", "0.1"},
                                                      {"--router_aux_loss_coef", "0.001"}, {"--fsdp", "full_shard"}};
  for (const auto &[flag, value] : on) {
    EXPECT_ERROR(parseSftFlags({flag, value}), Config, std::string(flag) + ": is " + value + ", expected it off; ");
    EXPECT_TRUE(parseSftFlags({flag, "0"}).ok()) << flag;
  }
}

TEST(SftFlags, helpNamesEveryFlag) {
  std::string help = sftHelp();
  for (const ConfigKey &key : sftFlags().all())
    EXPECT_NE(help.find(key.name), std::string::npos) << key.name;
}
