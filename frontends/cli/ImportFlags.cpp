#include "frontends/cli/ImportFlags.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <functional>
#include <map>
#include <optional>

#include "runtime/base/names.h"

namespace zp::fe {

namespace {

template <typename T> bool numberOf(const std::string &word, T &value) {
  const char *first = word.data() + (word.starts_with("+") ? 1 : 0), *last = word.data() + word.size();
  auto [end, error] = std::from_chars(first, last, value);
  return error == std::errc() && end == last && first != last;
}

bool readValue(const std::string &word, int64_t &value) { return numberOf(word, value); }
bool readValue(const std::string &word, double &value) { return numberOf(word, value) && std::isfinite(value); }
bool readValue(const std::string &word, std::string &value) {
  value = word;
  return true;
}
bool readValue(const std::string &word, bool &value) {
  std::optional<bool> read = boolWord(word);
  value = read.value_or(value);
  return read.has_value();
}
const char *kindText(int64_t) { return "a whole number"; }
const char *kindText(double) { return "a number"; }
const char *kindText(const std::string &) { return "a text"; }
const char *kindText(bool) { return "true or false"; }

/// A flag: where its value goes and what it takes for one.
struct Flag {
  bool isBool = false;
  const char *kind = "a path";
  std::function<bool(const std::string &)> read;
};

class FlagParser {
public:
  FlagParser() {
    options.settings.forEach([&](const char *name, auto &value, const char *) {
      Flag flag;
      flag.isBool = std::is_same_v<std::decay_t<decltype(value)>, bool>;
      flag.kind = kindText(value);
      flag.read = [&value](const std::string &word) { return readValue(word, value); };
      flags[name] = flag;
    });
    auto addPath = [&](const char *name, std::string &into) {
      flags[name] = {false, "a path", [&into](const std::string &word) { return into = word, !word.empty(); }};
    };
    addPath("model", options.model);
    addPath("model_name_or_path", options.model);
    addPath("adapter_name_or_path", options.adapter);
    addPath("config_file", options.configFile);
    addPath("output", options.output);
    for (const char *alias : {"max_seq_len", "max_seq_length"})
      flags[alias] = flags["max_length"];
    flags["gradient_checkpointing"] = {true, kindText(true),
                                       [this](const std::string &word) { return (checkpointing = boolWord(word)).has_value(); }};
    flags["activation_offloading"] = {true, kindText(true), [this](const std::string &word) { return (offloading = boolWord(word)).has_value(); }};
    flags["use_8bit_quantization"] = {true, kindText(true), [this](const std::string &word) { return (eightBit = boolWord(word)).has_value(); }};
  }

  StatusOr<ImportOptions> parse(const std::vector<std::string> &words) {
    for (at = 0; at < words.size(); ++at)
      ZP_RETURN_IF_ERROR(takeOne(words));
    ZP_RETURN_IF_ERROR(resolveCheckpointing());
    ZP_RETURN_IF_ERROR(resolveOffloading());
    ZP_RETURN_IF_ERROR(refuseEightBit());
    return std::move(options);
  }

private:
  /// A flag, not a value: -1 and - are values.
  static bool isFlag(const std::string &word) { return word == "-o" || word == "-h" || (word.starts_with("--") && word.size() > 2); }

  Status takeOne(const std::vector<std::string> &words) {
    std::string word = words[at];
    if (word == "-h" || word == "--help") {
      options.help = true;
      return Status();
    }
    if (word == "-o")
      word = "--output";
    if (!word.starts_with("--") || word.size() == 2)
      return Status(ErrorCode::Usage, "zpc import: '" + word + "' is no flag, expected --name value; see zpc import --help");
    size_t equals = word.find('=');
    bool attached = equals != std::string::npos;
    std::string spelled = word.substr(0, equals), name = spelled.substr(2);
    std::replace(name.begin(), name.end(), '-', '_');
    auto found = flags.find(name);
    if (found == flags.end())
      return unknown(spelled, name);
    const Flag &flag = found->second;
    std::string value = attached ? word.substr(equals + 1) : "";
    bool bare = !attached && (at + 1 == words.size() || isFlag(words[at + 1]));
    if (bare && flag.isBool)
      value = "true";
    else if (bare)
      return Status(ErrorCode::Usage, spelled + ": has no value, expected " + flag.kind + "; write " + spelled + " VALUE");
    else if (!attached)
      value = words[++at];
    if (!flag.read(value))
      return Status(ErrorCode::Usage, spelled + ": is '" + value + "', expected " + flag.kind + "; write " + spelled + " VALUE");
    options.given.insert(name.starts_with("max_seq_len") ? "max_length" : name);
    return Status();
  }

  Status unknown(const std::string &spelled, const std::string &name) const {
    std::vector<std::string> known;
    for (const auto &[key, flag] : flags)
      known.push_back(key);
    std::vector<std::string> nearest = nearestNames(name, known);
    return Status(ErrorCode::UnknownKey, spelled + ": is not a flag of zpc import, expected a setting's name; " +
                                             (nearest.empty() ? "see zpc import --help" : "did you mean --" + nearest[0]));
  }

  Status resolveCheckpointing() {
    if (!checkpointing)
      return Status();
    std::string meant = *checkpointing ? "block" : "none";
    bool given = options.given.count("rematerialize"); // any kind of recomputation agrees with the flag
    if (given && (options.settings.rematerialize != "none") == *checkpointing)
      return Status();
    if (given)
      return Status(ErrorCode::Config, "--gradient_checkpointing: means --rematerialize " + meant + ", but that is set to " +
                                           options.settings.rematerialize + ", expected one wish; drop one of the two");
    options.settings.rematerialize = meant;
    return Status();
  }

  /// TRL's flag.
  Status resolveOffloading() {
    if (!offloading)
      return Status();
    std::string &device = options.settings.offload_activation_device;
    const bool given = options.given.count("offload_activation_device");
    if (given && (device != "none") != *offloading)
      return Status(ErrorCode::Config, std::string("--activation_offloading: is ") + (*offloading ? "true" : "false") +
                                           " beside --offload_activation_device " + device + ", expected one wish; drop one of the two");
    if (!given)
      device = *offloading ? "cpu" : "none";
    options.given.insert("offload_activation_device");
    return Status();
  }

  /// The guide's script has the flag; `false` is what it passes with 4 bits.
  Status refuseEightBit() const {
    if (!eightBit.value_or(false))
      return Status();
    if (options.settings.use_4bit_quantization)
      return Status(ErrorCode::Config, "--use_8bit_quantization: is set beside --use_4bit_quantization, expected one "
                                       "of the two; drop --use_8bit_quantization");
    return Status(ErrorCode::Config, "--use_8bit_quantization: is not supported, expected weights in 4 bits or in "
                                     "floating point; use --use_4bit_quantization");
  }

  ImportOptions options;
  std::map<std::string, Flag> flags;
  std::optional<bool> checkpointing, offloading, eightBit;
  size_t at = 0;
};

std::string valueText(int64_t value) { return std::to_string(value); }
std::string valueText(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", value);
  return text;
}
std::string valueText(bool value) { return value ? "true" : "false"; }
std::string valueText(const std::string &value) { return value.empty() ? "none" : value; }

} // namespace

StatusOr<ImportOptions> parseImportFlags(const std::vector<std::string> &words) { return FlagParser().parse(words); }

std::string importHelp() {
  std::string help = "usage: zpc import --model DIR [settings] -o model.mlir\n\n"
                     "  --model DIR                    Hugging Face directory with a config.json "
                     "(--model_name_or_path)\n"
                     "  --adapter_name_or_path DIR     LoRA settings from a PEFT adapter_config.json\n"
                     "  --config_file FILE             settings from an Accelerate YAML; flags go before them\n"
                     "  -o FILE                        where model.mlir goes; - is standard output\n"
                     "  --gradient_checkpointing       the same as --rematerialize block\n"
                     "  --activation_offloading        the same as --offload_activation_device cpu\n"
                     "  --max_seq_length N             the same as --max_length N\n\nsettings:\n";
  JobSettings().forEach([&](const char *name, const auto &value, const char *doc) {
    std::string line = std::string("  --") + name;
    line.resize(std::max<size_t>(line.size() + 1, 33), ' ');
    help += line + doc + " (" + valueText(value) + ")\n";
  });
  return help + "\nexample: zpc import --model DIR --lora_r 8 --lora_alpha 16 --zero_stage 3 "
                "--num_processes 2 --bf16 -o model.mlir\n";
}

} // namespace zp::fe
