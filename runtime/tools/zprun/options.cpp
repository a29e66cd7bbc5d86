#include "runtime/tools/zprun/options.h"

#include <algorithm>
#include <map>
#include <vector>

#include <CLI/CLI.hpp>

#include "runtime/base/names.h"
#include "runtime/base/version.h"

namespace zp::rt {

namespace {

const char *const kTrainHelp =
    "Examples:\n"
    "  zprun plan.fb --model DIR --dataset tokens.safetensors --output_dir out -n 2\n"
    "  mpirun -np 4 zprun plan.fb --model DIR --dataset tokens.safetensors --output_dir out\n"
    "  zprun plan.fb --model DIR --dataset tokens.safetensors --output_dir out --resume_from_checkpoint latest\n"
    "  zprun eval plan.fb --model DIR --dataset tokens.safetensors --adapter_name_or_path out\n"
    "  zprun bench plan.fb\n"
    "  zprun plan.fb --model DIR --dataset tokens.safetensors --output_dir out --eval_dataset test.safetensors --eval_strategy epoch\n"
    "  zprun quantize --model DIR -o DIR-4bit\n"
    "  zprun merge --model DIR --adapter_name_or_path out -o DIR-merged\n"
    "Other verbs: zprun eval --help, zprun generate --help, zprun bench --help, zprun merge --help, zprun quantize --help, zprun resize --help";
const char *const kEvalHelp = "Examples:\n"
                              "  zprun eval plan.fb --model DIR --dataset tokens.safetensors --adapter_name_or_path out\n"
                              "  zprun eval plan.fb --model DIR --dataset tokens.safetensors --adapter off --logits logits.safetensors --rows 2";
const char *const kGenerateHelp =
    "Examples:\n"
    "  zprun generate plan.fb --model DIR --adapter_name_or_path out --prompts prompts.safetensors -o out.jsonl\n"
    "  zprun generate plan.fb --model DIR --prompts prompts.safetensors -o out.jsonl --do_sample true --temperature 0.7 --top_p 0.9 -n 2\n"
    "The plan is made with zpc import --generate true, the prompts by zpdata prompts; zpdata text prints what comes out.";
const char *const kBenchHelp =
    "Examples:\n  zprun bench plan.fb --steps 20\n  zprun bench generating.fb --steps 5      new tokens a second: of a plan made with zpc import "
    "--generate true\n  zprun bench qlora.fb --against lora.fb\n  zprun bench plan.fb -n 2 --calibrate machine.yaml";
const char *const kMergeHelp =
    "Example:\n  zprun merge --model DIR --adapter_name_or_path out -o DIR-merged\n"
    "A base in 4 bits is dequantized, and the result is in the dtype that it was quantized from; with --requantize true it stays in 4 bits.";
const char *const kQuantizeHelp =
    "Example:\n  zprun quantize --model DIR -o DIR-4bit --use_nested_quant true --bnb_4bit_compute_dtype bfloat16 --dtype bfloat16";

const char *const kResizeHelp = "Example:\n  zprun resize --model DIR --vocab_size 32005 -o DIR-chatml\n"
                                "New rows are the mean of the old ones; zpdata says when a tokenizer needs them.";

struct VerbText {
  Verb verb;
  const char *word, *does, *footer;
};
constexpr VerbText kVerbs[] = {{Verb::Train, "", "Trains by a plan.", kTrainHelp},
                               {Verb::Eval, "eval", "Evaluates by a plan.", kEvalHelp},
                               {Verb::Generate, "generate", "Continues prompts by a plan that generates.", kGenerateHelp},
                               {Verb::Bench, "bench", "Times a plan.", kBenchHelp},
                               {Verb::Merge, "merge", "Writes a model's directory with a LoRA adapter added to its weights.", kMergeHelp},
                               {Verb::Quantize, "quantize", "Writes a model's directory with the weights of its linears in 4 bits.", kQuantizeHelp},
                               {Verb::Resize, "resize", "Writes a model's directory with embeddings of more tokens.", kResizeHelp}};

/// AsSizeValue alone takes -1 for 2^64-1.
void addShardSize(CLI::App &app, uint64_t &bytes, const char *text) {
  const CLI::Validator positive([](std::string &size) { return std::string(size.starts_with('-') ? size + " is negative" : ""); }, "");
  app.add_option("--max_shard_size", bytes, text)->transform(CLI::AsSizeValue(true))->transform(positive)->group("Data");
}

void addQuantizeOptions(CLI::App &app, QuantizeOptions &o) {
  const CLI::IsMember floats({"float32", "bfloat16", "float16"});
  const std::vector<std::string> storages = {
#define ZP_QUANT_STORAGE(label, name) name,
#include "runtime/schema/quant_storages.inc"
#undef ZP_QUANT_STORAGE
  };
  app.add_option("--model", o.model, "directory of the model")->required()->group("Data");
  app.add_option("-o,--output_dir", o.output, "directory to write")->required()->group("Data");
  addShardSize(app, o.maxShardBytes, "bytes of a file; 50GB");
  app.add_option("--bnb_4bit_quant_type", o.quantType, "nf4 or fp4")->check(CLI::IsMember({"nf4", "fp4"}))->group("Format");
  app.add_option("--use_nested_quant", o.nested, "quantize the scales too")->group("Format");
  app.add_option("--bnb_4bit_quant_storage_dtype", o.storageDtype, "what the codes are labelled as; uint8")
      ->check(CLI::IsMember(storages))
      ->group("Format");
  app.add_option("--bnb_4bit_compute_dtype", o.computeDtype, "what config.json says that products are taken in; float32")
      ->check(floats)
      ->group("Format");
  app.add_option("--dtype,--torch_dtype", o.dtype, "of the other tensors, and of weights before they are quantized; the model's own")
      ->check(floats)
      ->group("Format");
  app.add_flag("--quiet", o.quiet, "no progress");
}

CLI::Option *atLeast(CLI::Option *option, long long least) {
  return option->check([least](const std::string &text) {
    char *end = nullptr;
    const long long value = std::strtoll(text.c_str(), &end, 10);
    const bool number = end != text.c_str() && *end == 0; // of other words CLI11 complains itself
    return number && value < least ? "is " + text + ", expected " + std::to_string(least) + " or more" : std::string();
  });
}
/// A number of an unsigned type is not to be a negative one turned round.
template <typename T> void refuseNegative(CLI::Option *option) {
  if constexpr (std::is_unsigned_v<T> && !std::is_same_v<T, bool>)
    atLeast(option, 0);
}
template <typename T> void addGenerationOption(CLI::App &app, const std::string &name, std::optional<T> &value, const char *does) {
  refuseNegative<T>(app.add_option(name, value, does)->group("Generation"));
}
template <typename T> void addGenerationOption(CLI::App &app, const std::string &name, std::vector<T> &value, const char *does) {
  CLI::Option *option = app.add_option(name, value, does)->group("Generation")->allow_extra_args(false);
  refuseNegative<T>(option);
  if constexpr (std::is_integral_v<T>)
    option->delimiter(',');
}
void addGenerationOption(CLI::App &app, const std::string &name, std::optional<EarlyStopping> &value, const char *does) {
  const std::map<std::string, EarlyStopping> words = {{"true", EarlyStopping::Yes}, {"false", EarlyStopping::No}, {"never", EarlyStopping::Never}};
  app.add_option_function<std::string>(
         name, [&value, words](const std::string &word) { value = words.at(word); }, does)
      ->check(CLI::IsMember({"true", "false", "never"}))
      ->group("Generation");
}

void addGenerationOptions(CLI::App &app, ZprunOptions &o) {
  GenerationFlags &flags = o.generation;
  app.add_option("--prompts", o.prompts, "token file of zpdata prompts")->required()->group("Data");
  app.add_option("-o,--output", o.continuations, "file for a line of JSON a prompt: its new tokens")->required()->group("Data");
  app.add_option("--stream_tokens", o.streamTokens, "true: each token on standard output as it comes, for zpdata text - --stream; no report")
      ->group("Logging");
  auto add = [&](const char *name, auto &value, const char *does) { addGenerationOption(app, std::string("--") + name, value, does); };
#define ZP_GENERATION(name, kind, initial, doc) add(#name, flags.name, doc);
#include "runtime/schema/generation.inc"
#undef ZP_GENERATION
  app.add_option("--seed", flags.seed, "of the draws; 42")->group("Generation");
}

void addMergeOptions(CLI::App &app, MergeOptions &o) {
  app.add_option("--model", o.model, "directory of the base model")->required()->group("Data");
  app.add_option("--adapter_name_or_path", o.adapter, "directory of the adapter")->required()->group("Data");
  app.add_option("-o,--output_dir", o.output, "directory to write")->required()->group("Data");
  addShardSize(app, o.maxShardBytes, "bytes of a file; 5GB");
  auto *dtype = app.add_option("--dtype,--torch_dtype", o.dtype, "of what is written; each tensor's own")
                    ->check(CLI::IsMember({"float32", "bfloat16", "float16"}))
                    ->group("Format");
  app.add_option("--requantize", o.requantize, "true: a base in 4 bits stays in 4 bits, what changes is quantized anew")
      ->excludes(dtype)
      ->group("Format");
  app.add_option("--safe_merge", o.safe, "round the change to the weight's dtype before it is added, as PEFT's safe_merge does")->group("Format");
  app.add_flag("--quiet", o.quiet, "no progress");
}

void addResizeOptions(CLI::App &app, ResizeOptions &o) {
  app.add_option("--model", o.model, "directory of the model")->required()->group("Data");
  app.add_option("-o,--output_dir", o.output, "directory to write")->required()->group("Data");
  app.add_option("--vocab_size", o.vocabulary, "rows of embeddings that are needed")->required()->check(CLI::Range(1, 1 << 30))->group("Data");
  app.add_option("--tokenizer", o.tokenizer, "directory of the tokenizer that goes with it; the model's")->group("Data");
  app.add_option("--pad_to_multiple_of", o.multiple, "rows are a multiple of it; 8")->check(CLI::Range(1, 1 << 20))->group("Data");
  addShardSize(app, o.maxShardBytes, "bytes of a file; 5GB");
  app.add_flag("--quiet", o.quiet, "no progress");
}

void addEvaluationBatch(CLI::App &app, ZprunOptions &o) {
  const char *does = "rows of a batch of eval_loss_of_batches, the reference's mean; as the plan says";
  app.add_option("--per_device_eval_batch_size", o.run.per_device_eval_batch_size, does)->group("Evaluation");
}

void addEvaluationOptions(CLI::App &app, ZprunOptions &o) {
  auto add = [&](const char *flag, auto &value, const char *does) { app.add_option(flag, value, does)->group("Evaluation"); };
  add("--eval_dataset", o.evalDataset, "token file whose loss is taken between updates");
  add("--eval_strategy", o.run.eval_strategy, "steps, epoch or no; as the plan says");
  add("--eval_steps", o.run.eval_steps, "updates between evaluations, or a share of the run; as the plan says, or as logging_steps");
  add("--eval_delay", o.run.eval_delay, "updates, or epochs, before the first evaluation");
  add("--eval_on_start", o.run.eval_on_start, "true: evaluate before the first update too");
  addEvaluationBatch(app, o);
  add("--load_best_model_at_end", o.run.load_best_model_at_end, "true: the weights at the end are those of the best checkpoint");
  add("--metric_for_best_model", o.run.metric_for_best_model,
      "loss, perplexity, mean_token_accuracy, loss_of_batches or mean_token_accuracy_of_batches; loss");
  add("--greater_is_better", o.run.greater_is_better, "true or false; true of the accuracy alone");
}

void addOptions(CLI::App &app, ZprunOptions &o, std::string &adapterSwitch) {
  CLI::Option *against = nullptr, *calibrate = nullptr, *trace = nullptr;
  app.add_option("plan", o.plan, "plan file of zpc compile")->required();
  auto *model = app.add_option("--model", o.model, "directory of the base model's weights")->group("Data");
  if (o.verb != Verb::Generate) {
    auto *dataset = app.add_option("--dataset", o.dataset, "token file of zpdata")->group("Data");
    if (o.verb != Verb::Bench)
      dataset->required();
  }
  if (o.verb != Verb::Bench) {
    model->required();
    app.add_option("--adapter_name_or_path", o.adapter, "directory of an adapter to start from")->group("Data");
  }
  if (o.verb == Verb::Train) {
    app.add_option("--output_dir", o.outputDirectory, "where the adapter and metrics.jsonl go")->required()->group("Data");
    app.add_option("--base_model_name_or_path", o.baseName, "how adapter_config.json names the base; as --model does")->group("Data");
    addShardSize(app, o.maxShardBytes, "bytes of a file of a whole model; 5GB");
    app.add_option("--tokenizer", o.tokenizer, "directory of the tokenizer that is saved beside what is trained; the model's")->group("Data");
    app.add_option("--resume_from_checkpoint", o.resume, "a checkpoint-N directory, or latest: that of --output_dir")->group("Checkpoints");
    app.add_option("--save_strategy", o.run.save_strategy, "steps, epoch, best or no; as the plan says")->group("Checkpoints");
    app.add_option("--save_steps", o.run.save_steps, "updates between checkpoints, or a share of the run; as the plan says")->group("Checkpoints");
    app.add_option("--save_total_limit", o.run.save_total_limit, "checkpoints that are kept, 0: all; as the plan says")->group("Checkpoints");
    addEvaluationOptions(app, o);
    app.add_option("--report_to", o.reportTo, "tensorboard or none")->check(CLI::IsMember({"tensorboard", "none"}))->group("Logging");
    app.add_option("--logging_dir", o.loggingDirectory, "of TensorBoard's events; OUTPUT_DIR/runs")->group("Logging");
    app.add_option("--report_memory", o.reportMemory,
                   "true: loss and memory after each epoch, memory after each evaluation, as the PEFT guide's scripts print them")
        ->group("Logging");
    app.add_option("--push_to_hub", o.pushToHub, "add a model card to OUTPUT_DIR, and say how it is pushed")->group("Logging");
    app.add_option("--hub_model_id", o.hubModel, "NAME/MODEL on the hub; OUTPUT_DIR's name")->group("Logging");
    app.add_flag("--dry_run", o.dryRun, "check everything, name the memory, train nothing");
  } else if (o.verb == Verb::Generate) {
    addGenerationOptions(app, o);
    app.add_option("--report_memory", o.reportMemory, "true: memory, as the PEFT guide's scripts print it")->group("Logging");
    app.add_option("--adapter", adapterSwitch, "on, or off: the base model alone")->check(CLI::IsMember({"on", "off"}));
  } else if (o.verb == Verb::Eval) {
    app.add_option("--adapter", adapterSwitch, "on, or off: the base model alone")->check(CLI::IsMember({"on", "off"}));
    app.add_option("--report_memory", o.reportMemory, "true: memory, as the PEFT guide's scripts print it")->group("Logging");
    addEvaluationBatch(app, o);
    app.add_option("--logits", o.logitsFile, "file for the logits of the first rows");
    app.add_option("--rows", o.logitsRows, "rows whose logits are written")->check(CLI::PositiveNumber);
  } else {
    app.add_option("--steps", o.steps.timed, "timed updates, or rounds of prompts")->check(CLI::PositiveNumber);
    app.add_option("--warm_up", o.steps.warmUp, "steps before them, not timed")->check(CLI::NonNegativeNumber);
    against =
        app.add_option("--against", o.against, "a second plan: the steps of both take turns in one process, and the ratio of their times is printed");
    calibrate = app.add_option(
        "--calibrate", o.calibrate,
        "writes what this machine's kernels and collectives take, for zpc simulate --cluster; kernels that the file has of another plan stay");
    app.add_option("--throttle_collectives", o.throttle,
                   "bytes a second that a rank gets from the others, at most: to see what a slower link would cost")
        ->check(CLI::PositiveNumber);
  }
  if (o.verb == Verb::Train || o.verb == Verb::Bench)
    trace = app.add_option("--trace", o.trace, "file for the timeline of the last updates, by rank and stream; open it in ui.perfetto.dev");
  if (against)
    against->excludes(calibrate)->excludes(trace); // each is of one plan
  atLeast(app.add_option("-n,--num_processes", o.processes, "ranks to start on this host")->group("Ranks"), 1);
  app.add_option_function<int>(
         "--local_rank", [](int) {}, "deepspeed's launcher gives it; its variables say more")
      ->group("Ranks");
  atLeast(app.add_option("--threads", o.threads, "compute threads of a rank; the cores divided by the ranks")->group("Ranks"), 1);
  app.add_option("--kernel_path", o.kernelPath, "amx, avx512_bf16, avx512, avx2 or portable; the fastest that this CPU can run")->group("Checking");
  app.add_option("--nvme_path", o.nvmePath, "directory for what the plan offloads to nvme; as the plan says")->group("Ranks");
  app.add_option("--read_in_place", o.readInPlace,
                 "false: what ranks gather and fetch is moved as between hosts and devices, though this host's memory holds it")
      ->group("Ranks");
  app.add_flag("--shadow", o.shadow, "every buffer in a guarded allocation of its own")->group("Checking");
  app.add_flag("--reference", o.reference, "plain reference kernels")->group("Checking");
  app.add_flag("--quiet", o.quiet, "no progress");
}

/// "--output-dir=x" as "--output_dir=x": values stay as they are.
std::string spelled(const std::string &argument) {
  if (!argument.starts_with("--"))
    return argument;
  std::string out = argument;
  size_t end = std::min(out.find('='), out.size());
  std::replace(out.begin() + 2, out.begin() + static_cast<std::ptrdiff_t>(end), '-', '_');
  return out;
}

/// Whether it is one of the settings that a plan is made of.
bool isPlanned(const std::string &name) {
  bool found = false;
  JobSettings().forEach([&](const char *setting, const auto &, const char *) { found |= name == setting; });
  return found;
}

/// Unknown flags before anything else, so that their values aren't taken for something.
Status checkFlags(const CLI::App &app, const std::vector<std::string> &arguments) {
  std::vector<std::string> known;
  for (const CLI::Option *option : app.get_options())
    for (const std::string &name : option->get_lnames())
      known.push_back("--" + name);
  for (const std::string &argument : arguments) {
    std::string flag = argument.substr(0, argument.find('='));
    if (!flag.starts_with("--") || flag == "--" || std::find(known.begin(), known.end(), flag) != known.end())
      continue;
    if (isPlanned(flag.substr(2)))
      return Status(ErrorCode::UnknownKey, app.get_name() + ": " + flag +
                                               ": is decided when a plan is made, expected in zpc import's flags; import and compile again with it");
    const std::vector<std::string> nearest = nearestNames(flag, known);
    return Status(ErrorCode::UnknownKey, app.get_name() + ": " + flag + ": is not a flag; " +
                                             (nearest.empty() ? "" : "did you mean " + nearest[0] + "? ") + app.get_name() + " --help lists all");
  }
  return {};
}

} // namespace

void RunSettings::over(JobSettings &settings) const {
  auto lay = [](const auto &given, auto &value) { value = given.value_or(value); };
  lay(save_strategy, settings.save_strategy);
  lay(save_steps, settings.save_steps);
  lay(save_total_limit, settings.save_total_limit);
  lay(eval_strategy, settings.eval_strategy);
  lay(eval_steps, settings.eval_steps);
  lay(eval_delay, settings.eval_delay);
  lay(eval_on_start, settings.eval_on_start);
  lay(per_device_eval_batch_size, settings.per_device_eval_batch_size);
  lay(load_best_model_at_end, settings.load_best_model_at_end);
  lay(metric_for_best_model, settings.metric_for_best_model);
  lay(greater_is_better, settings.greater_is_better);
}

StatusOr<Parsed> parseOptions(int argc, char **argv) {
  std::vector<std::string> arguments;
  for (int i = 1; i < argc; ++i)
    arguments.push_back(spelled(argv[i]));
  Parsed parsed;
  ZprunOptions &o = parsed.options;
  std::string name = "zprun";
  const VerbText *verb = kVerbs;
  for (const VerbText &text : kVerbs)
    if (!arguments.empty() && arguments[0] == text.word) {
      verb = &text;
      name += " " + arguments[0];
      arguments.erase(arguments.begin());
      break;
    }
  o.verb = verb->verb;
  parsed.text = versionAnswer("zprun", argc, argv);
  if (!parsed.text.empty())
    return parsed;
  std::string adapterSwitch = "on";
  CLI::App app(verb->does, name);
  app.footer(verb->footer);
  if (o.verb == Verb::Quantize)
    addQuantizeOptions(app, o.quantize);
  else if (o.verb == Verb::Merge)
    addMergeOptions(app, o.merge);
  else if (o.verb == Verb::Resize)
    addResizeOptions(app, o.resize);
  else
    addOptions(app, o, adapterSwitch);
  ZP_RETURN_IF_ERROR(checkFlags(app, arguments));
  std::reverse(arguments.begin(), arguments.end()); // as the parser takes them
  try {
    app.parse(arguments);
  } catch (const CLI::CallForHelp &) {
    parsed.text = app.help();
  } catch (const CLI::ParseError &error) {
    return Status(ErrorCode::Usage, name + ": " + std::string(error.what()) + "; " + name + " --help lists the flags");
  }
  o.adapterOff = adapterSwitch == "off";
  return parsed;
}

} // namespace zp::rt
