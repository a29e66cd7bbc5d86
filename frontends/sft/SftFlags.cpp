#include "frontends/sft/SftFlags.h"

#include <algorithm>

#include "frontends/common/JsonDocument.h"
#include "runtime/base/names.h"
#include "runtime/schema/settings.h"

namespace zp::fe {

namespace {

/// Names of old, and second names.
const std::pair<const char *, const char *> kAliases[] = {{"max_seq_len", "max_length"},
                                                          {"max_seq_length", "max_length"},
                                                          {"evaluation_strategy", "eval_strategy"},
                                                          {"activation_checkpointing", "gradient_checkpointing"},
                                                          {"model", "model_name_or_path"},
                                                          {"text_column", "source_column"},
                                                          {"label_column", "target_column"},
                                                          {"n", "num_processes"}};

/// Flags that take several words, up to the next flag; here commas split them.
const char *const kLists[] = {"label_names", "debug", "include_for_metrics", "lora_target_modules", "lora_modules_to_save"};

/// Flags of words that stand for true where none follows.
const char *const kMayBeBare[] = {"include_num_input_tokens_seen"};

bool mayBeBare(const std::string &name) { return std::find(std::begin(kMayBeBare), std::end(kMayBeBare), name) != std::end(kMayBeBare); }
bool isList(const std::string &name) { return std::find(std::begin(kLists), std::end(kLists), name) != std::end(kLists); }

ValueKind kindOf(int64_t) { return ValueKind::Int; }
ValueKind kindOf(double) { return ValueKind::Float; }
ValueKind kindOf(bool) { return ValueKind::Bool; }
ValueKind kindOf(const std::string &) { return ValueKind::Text; }

std::vector<ConfigKey> rows() {
  std::vector<ConfigKey> keys = {
#define ZP_KEY(name, kind, use, target, accepted, note) {name, ValueKind::kind, KeyUse::use, target, accepted, note},
#include "frontends/sft/SftFlags.inc"
#undef ZP_KEY
  };
  JobSettings().forEach([&](const char *name, const auto &value, const char *doc) {
    ConfigKey setting{name, kindOf(value), KeyUse::Setting, "", "", doc};
    auto row = std::find_if(keys.begin(), keys.end(), [&](const ConfigKey &key) { return setting.name == std::string(key.name); });
    if (row == keys.end())
      keys.push_back(setting);
    else if (row->use == KeyUse::NoEffect || row->use == KeyUse::Off)
      *row = setting; // what had no effect has one now
  });
  return keys;
}

Status usage(const std::string &message) { return Status(ErrorCode::Usage, message); }

class Parser {
public:
  StatusOr<SftArguments> parse(std::vector<std::string> words) {
    if (!words.empty() && words.back().ends_with(".json") && isLoneFile(words))
      ZP_RETURN_IF_ERROR(readFile(words));
    for (at = 0; at < words.size(); ++at) {
      const std::string place = at < places.size() ? places[at] : "";
      if (Status taken = takeOne(words); !taken.ok())
        return place.empty() ? taken : Status(taken.code(), place + taken.message());
    }
    return std::move(arguments);
  }

private:
  static bool isFlag(const std::string &word) { return word == "-n" || word == "-h" || (word.starts_with("--") && word.size() > 2); }

  /// FILE.json, beside --config_file FILE alone.
  static bool isLoneFile(const std::vector<std::string> &words) {
    size_t first = 0;
    if (words[0] == "--config_file" || words[0] == "--config-file")
      first = 2;
    else if (words[0].starts_with("--config_file=") || words[0].starts_with("--config-file="))
      first = 1;
    if (first < words.size() && words[first].ends_with(".py"))
      ++first;
    return first + 1 == words.size();
  }

  /// The file's keys take the place of its name, and know their lines.
  Status readFile(std::vector<std::string> &words) {
    ZP_ASSIGN_OR_RETURN(JsonDocument document, JsonDocument::read(words.back()));
    words.pop_back();
    places.resize(words.size());
    for (const auto &[key, value] : document.root().items()) {
      if (value.is_null())
        continue;
      const bool arguments = value.is_object() && (key.ends_with("_kwargs") || key.ends_with("_config"));
      const bool listed = isList(key) || key == "report_to"; // which is a list in a file alone
      const bool list = value.is_array() && listed && std::all_of(value.begin(), value.end(), [](const auto &one) { return one.is_string(); });
      if (value.is_structured() && !arguments && !list)
        return document.error(ErrorCode::Config, key, "is a list or an object, expected one value; write it as a text");
      const std::string place = document.place(key);
      places.push_back(place.substr(0, place.size() - key.size())); // an error names the key itself
      words.push_back("--" + key + "=" +
                      (list                ? joinNames(value.get<std::vector<std::string>>(), ",")
                       : value.is_string() ? value.get<std::string>()
                                           : value.dump()));
    }
    return Status();
  }

  Status takeOne(const std::vector<std::string> &words) {
    std::string word = words[at];
    if (word == "-h" || word == "--help") {
      arguments.help = true;
      return Status();
    }
    if (!isFlag(word)) {
      if (word.ends_with(".py") && !scriptSeen) {
        scriptSeen = true;
        arguments.notes.push_back(word + ": is not run, zp sft does what it does");
        return Status();
      }
      return usage("zp sft: '" + word + "' is no flag, expected --name value; see zp sft --help");
    }
    size_t equals = word.find('=');
    bool attached = word.starts_with("--") && equals != std::string::npos;
    std::string spelled = attached ? word.substr(0, equals) : word, value = attached ? word.substr(equals + 1) : "";
    std::string name = spelled.substr(spelled.find_first_not_of('-'));
    std::replace(name.begin(), name.end(), '-', '_');
    bool negated = false;
    ZP_ASSIGN_OR_RETURN(const ConfigKey *key, find(spelled, name, negated));
    bool bare = !attached && (at + 1 == words.size() || isFlag(words[at + 1]));
    if (negated) {
      if (attached || !bare)
        return usage(spelled + ": has a value, expected none; write --" + key->name + " VALUE or " + spelled);
      value = "false";
    } else if (bare && (key->kind == ValueKind::Bool || mayBeBare(key->name))) {
      value = "true";
    } else if (bare) {
      return usage(spelled + ": has no value, expected one; write " + spelled + " VALUE");
    } else if (!attached) {
      value = words[++at];
      while (isList(key->name) && at + 1 < words.size() && !isFlag(words[at + 1]))
        value += "," + words[++at];
    }
    return accept(*key, spelled, value);
  }

  StatusOr<const ConfigKey *> find(const std::string &spelled, const std::string &name, bool &negated) const {
    const KeyTable &table = sftFlags();
    std::string wanted = name;
    for (const auto &[old, now] : kAliases)
      if (wanted == old)
        wanted = now;
    if (const ConfigKey *key = table.find(wanted))
      return key;
    if (wanted.starts_with("no_"))
      if (const ConfigKey *key = table.find(wanted.substr(3)); key && key->kind == ValueKind::Bool) {
        negated = true;
        return key;
      }
    std::vector<std::string> known;
    std::map<std::string, const ConfigKey *> matches;
    for (const ConfigKey &key : table.all())
      known.push_back(key.name);
    for (const auto &[old, now] : kAliases)
      known.push_back(old);
    for (const std::string &candidate : known)
      if (candidate.starts_with(name))
        for (const ConfigKey &key : table.all())
          if (key.name == candidate || std::any_of(std::begin(kAliases), std::end(kAliases), [&](const auto &alias) {
                return candidate == alias.first && std::string(key.name) == alias.second;
              }))
            matches[key.name] = &key;
    if (matches.size() == 1)
      return matches.begin()->second;
    if (matches.size() > 1)
      return usage(spelled + ": could be --" + matches.begin()->first + " or --" + std::next(matches.begin())->first +
                   ", expected a whole name; write it out");
    std::vector<std::string> nearest = nearestNames(name, known);
    return Status(ErrorCode::UnknownKey, spelled + ": is not a flag of zp sft, expected one of train.py or a setting; " +
                                             (nearest.empty() ? "see zp sft --help" : "did you mean --" + nearest[0]));
  }

  Status accept(const ConfigKey &key, const std::string &spelled, const std::string &word) {
    ConfigNode scalar;
    scalar.kind = ConfigNode::Kind::Scalar;
    scalar.text = word;
    if (key.use == KeyUse::Off) {
      if (!isOff(scalar) && word != "{}")
        return Status(ErrorCode::Config, spelled + ": is " + scalar.shown() + ", expected it off; " + key.note);
      return Status();
    }
    CheckedWord checked = checkWord(key, word);
    if (!checked.expected.empty())
      return usage(spelled + ": is '" + word + "', expected " + checked.expected + "; write " + spelled + " VALUE");
    if (key.use == KeyUse::NoEffect)
      arguments.notes.push_back("--" + std::string(key.name) + ": " + key.note);
    arguments.given[key.name] = checked.value;
    if (key.name == std::string("save_total_limit") && checked.value.starts_with("-"))
      arguments.given[key.name] = "0"; // in the reference all that is below 1 keeps all
    return Status();
  }

  SftArguments arguments;
  std::vector<std::string> places; // of the words that a file holds: "FILE:LINE: "
  bool scriptSeen = false;
  size_t at = 0;
};

} // namespace

const KeyTable &sftFlags() {
  static const KeyTable table("zp sft", rows());
  return table;
}

bool SftArguments::isOn(const std::string &flag) const { return get(flag) == "true"; }

std::string SftArguments::get(const std::string &flag, const std::string &absent) const {
  auto at = given.find(flag);
  return at == given.end() ? absent : at->second;
}

StatusOr<SftArguments> parseSftFlags(const std::vector<std::string> &words) { return Parser().parse(words); }

std::string sftHelp() {
  std::string help = "usage: zp sft --config_file ACCELERATE.yaml --model_name_or_path DIR --dataset_name DIR --output_dir OUT\n"
                     "              [flags of train.py, of its trainer, and settings of zpc import]\n\n"
                     "Data to tokens, model to plan, plan to trained weights: what `accelerate launch ... train.py` does. Each step "
                     "is\n"
                     "printed, and skipped when nothing that it depends on has changed.\n\n";
  std::string idle;
  for (const ConfigKey &key : sftFlags().all()) {
    if (key.use == KeyUse::NoEffect || key.use == KeyUse::Off) {
      idle += std::string(idle.empty() ? "" : " ") + key.name;
      continue;
    }
    std::string line = std::string("  --") + key.name;
    line.resize(std::max<size_t>(line.size() + 1, 36), ' ');
    help += line + (*key.note ? key.note : key.use == KeyUse::Data ? "of zpdata" : *key.accepted ? key.accepted : "of zpc import") + "\n";
  }
  help += "\ntaken for the scripts' sake, with a line that says why they change nothing, or refused when they are on:\n";
  for (size_t at = 0; at < idle.size();) {
    size_t end = idle.size() - at <= 110 ? idle.size() : idle.rfind(' ', at + 110);
    help += "  " + idle.substr(at, end - at) + "\n";
    at = end + 1;
  }
  return help + "\nexample: zp sft --config_file samples/configs/deepspeed_config.yaml --num_processes 2 "
                "--model_name_or_path DIR \\\n"
                "           --dataset_name chats.jsonl --chat_template_format chatml --max_length 512 --packing True "
                "--use_peft_lora True \\\n"
                "           --gradient_accumulation_steps 4 --output_dir out\n";
}

} // namespace zp::fe
