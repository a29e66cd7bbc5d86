#include "frontends/sft/SftJob.h"

#include <algorithm>
#include <filesystem>

#include "frontends/huggingface/LoraSettings.h"
#include "frontends/sft/ObjectFlags.h"
#include "frontends/sft/Settings.h"
#include "runtime/base/names.h"

namespace zp::fe {

namespace {

/// Flags whose other value would ask for something that isn't there.
const char *const kOnlyTrue[] = {"average_tokens_across_devices", "do_train", "save_safetensors"};

/// Flags of zprun that mean nothing without rows to evaluate.
const char *const kOfEvaluation[] = {"eval_strategy",         "eval_steps",       "eval_delay", "eval_on_start", "load_best_model_at_end",
                                     "metric_for_best_model", "greater_is_better"};

Status missing(const char *flag, const char *what) {
  return Status(ErrorCode::Usage, std::string("--") + flag + ": is missing, expected " + what + "; write --" + flag + " VALUE");
}

/// A name of the hub is no path here.
Status checkPath(const char *flag, const std::string &path, bool folder, const char *kind) {
  std::error_code ignored;
  if (folder ? std::filesystem::is_directory(path, ignored) : std::filesystem::exists(path, ignored))
    return Status();
  return Status(ErrorCode::FileMissing, std::string("--") + flag + ": '" + path + "' is not here, expected " +
                                            (folder ? "a directory" : "a file or a directory") + "; nothing is fetched from the hub: `hf download " +
                                            kind + path + " --local-dir DIR`, then give DIR");
}

Status takeFiles(const SftArguments &arguments, SftJob &job) {
  job.model = arguments.get("model_name_or_path");
  job.adapter = arguments.get("adapter_name_or_path");
  job.dataset = arguments.get("dataset_name");
  job.outputDir = arguments.get("output_dir");
  if (job.model.empty())
    return missing("model_name_or_path", "the model's directory");
  if (job.dataset.empty())
    return missing("dataset_name", "a data file or a directory of splits");
  if (job.outputDir.empty())
    return missing("output_dir", "where the adapter goes");
  ZP_RETURN_IF_ERROR(checkPath("model_name_or_path", job.model, /*folder=*/true, ""));
  ZP_RETURN_IF_ERROR(checkPath("dataset_name", job.dataset, /*folder=*/false, "--repo-type dataset "));
  return job.adapter.empty() ? Status() : checkPath("adapter_name_or_path", job.adapter, /*folder=*/true, "");
}

/// What import and a run would complain of, minutes later: LoRA's settings, and a disk that isn't there.
Status checkAhead(const SftJob &job) {
  const JobSettings &values = job.values;
  if (values.use_peft_lora && job.adapter.empty())
    ZP_RETURN_IF_ERROR(loraFromFlags(values).status());
  std::error_code ignored;
  const bool disk = values.offload_param_device == "nvme" || values.offload_optimizer_device == "nvme" || values.offload_activation_device == "nvme";
  if (!disk || std::filesystem::is_directory(values.nvme_path, ignored))
    return Status();
  std::string place = "--nvme_path";
  for (const ResolvedSetting &setting : job.settings)
    if (setting.name == "nvme_path")
      place = setting.origin;
  return Status(ErrorCode::DiskWrite,
                place + ": " + (values.nvme_path.empty() ? "is missing" : "'" + values.nvme_path + "' is no directory") +
                    ", expected one with room on a local disk for what is offloaded to nvme; make it, or give --nvme_path another");
}

/// As the guide's script: a split with `train` in its name, one with `test`.
Status takeSplits(const SftArguments &arguments, SftJob &job) {
  // The flag that asks for rows to evaluate.
  const std::string asks = arguments.get("eval_strategy", "no") != "no" ? "eval_strategy"
                           : arguments.isOn("eval_on_start")            ? "eval_on_start"
                           : arguments.isOn("do_eval")                  ? "do_eval"
                                                                        : "";
  std::error_code ignored;
  if (std::filesystem::is_regular_file(job.dataset, ignored)) {
    if (arguments.isOn("load_best_model_at_end"))
      return Status(ErrorCode::Config, "--load_best_model_at_end: is true, but " + job.dataset +
                                           " is one file, expected a test split that says which model is the best; give "
                                           "--dataset_name a directory of splits");
    if (!asks.empty())
      job.notes.push_back("--" + asks + ": nothing is evaluated, " + job.dataset + " is one file without a test split");
    return Status();
  }
  for (const std::string &name : splitCommaList(arguments.get("splits", "train,test"))) {
    bool train = name.find("train") != std::string::npos, test = name.find("test") != std::string::npos;
    if (!train && !test)
      return Status(ErrorCode::Config, "--splits: " + name + " is neither, expected train or test in a split's name; rename the split");
    (train ? job.trainSplit : job.testSplit) = name;
  }
  if (job.trainSplit.empty())
    return Status(ErrorCode::Config, "--splits: is " + arguments.get("splits") + ", expected a split with train in its name; add it");
  if (!asks.empty() && job.testSplit.empty())
    return Status(ErrorCode::Config,
                  "--" + asks + ": is " + arguments.get(asks) + " without a test split, expected one in --splits; add it, or drop --" + asks);
  if (asks.empty())
    job.testSplit.clear();
  job.evaluatesBetween = !asks.empty() && asks != "do_eval";
  job.evaluatesAfter = arguments.isOn("do_eval");
  return Status();
}

void takeDataFlags(const SftArguments &arguments, SftJob &job) {
  for (const ConfigKey &key : sftFlags().all()) {
    if ((key.use != KeyUse::Data && key.use != KeyUse::Both) || !arguments.given.count(key.name))
      continue;
    const std::string flag = std::string("--") + key.name, value = arguments.get(key.name);
    job.dataFlags.insert(job.dataFlags.end(), {flag, value});
    bool replaced = flag == "--packing" && arguments.given.count("eval_packing");
    if (!replaced)
      job.testDataFlags.insert(job.testDataFlags.end(), {flag, value});
  }
  if (arguments.given.count("eval_packing"))
    job.testDataFlags.insert(job.testDataFlags.end(), {"--packing", arguments.get("eval_packing")});
}

/// Texts with answers: lengths that zpdata would take from the data, or have a default of its own for, are the plan's.
void takeLengths(const SftArguments &arguments, SftJob &job) {
  auto add = [&](const char *flag, int64_t value) {
    for (std::vector<std::string> *flags : {&job.dataFlags, &job.testDataFlags})
      flags->insert(flags->end(), {flag, std::to_string(value)});
  };
  const std::string mode = arguments.get("mode", "sft");
  if (mode == "causal" && !arguments.given.count("max_length"))
    add("--max_length", job.values.max_length);
  if (mode == "seq2seq") {
    add("--max_source_length", job.values.max_source_length);
    add("--max_target_length", job.values.max_target_length);
  }
}

/// Reporters by commas or blanks; TensorBoard's events are files, everything else would be sent somewhere.
void takeReporters(const SftArguments &arguments, SftJob &job) {
  std::string rest;
  for (const std::string &name : splitCommaList(arguments.get("report_to", "none"))) {
    if (name == "tensorboard" || name == "all")
      job.runFlags.insert(job.runFlags.end(), {"--report_to", "tensorboard"});
    else if (name != "none")
      rest += (rest.empty() ? "" : ", ") + name;
  }
  if (!rest.empty())
    job.notes.push_back("--report_to: nothing is sent to " + rest + "; tensorboard's events and metrics.jsonl are files");
}

/// True stands for the latest, as in the reference.
void takeRunFlags(const SftArguments &arguments, SftJob &job) {
  for (const ConfigKey &key : sftFlags().all()) {
    const bool ofEvaluation = std::find(std::begin(kOfEvaluation), std::end(kOfEvaluation), std::string(key.name)) != std::end(kOfEvaluation);
    if (key.use == KeyUse::Run && arguments.given.count(key.name) && (job.evaluatesBetween || !ofEvaluation))
      job.runFlags.insert(job.runFlags.end(), {std::string("--") + key.name, arguments.get(key.name)});
  }
  takeReporters(arguments, job);
  if (arguments.isOn("push_to_hub")) {
    job.runFlags.insert(job.runFlags.end(), {"--push_to_hub", "true"});
    job.notes.push_back("--push_to_hub: nothing is sent; --output_dir is made ready for it, and a line says how it is pushed");
  }
  std::string resume = arguments.get("resume_from_checkpoint");
  if (std::optional<bool> word = boolWord(resume))
    resume = *word ? "latest" : "";
  if (!resume.empty())
    job.runFlags.insert(job.runFlags.end(), {"--resume_from_checkpoint", resume});
}

} // namespace

StatusOr<SftJob> resolveJob(const SftArguments &arguments, const JobConfig &config) {
  SftJob job;
  job.notes = config.notes;
  job.notes.insert(job.notes.end(), arguments.notes.begin(), arguments.notes.end());
  for (const char *flag : kOnlyTrue)
    if (arguments.get(flag, "true") != "true")
      return Status(ErrorCode::Config, std::string("--") + flag + ": is false, expected true; " + sftFlags().find(flag)->note);
  ZP_RETURN_IF_ERROR(checkObjectFlags(arguments, job.notes));
  ZP_RETURN_IF_ERROR(takeFiles(arguments, job));
  job.chatFormat = arguments.get("chat_template_format", "none");
  ZP_RETURN_IF_ERROR(resolveSettings(arguments, config, job));
  ZP_RETURN_IF_ERROR(checkAhead(job));
  ZP_RETURN_IF_ERROR(takeSplits(arguments, job));
  takeDataFlags(arguments, job);
  takeLengths(arguments, job);
  takeRunFlags(arguments, job);
  job.gpuIds = config.gpuIds;
  job.dryRun = arguments.isOn("dry_run");
  job.quiet = arguments.isOn("quiet");
  job.overwrite = arguments.isOn("overwrite_output_dir");
  return job;
}

} // namespace zp::fe
