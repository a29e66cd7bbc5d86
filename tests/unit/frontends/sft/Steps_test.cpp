#include "frontends/sft/Steps.h"

#include <algorithm>

#include "tests/unit/frontends/support.h"

using namespace zp;
using namespace zp::fe;

static SftJob job(bool lora = true) {
  SftJob job;
  job.model = "m";
  job.dataset = "d";
  job.outputDir = "out";
  job.trainSplit = "train";
  job.testSplit = "test";
  job.evaluatesBetween = job.evaluatesAfter = true;
  job.settings = {{"lora_r", "8", "--lora_r"}};
  job.values.use_peft_lora = lora;
  job.values.num_processes = 2;
  return job;
}

static std::vector<std::string> lines(const SftJob &job) {
  std::vector<std::string> lines;
  for (const Step &step : stepsOf(job, {"/bin"}))
    lines.push_back(commandLine(step));
  return lines;
}

TEST(Steps, inOrder) {
  std::vector<std::string> expected = {"zpc import --model m --lora_r 8 -o out/.zp-cache/model.mlir",
                                       "zpc compile out/.zp-cache/model.mlir -o out/.zp-cache/plan.fb",
                                       "zpdata d --tokenizer m --splits train -o out/.zp-cache/tokens-train.safetensors",
                                       "zpdata d --tokenizer m --splits test -o out/.zp-cache/tokens-test.safetensors",
                                       "zprun out/.zp-cache/plan.fb --model m --dataset out/.zp-cache/tokens-train.safetensors -n 2 --output_dir out "
                                       "--eval_dataset out/.zp-cache/tokens-test.safetensors",
                                       "zprun eval out/.zp-cache/plan.fb --model m --dataset out/.zp-cache/tokens-test.safetensors "
                                       "--adapter_name_or_path out -n 2"};
  EXPECT_EQ(lines(job()), expected);
}

TEST(Steps, variants) {
  SftJob whole = job(/*lora=*/false);
  EXPECT_EQ(lines(whole).back(), "zprun eval out/.zp-cache/plan.fb --model out --dataset out/.zp-cache/tokens-test.safetensors -n 2");
  SftJob file = job();
  file.trainSplit = file.testSplit = "";
  file.evaluatesBetween = file.evaluatesAfter = false;
  EXPECT_EQ(lines(file).size(), 4u);
  EXPECT_EQ(lines(file)[2], "zpdata d --tokenizer m -o out/.zp-cache/tokens-train.safetensors");
  SftJob others = job();
  others.gpuIds = "0,1";
  others.adapter = "a dir";
  others.runFlags = {"--save_steps", "5"};
  others.evaluatesBetween = false;
  EXPECT_EQ(lines(others)[0], "zpc import --model m --adapter_name_or_path 'a dir' --lora_r 8 -o out/.zp-cache/model.mlir");
  EXPECT_EQ(lines(others)[4], "CUDA_VISIBLE_DEVICES=0,1 zprun out/.zp-cache/plan.fb --model m --dataset out/.zp-cache/tokens-train.safetensors "
                              "--adapter_name_or_path 'a dir' -n 2 --output_dir out --save_steps 5");
}

TEST(Steps, newTokens) {
  SftJob grown = job();
  grown.chatFormat = "chatml";
  grown.ownTokenizer = true;
  grown.vocabulary = 1030;
  std::vector<std::string> found = lines(grown);
  ASSERT_EQ(found.size(), 8u);
  EXPECT_EQ(found[0], "zpdata tokenizer --tokenizer m --chat_template_format chatml -o out");
  EXPECT_EQ(found[1], "zprun resize --model m --vocab_size 1030 --tokenizer out -o out/.zp-cache/model");
  EXPECT_EQ(found[4], "zpdata d --tokenizer out/.zp-cache/model --splits train -o out/.zp-cache/tokens-train.safetensors");
  EXPECT_EQ(found[2], "zpc import --model out/.zp-cache/model --lora_r 8 -o out/.zp-cache/model.mlir");
  EXPECT_EQ(found[6], "zprun out/.zp-cache/plan.fb --model out/.zp-cache/model --dataset out/.zp-cache/tokens-train.safetensors -n 2 "
                      "--output_dir out --tokenizer out --base_model_name_or_path m --eval_dataset out/.zp-cache/tokens-test.safetensors");
  EXPECT_EQ(found[7], "zprun eval out/.zp-cache/plan.fb --model out/.zp-cache/model --dataset out/.zp-cache/tokens-test.safetensors "
                      "--adapter_name_or_path out -n 2");
}

// The model has rows for them: the tokenizer is saved with what is trained, and that is all.
TEST(Steps, newTokensThatFit) {
  SftJob fits = job();
  fits.chatFormat = "zephyr";
  fits.ownTokenizer = true;
  std::vector<std::string> found = lines(fits);
  ASSERT_EQ(found.size(), 7u);
  EXPECT_EQ(found[0], "zpdata tokenizer --tokenizer m --chat_template_format zephyr -o out");
  EXPECT_EQ(found[1], "zpc import --model m --lora_r 8 -o out/.zp-cache/model.mlir");
  EXPECT_NE(found[5].find("--output_dir out --tokenizer out"), std::string::npos) << found[5];
}

// What a step makes is what a later one depends on.
TEST(Steps, inputsAreOutputs) {
  std::vector<Step> steps = stepsOf(job(), {"/bin"});
  auto depends = [&](size_t step, const std::string &path) {
    return std::any_of(steps[step].inputs.begin(), steps[step].inputs.end(), [&](const StepInput &input) { return input.path == path; });
  };
  EXPECT_TRUE(depends(1, steps[0].outputs[0])); // of the module the plan, of plan and tokens what is trained
  EXPECT_TRUE(depends(4, steps[1].outputs[0]));
  EXPECT_TRUE(depends(4, steps[2].outputs[0]));
  EXPECT_TRUE(depends(4, steps[3].outputs[0]));
  EXPECT_TRUE(depends(5, steps[3].outputs[0]));
  EXPECT_TRUE(depends(5, "out/adapter_model.safetensors"));
  EXPECT_FALSE(depends(5, "out/metrics.jsonl"));
}

TEST(Steps, quoting) {
  Step step;
  step.words = {"/a/b/tool", "plain-1.0=x", "two words", "it's", ""};
  EXPECT_EQ(commandLine(step), "tool plain-1.0=x 'two words' 'it'\\''s' ''");
}
