#include "frontends/sft/Steps.h"

namespace zp::fe {

namespace {

using Words = std::vector<std::string>;

Words joined(Words words, const Words &more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

/// The model that is trained: the user's, or one with rows for new tokens.
std::string modelOf(const SftJob &job) { return job.vocabulary ? cacheFolder(job) + "/model" : job.model; }

/// What zpdata makes rows of beside the data: its own modules, and what a tokenizer is read from; files that aren't there count as absent.
std::vector<StepInput> tokenizerFiles(const Tools &tools, const std::string &model) {
  std::vector<StepInput> inputs = {{tools.dataModules()}};
  for (const char *name :
       {"tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "chat_template.jinja", "config.json"})
    inputs.push_back({model + "/" + name});
  return inputs;
}

Step dataStep(const SftJob &job, const Tools &tools, const std::string &name, const std::string &split, const Words &flags,
              const std::string &output) {
  Step step;
  step.name = name;
  step.words = {tools.path("zpdata"), job.dataset, "--tokenizer", modelOf(job)};
  if (!split.empty())
    step.words = joined(step.words, {"--splits", split});
  step.words = joined(joined(step.words, flags), {"-o", output});
  step.inputs = tokenizerFiles(tools, modelOf(job));
  step.inputs.push_back({job.dataset});
  step.outputs = {output};
  return step;
}

/// The tokenizer goes where what is trained goes, as who loads that needs it; the model with rows for its tokens stays in the cache.
std::vector<Step> newTokenSteps(const SftJob &job, const Tools &tools) {
  if (!job.ownTokenizer)
    return {};
  Step tokenizer, resize;
  tokenizer.name = "tokenizer";
  tokenizer.words = {tools.path("zpdata"), "tokenizer", "--tokenizer", job.model, "--chat_template_format", job.chatFormat, "-o", job.outputDir};
  tokenizer.inputs = tokenizerFiles(tools, job.model);
  tokenizer.outputs = {job.outputDir + "/tokenizer.json", job.outputDir + "/tokenizer_config.json"};
  if (!job.vocabulary)
    return {tokenizer};
  resize.name = "resize";
  resize.words = {tools.path("zprun"), "resize",      "--model", job.model,   "--vocab_size", std::to_string(job.vocabulary),
                  "--tokenizer",       job.outputDir, "-o",      modelOf(job)};
  if (job.quiet)
    resize.words.push_back("--quiet");
  resize.inputs = {{job.model}};
  for (const std::string &file : tokenizer.outputs)
    resize.inputs.push_back({file});
  resize.outputs = {modelOf(job) + "/config.json"};
  return {tokenizer, resize};
}

Step importStep(const SftJob &job, const Tools &tools, const std::string &output) {
  Step step;
  step.name = "import";
  step.words = {tools.path("zpc"), "import", "--model", modelOf(job)};
  step.inputs = {{modelOf(job), /*headersOnly=*/true}};
  if (!job.adapter.empty()) {
    step.words = joined(step.words, {"--adapter_name_or_path", job.adapter});
    step.inputs.push_back({job.adapter, /*headersOnly=*/true});
  }
  for (const ResolvedSetting &setting : job.settings)
    step.words = joined(step.words, {"--" + setting.name, setting.value});
  step.words = joined(step.words, {"-o", output});
  step.outputs = {output};
  return step;
}

/// What zprun gets in training as in evaluation.
Step runStep(const SftJob &job, const Tools &tools, const std::string &name, const std::string &plan, const std::string &tokens) {
  Step step;
  step.name = name;
  step.words = {tools.path("zprun")};
  if (name == "evaluate")
    step.words.push_back("eval");
  const bool trained = name == "evaluate", whole = !job.values.use_peft_lora;
  const std::string model = trained && whole ? job.outputDir : modelOf(job);
  step.words = joined(step.words, {plan, "--model", model, "--dataset", tokens});
  step.inputs = {{plan}, {tokens}, {modelOf(job)}};
  std::string adapter = trained && !whole ? job.outputDir : trained ? "" : job.adapter;
  if (!adapter.empty())
    step.words = joined(step.words, {"--adapter_name_or_path", adapter});
  if (!job.adapter.empty())
    step.inputs.push_back({job.adapter});
  step.words = joined(step.words, {"-n", std::to_string(job.values.num_processes)});
  if (job.quiet)
    step.words.push_back("--quiet");
  if (!job.gpuIds.empty())
    step.environment.emplace_back("CUDA_VISIBLE_DEVICES", job.gpuIds);
  return step;
}

std::vector<std::string> trainedFiles(const SftJob &job) {
  std::vector<std::string> files;
  for (const char *name : {"adapter_config.json", "adapter_model.safetensors"})
    files.push_back(job.outputDir + "/" + name);
  if (!job.values.use_peft_lora)
    files = {job.outputDir + "/config.json", job.outputDir + "/model.safetensors", job.outputDir + "/model.safetensors.index.json"};
  return joined(files, {job.outputDir + "/metrics.jsonl", job.outputDir + "/summary.json"});
}

} // namespace

std::string cacheFolder(const SftJob &job) { return job.outputDir + "/.zp-cache"; }

std::vector<Step> stepsOf(const SftJob &job, const Tools &tools) {
  const std::string cache = cacheFolder(job), plan = cache + "/plan.fb", module = cache + "/model.mlir", tokens = cache + "/tokens-train.safetensors",
                    testTokens = cache + "/tokens-test.safetensors";
  std::vector<Step> steps = newTokenSteps(job, tools);
  // What is wrong with settings or too large is told within seconds: texts take longer.
  steps.push_back(importStep(job, tools, module));
  steps.push_back({"compile", {tools.path("zpc"), "compile", module, "-o", plan}, {}, {{module}}, {plan}, ""});
  steps.push_back(dataStep(job, tools, "data", job.trainSplit, job.dataFlags, tokens));
  if (!job.testSplit.empty())
    steps.push_back(dataStep(job, tools, "test data", job.testSplit, job.testDataFlags, testTokens));

  Step train = runStep(job, tools, "train", plan, tokens);
  train.words = joined(joined(train.words, {"--output_dir", job.outputDir}), job.runFlags);
  if (job.ownTokenizer) {
    train.words = joined(train.words, {"--tokenizer", job.outputDir});
    train.inputs.push_back({job.outputDir + "/tokenizer.json"});
  }
  if (job.vocabulary)
    train.words = joined(train.words, {"--base_model_name_or_path", job.model});
  if (job.evaluatesBetween) {
    train.words = joined(train.words, {"--eval_dataset", testTokens});
    train.inputs.push_back({testTokens});
  }
  train.outputs = trainedFiles(job);
  steps.push_back(train);
  if (job.evaluatesAfter) {
    Step evaluate = runStep(job, tools, "evaluate", plan, testTokens);
    for (const std::string &file : train.outputs)
      if (file.find("model") != std::string::npos)
        evaluate.inputs.push_back({file});
    evaluate.report = job.outputDir + "/eval_results.json";
    evaluate.outputs = {evaluate.report};
    steps.push_back(evaluate);
  }
  return steps;
}

} // namespace zp::fe
