#include "frontends/generate/GenerateFlags.h"

#include <algorithm>
#include <charconv>
#include <functional>
#include <map>
#include <string_view>

#include "runtime/base/names.h"
#include "runtime/schema/settings.h"

namespace zp::fe {

namespace {

constexpr const char *kHelp = R"(usage: zp generate --model DIR [--adapter_name_or_path OUT] --prompt TEXT

  --model DIR                  Hugging Face directory with weights and tokenizer (--model_name_or_path)
  --adapter_name_or_path DIR   a trained adapter; without it the model alone
  --prompt TEXT                what is continued; again for more of them
  --prompts FILE               rows with prompt, messages or text instead (.jsonl, .json, .csv, .parquet)
  --mode M                     causal, seq2seq: rows of that file are texts to answer, as zpdata --mode has them [sft; of an encoder-decoder
                               seq2seq]
  --source_column NAME  --input_template TEXT  --reference_quirks BOOL   of such rows; zpdata --help
  --max_prompt_length N        tokens of such a row (--max_source_length); longer ones are cut [causal: 64; seq2seq: the longest's]
  --chat_template_format F     chatml, zephyr, or own (the tokenizer's template): a prompt is a user's message; none: text as it is [none]
  --max_new_tokens N           most new tokens of a prompt [generation_config.json's, else 64, or what the model has places for]
  --max_length N               tokens of a prompt with its new ones [what they take]
  --num_beams N                so many best beginnings are kept at each token [generation_config.json's, else 1]
  --do_sample BOOL             draw tokens, rather than the most probable each time [generation_config.json]
  --temperature T  --no_repeat_ngram_size N  --stop_strings TEXT … all keys of generation_config.json are flags (zprun generate --help)
  --num_processes N            ranks; each keeps a share of the weights [1]
  --report_memory              the memory that it took, on stderr
  --stream BOOL                the text as its tokens come, without beams [on a terminal]
  --json                       a line of JSON a prompt: {"row": 0, "text": …, "ended": "eos"}; for zpdata accuracy and classify
  --quiet                      the text alone: no command lines on stderr

  and the settings of zpc import: --bf16, --use_4bit_quantization true, --zero_stage N …

example: zp generate --model DIR --adapter_name_or_path out --chat_template_format chatml --prompt "What does zip() do?"
)";

/// A flag: whether it may stand alone, and where its value goes; false for a value that it can't take.
struct Flag {
  bool isBool = false;
  const char *kind = "a text";
  std::function<bool(const std::string &)> read;
};

bool isNumber(const std::string &word, int64_t &value) {
  auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  return error == std::errc() && end == word.data() + word.size() && value > 0;
}

class Parser {
public:
  Parser() {
    auto text = [&](const char *name, std::string &into) {
      flags[name] = {false, "a text", [&into](const std::string &word) { return into = word, !word.empty(); }};
    };
    auto number = [&](const char *name, std::optional<int64_t> &into) {
      flags[name] = {false, "a whole number from 1", [&into](const std::string &word) { return isNumber(word, into.emplace()); }};
    };
    auto toggle = [&](const char *name, auto &into) {
      flags[name] = {true, "true or false", [&into](const std::string &word) {
                       const std::optional<bool> truth = boolWord(word);
                       into = truth.value_or(false);
                       return truth.has_value();
                     }};
    };
#define ZP_GENERATION(name, kind, initial, doc) flags[#name] = {std::string_view(#kind) == "Bool", "a value", passTo(arguments.runFlags, #name)};
#include "runtime/schema/generation.inc"
#undef ZP_GENERATION
    for (const char *name : {"seed", "kernel_path", "threads"})
      flags[name] = {false, "a value", passTo(arguments.runFlags, name)};
    for (const char *name : {"source_column", "input_template", "reference_quirks", "dataset_text_field"})
      flags[name] = {std::string_view(name) == "reference_quirks", "a value", passTo(arguments.dataFlags, name)};
    flags["decoder_start_token_id"] = {false, "a value", [this](const std::string &word) {
                                         return passTo(arguments.dataFlags, "decoder_start_token_id")(word) &&
                                                passTo(arguments.runFlags, "decoder_start_token_id")(word);
                                       }};
    flags["stop_strings"] = {false, "a text", [this](const std::string &word) {
                               arguments.stopStrings = true;
                               return passTo(arguments.runFlags, "stop_strings")(word);
                             }};
    JobSettings().forEach([&](const char *name, const auto &value, const char *) {
      if (!flags.count(name))
        flags[name] = {std::is_same_v<std::decay_t<decltype(value)>, bool>, "a value", passTo(arguments.importFlags, name)};
    });
    for (const char *name : {"generate", "use_peft_lora"})
      flags.erase(name);
    for (const char *name : {"model", "model_name_or_path"})
      text(name, arguments.model);
    for (const char *name : {"adapter_name_or_path", "adapter"})
      text(name, arguments.adapter);
    text("prompts", arguments.promptFile);
    number("max_new_tokens", arguments.newTokens);
    number("max_length", arguments.maxLength);
    for (const char *name : {"max_prompt_length", "max_source_length"})
      number(name, arguments.promptLength);
    number("num_beams", arguments.beams);
    toggle("quiet", arguments.quiet);
    toggle("json", arguments.json);
    toggle("report_memory", arguments.reportMemory);
    toggle("stream", arguments.stream);
    flags["mode"] = {false, "sft, causal or seq2seq", [this](const std::string &word) {
                       arguments.mode = word;
                       return word == "sft" || word == "causal" || word == "seq2seq";
                     }};
    flags["prompt"] = {false, "a text", [this](const std::string &word) { return arguments.prompts.push_back(word), true; }};
    flags["num_processes"] = {false, "a whole number from 1", [this](const std::string &word) { return isNumber(word, arguments.ranks); }};
    flags["chat_template_format"] = {false, "chatml, zephyr, own or none", [this](const std::string &word) {
                                       arguments.chatFormat = word;
                                       return word == "chatml" || word == "zephyr" || word == "own" || word == "none";
                                     }};
  }

  StatusOr<GenerateArguments> parse(const std::vector<std::string> &words) {
    for (size_t at = 0; at < words.size(); ++at) {
      if (words[at] == "-h" || words[at] == "--help") {
        arguments.help = true;
        return std::move(arguments);
      }
      ZP_RETURN_IF_ERROR(takeOne(words, at));
    }
    ZP_RETURN_IF_ERROR(checkWhole());
    return std::move(arguments);
  }

private:
  static std::function<bool(const std::string &)> passTo(std::vector<std::string> &list, const std::string &name) {
    return [&list, name](const std::string &word) {
      list.push_back("--" + name + "=" + word); // in one, as a text may begin with a dash
      return true;
    };
  }

  Status takeOne(const std::vector<std::string> &words, size_t &at) {
    const std::string &word = words[at];
    if (!word.starts_with("--") || word.size() == 2)
      return Status(ErrorCode::Usage, "zp generate: '" + word + "' is no flag, expected --name value; see zp generate --help");
    const size_t equals = word.find('=');
    std::string name = word.substr(2, equals == std::string::npos ? equals : equals - 2);
    std::replace(name.begin(), name.end(), '-', '_');
    auto found = flags.find(name);
    if (found == flags.end()) {
      std::vector<std::string> known;
      for (const auto &[key, flag] : flags)
        known.push_back(key);
      std::vector<std::string> nearest = nearestNames(name, known);
      return Status(ErrorCode::UnknownKey, "--" + name + ": is not a flag of zp generate, expected one of its own or a setting of zpc import; " +
                                               (nearest.empty() ? "see zp generate --help" : "did you mean --" + nearest[0]));
    }
    std::string value = "true";
    const bool last = at + 1 == words.size();
    if (equals != std::string::npos)
      value = word.substr(equals + 1);
    else if (!last && !(found->second.isBool && words[at + 1].starts_with("--")))
      value = words[++at];
    else if (!found->second.isBool)
      return Status(ErrorCode::Usage, "--" + name + ": has no value, expected " + found->second.kind + "; write --" + name + " VALUE");
    if (!found->second.read(value))
      return Status(ErrorCode::Usage, "--" + name + ": is '" + value + "', expected " + found->second.kind + "; write --" + name + " VALUE");
    return Status();
  }

  Status checkWhole() const {
    if (arguments.model.empty())
      return Status(ErrorCode::Usage, "--model: is missing, expected a Hugging Face directory; write --model DIR");
    if (arguments.prompts.empty() == arguments.promptFile.empty())
      return Status(ErrorCode::Usage, arguments.prompts.empty()
                                          ? "--prompt: is missing, expected something to continue; write --prompt TEXT or --prompts FILE"
                                          : "--prompts: is given beside --prompt, expected prompts from one source; drop one of the two");
    for (auto [flag, on] : {std::pair("--json", arguments.json), {"--report_memory", arguments.reportMemory}})
      if (arguments.stream.value_or(false) && on)
        return Status(ErrorCode::Usage,
                      std::string("--stream: is true beside ") + flag + ", expected one way to print what comes; drop one of the two");
    if (arguments.mode == "causal" && arguments.promptFile.empty())
      return Status(ErrorCode::Usage, "--mode: is causal beside --prompt, expected rows of a file; write --prompts FILE");
    return Status();
  }

  GenerateArguments arguments;
  std::map<std::string, Flag> flags;
};

} // namespace

StatusOr<GenerateArguments> parseGenerateFlags(const std::vector<std::string> &words) { return Parser().parse(words); }

std::string generateHelp() { return kHelp; }

} // namespace zp::fe
