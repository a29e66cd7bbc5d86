#include "frontends/sft/ConfigCommand.h"

#include <cstdio>
#include <filesystem>
#include <iostream>
#include <map>
#include <string>
#include <unistd.h>

#include "frontends/accelerate/AccelerateConfig.h"
#include "runtime/base/atomic_file.h"

namespace zp::fe {

namespace {

/// A question for a key of the YAML. Kind and words that are accepted come from the key's own table.
struct Question {
  const char *key;
  const char *text, *initial;
  bool ofDeepspeed; ///< asked, and written, for DEEPSPEED alone
};

const Question kQuestions[] = {
    {"num_machines", "How many machines?", "1", false},
    {"num_processes", "How many ranks on all machines together?", "1", false},
    {"distributed_type", "Shard what (DEEPSPEED), only average gradients (MULTI_GPU), or one rank alone (NO)?", "DEEPSPEED", false},
    {"zero_stage", "ZeRO stage: 0 nothing, 1 optimizer state, 2 and gradients, 3 and parameters?", "3", true},
    {"gradient_accumulation_steps", "Micro-batches of an update (auto: as the flag says)?", "auto", true},
    {"gradient_clipping", "Clip the global gradient norm at (auto: as --max_grad_norm says; 0: never)?", "auto", true},
    {"offload_optimizer_device", "Optimizer state to none, cpu or nvme?", "none", true},
    {"offload_param_device", "Parameters to none, cpu or nvme (stage 3)?", "none", true},
    {"mixed_precision", "Compute in bf16, in fp16, or as --bf16 and --fp16 say (no)?", "bf16", false},
};

class Interview {
public:
  Status ask() {
    const bool typed = ::isatty(STDIN_FILENO);
    for (const Question &question : kQuestions) {
      if (question.ofDeepspeed && answers["distributed_type"] != "DEEPSPEED")
        continue;
      const ConfigKey &key = *(question.ofDeepspeed ? deepspeedKeys() : accelerateKeys()).find(question.key);
      for (;;) {
        std::printf("%s [%s] ", question.text, question.initial);
        std::fflush(stdout);
        std::string answer;
        if (!std::getline(std::cin, answer))
          answer.clear();
        answer.erase(0, answer.find_first_not_of(" \t\r"));
        answer.erase(answer.find_last_not_of(" \t\r") + 1);
        if (!typed)
          std::printf("%s\n", answer.c_str());
        CheckedWord checked = checkWord(key, answer.empty() ? question.initial : answer);
        if (checked.expected.empty()) {
          answers[question.key] = checked.value;
          break;
        }
        if (!typed) // a script's answer is not asked for twice
          return Status(ErrorCode::Usage,
                        std::string("zp config: ") + question.key + ": is '" + answer + "', expected " + checked.expected + "; correct the answer");
        std::printf("  '%s' can't be: %s\n", answer.c_str(), checked.expected.c_str());
      }
    }
    return Status();
  }

  /// In the order in which Accelerate writes its keys.
  std::string yaml() const {
    const bool sharded = answers.at("distributed_type") == "DEEPSPEED";
    std::string out = "compute_environment: LOCAL_MACHINE\ndebug: false\n";
    if (sharded) {
      out += "deepspeed_config:\n  deepspeed_multinode_launcher: standard\n";
      for (const char *key : {"gradient_accumulation_steps", "gradient_clipping", "offload_optimizer_device", "offload_param_device"})
        out += std::string("  ") + key + ": " + answers.at(key) + "\n";
      const char *third = answers.at("zero_stage") == "3" ? "true" : "false";
      out +=
          std::string("  zero3_init_flag: ") + third + "\n  zero3_save_16bit_model: " + third + "\n  zero_stage: " + answers.at("zero_stage") + "\n";
    }
    out += "distributed_type: " + word("distributed_type") + "\ndowncast_bf16: 'no'\nmachine_rank: 0\nmain_training_function: main\n";
    out += "mixed_precision: " + word("mixed_precision") + "\nnum_machines: " + answers.at("num_machines") + "\n";
    return out + "num_processes: " + answers.at("num_processes") + "\nrdzv_backend: static\nsame_network: true\ntpu_env: []\n" +
           "tpu_use_cluster: false\ntpu_use_sudo: false\nuse_cpu: false\n";
  }

private:
  /// YAML reads a bare no as false.
  std::string word(const char *key) const {
    std::string value = answers.at(key);
    return value == "no" || value == "NO" ? "'" + value + "'" : value;
  }

  std::map<std::string, std::string> answers;
};

const char *const kHelp = "usage: zp config --config_file FILE\n\nAsks what a job's ranks share and writes an "
                          "Accelerate YAML that zp sft and `accelerate launch`\n"
                          "both take. An empty answer takes the default in brackets.\n";

StatusOr<std::string> outputFile(int argc, const char **argv) {
  for (int i = 1; i < argc; ++i) {
    std::string word = argv[i], name = word.substr(0, word.find('='));
    if (name != "--config_file" && name != "--config-file")
      return Status(ErrorCode::UnknownKey, name + ": is not a flag of zp config, expected --config_file; see zp config --help");
    if (word.size() > name.size() + 1)
      return word.substr(name.size() + 1);
    if (word == name && i + 1 < argc)
      return std::string(argv[i + 1]);
  }
  return Status(ErrorCode::Usage, "--config_file: is missing, expected the YAML to write; write --config_file FILE");
}

/// What zp sft would refuse is refused here already, and nothing is written.
Status interview(const std::string &path) {
  Interview talk;
  ZP_RETURN_IF_ERROR(talk.ask());
  const std::string draft = path + ".draft" + std::to_string(::getpid());
  ZP_RETURN_IF_ERROR(writeFileAtomically(draft, talk.yaml()));
  StatusOr<JobConfig> read = readAccelerateConfig(draft);
  std::error_code error;
  if (read.ok())
    std::filesystem::rename(draft, path, error);
  else
    std::filesystem::remove(draft, error);
  if (read.ok() && error)
    return Status(ErrorCode::DiskWrite,
                  path + ": cannot be written (" + error.message() + "), expected a writable file; choose another --config_file");
  if (read.ok())
    return Status();
  std::string message = read.status().message();
  if (message.starts_with(draft))
    message = path + message.substr(draft.size());
  return Status(read.status().code(), message);
}

} // namespace

int configMain(int argc, const char **argv) {
  if (argc > 1 && (std::string(argv[1]) == "--help" || std::string(argv[1]) == "-h")) {
    std::fputs(kHelp, stdout);
    return 0;
  }
  StatusOr<std::string> path = outputFile(argc, argv);
  Status status = path.ok() ? interview(*path) : path.status();
  if (status.ok())
    std::printf("%s: written; zp sft --config_file %s takes it\n", path->c_str(), path->c_str());
  else
    std::fprintf(stderr, "%s\n", status.toString().c_str());
  return exitCodeOf(status.code());
}

} // namespace zp::fe
