#include "runtime/schedule/schedule_arguments.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <nlohmann/json.hpp>

#include "runtime/base/names.h"
#include "runtime/base/number_text.h"

namespace zp::rt {

namespace {

enum class ArgumentType { Number, Positive, Whole, Count, Flag, Word };

const char *textOf(ArgumentType type) {
  switch (type) {
  case ArgumentType::Number:
    return "a number of 0 or more";
  case ArgumentType::Positive:
    return "a number above 0";
  case ArgumentType::Whole:
    return "a whole number of 0 or more";
  case ArgumentType::Count:
    return "a whole number of 1 or more";
  case ArgumentType::Flag:
    return "true or false";
  case ArgumentType::Word:
    break;
  }
  return "a word";
}

bool fits(ArgumentType type, double value) {
  constexpr double kMostWhole = 9e15;
  const bool whole = value == std::floor(value) && value <= kMostWhole;
  return std::isfinite(value) && value >= 0 &&
         (type == ArgumentType::Number || (type == ArgumentType::Positive && value > 0) || (type == ArgumentType::Whole && whole) ||
          (type == ArgumentType::Count && whole && value > 0));
}

constexpr const char *kRequired = "!"; // in the place of a default
constexpr const char *kNone = "";      // no default: the formula does without

struct Argument {
  const char *name;
  ArgumentType type;
  const char *absent; ///< the default as text, kRequired or kNone
  std::vector<std::string> words = {};
  bool canBeAuto = false;
};

struct Known {
  ScheduleKind kind;
  const char *name;
  std::vector<Argument> arguments;
};

const Argument kWarmupType{"warmup_type", ArgumentType::Word, "log", {"log", "linear"}};
const Argument kWarmupSteps{"warmup_num_steps", ArgumentType::Count, "1000", {}, true};
const Argument kTotalSteps{"total_num_steps", ArgumentType::Count, kRequired, {}, true};
const Argument kWarmupMinLr{"warmup_min_lr", ArgumentType::Number, "0", {}, true};
const Argument kCycles{"num_cycles", ArgumentType::Number, "0.5"};
const Argument kMinLr{"min_lr", ArgumentType::Number, kNone}, kMinLrRate{"min_lr_rate", ArgumentType::Number, kNone};

/// transformers 5.23's optimization.py and DeepSpeed 0.19.8's lr_schedules.py.
const std::vector<Known> &schedules() {
  using T = ArgumentType;
  static const std::vector<Known> all = {
      {ScheduleKind::Linear, "linear", {}},
      {ScheduleKind::Cosine, "cosine", {kCycles}},
      {ScheduleKind::CosineWithRestarts, "cosine_with_restarts", {{"num_cycles", T::Number, "1"}}},
      {ScheduleKind::Constant, "constant", {}},
      {ScheduleKind::ConstantWithWarmup, "constant_with_warmup", {}},
      {ScheduleKind::Polynomial, "polynomial", {{"lr_end", T::Number, "1e-7"}, {"power", T::Number, "1"}}},
      {ScheduleKind::InverseSqrt, "inverse_sqrt", {{"timescale", T::Count, kNone}}},
      {ScheduleKind::CosineWithMinLr, "cosine_with_min_lr", {kCycles, kMinLr, kMinLrRate}},
      {ScheduleKind::CosineWarmupWithMinLr, "cosine_warmup_with_min_lr", {kCycles, kMinLr, kMinLrRate, {"warmup_lr_rate", T::Number, kNone}}},
      {ScheduleKind::WarmupStableDecay,
       "warmup_stable_decay",
       {{"num_decay_steps", T::Whole, kRequired},
        {"num_stable_steps", T::Whole, kNone},
        {"warmup_type", T::Word, "linear", {"linear", "cosine", "1-sqrt"}},
        {"decay_type", T::Word, "cosine", {"linear", "cosine", "1-sqrt"}},
        {"min_lr_ratio", T::Number, "0"},
        kCycles}},
      {ScheduleKind::WarmupLR, "WarmupLR", {kWarmupMinLr, {"warmup_max_lr", T::Number, kNone, {}, true}, kWarmupSteps, kWarmupType}},
      {ScheduleKind::WarmupDecayLR,
       "WarmupDecayLR",
       {kTotalSteps, kWarmupMinLr, {"warmup_max_lr", T::Number, "0.001", {}, true}, kWarmupSteps, kWarmupType}},
      {ScheduleKind::WarmupCosineLR,
       "WarmupCosineLR",
       {kTotalSteps, {"warmup_min_ratio", T::Number, "0"}, kWarmupSteps, {"cos_min_ratio", T::Number, "0.0001"}, kWarmupType}},
      {ScheduleKind::OneCycle,
       "OneCycle",
       {{"cycle_min_lr", T::Number, kRequired},
        {"cycle_max_lr", T::Number, kRequired},
        {"decay_lr_rate", T::Number, "0"},
        {"cycle_first_step_size", T::Positive, "2000"},
        {"cycle_second_step_size", T::Number, kNone},
        {"cycle_first_stair_count", T::Whole, "0"},
        {"cycle_second_stair_count", T::Whole, kNone},
        {"decay_step_size", T::Number, "0"},
        {"cycle_momentum", T::Flag, "true"},
        {"cycle_min_mom", T::Number, "0.8"},
        {"cycle_max_mom", T::Number, "0.9"},
        {"decay_mom_rate", T::Number, "0"}}},
      {ScheduleKind::LRRangeTest,
       "LRRangeTest",
       {{"lr_range_test_min_lr", T::Number, "0.001"},
        {"lr_range_test_step_size", T::Count, "2000"},
        {"lr_range_test_step_rate", T::Number, "1"},
        {"lr_range_test_staircase", T::Flag, "false"}}}};
  return all;
}

/// Schedules of transformers that can't be had: a plan's rates are known before it runs.
constexpr const char *kByMetrics[] = {"reduce_lr_on_plateau", "greedy"};

Status unknownType(const std::string &type, const std::string &place) {
  for (const char *name : kByMetrics)
    if (type == name)
      return Status(ErrorCode::Config, place + ": is " + type +
                                           ", which follows the losses of the run, expected a schedule whose rates are known before it; use "
                                           "cosine_with_min_lr or warmup_stable_decay");
  return Status(ErrorCode::Config, place + ": is \"" + type + "\", expected " + joinNames(scheduleNames(), " or ") + "; choose one");
}

std::optional<double> numberOf(const std::string &text) {
  double value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

std::string shown(const nlohmann::json &value) {
  constexpr size_t kMost = 60;
  std::string text = value.is_string() ? value.get<std::string>() : value.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  return text.size() > kMost ? text.substr(0, kMost) + "..." : text;
}

} // namespace

class ScheduleArgumentReader {
public:
  ScheduleArgumentReader(const Known &known, const ArgumentPlace &place) : known(known), place(place) { arguments.schedule = known.kind; }

  StatusOr<ScheduleArguments> read(const std::string &json) {
    const nlohmann::json object = json.empty() ? nlohmann::json::object() : nlohmann::json::parse(json, nullptr, /*allow_exceptions=*/false);
    if (!object.is_object())
      return wrong("", json, "a JSON object", "write it as '{\"num_cycles\": 0.5}'");
    for (const auto &[name, value] : object.items())
      ZP_RETURN_IF_ERROR(take(name, value));
    for (const Argument &argument : known.arguments)
      ZP_RETURN_IF_ERROR(takeDefault(argument));
    ZP_RETURN_IF_ERROR(checkTogether());
    return std::move(arguments);
  }

private:
  Status wrong(const std::string &name, const std::string &is, const std::string &expected, const std::string &fix) const {
    return Status(ErrorCode::Config, place(name) + ": is " + is + ", expected " + expected + "; " + fix);
  }

  Status unknown(const std::string &name) const {
    std::vector<std::string> names;
    for (const Argument &argument : known.arguments)
      names.push_back(argument.name);
    const std::vector<std::string> nearest = nearestNames(name, names);
    return Status(ErrorCode::UnknownKey, place(name) + ": is not an argument of " + known.name + ", expected " +
                                             (names.empty() ? "none" : joinNames(names, " or ")) + "; " +
                                             (nearest.empty() ? "drop it" : "did you mean " + nearest[0]));
  }

  Status take(const std::string &name, const nlohmann::json &value) {
    if (name == "last_batch_iteration" && isDeepspeed(known.kind)) // where a run that is resumed stands; a checkpoint here says so itself
      return value == -1 || value.is_null() ? Status() : wrong(name, shown(value), "-1, a run's beginning", "drop it");
    auto argument = std::find_if(known.arguments.begin(), known.arguments.end(), [&](const Argument &a) { return name == a.name; });
    if (argument == known.arguments.end())
      return unknown(name);
    if (value.is_null()) // as in the reference: not given
      return {};
    ScheduleArguments::Value read;
    read.isGiven = true;
    read.isAuto = value == "auto" && argument->canBeAuto;
    if (!read.isAuto)
      ZP_RETURN_IF_ERROR(readValue(*argument, value, read));
    arguments.values[name] = read;
    return {};
  }

  Status readValue(const Argument &argument, const nlohmann::json &value, ScheduleArguments::Value &into) const {
    std::string expected = argument.words.empty() ? textOf(argument.type) : joinNames(argument.words, " or ");
    if (argument.canBeAuto)
      expected += " or auto";
    const Status failure = wrong(argument.name, shown(value), expected, "correct the value");
    if (argument.type == ArgumentType::Word) {
      into.word = value.is_string() ? value.get<std::string>() : "";
      return std::find(argument.words.begin(), argument.words.end(), into.word) == argument.words.end() ? failure : Status();
    }
    if (argument.type == ArgumentType::Flag) {
      into.number = value == true;
      return value.is_boolean() ? Status() : failure;
    }
    std::optional<double> number = value.is_string() ? numberOf(value.get<std::string>()) : std::nullopt;
    if (number && isDeepspeed(known.kind)) // transformers turns texts into what they say, DeepSpeed doesn't
      return wrong(argument.name, "\"" + shown(value) + "\"", expected, "write it without quotes");
    if (value.is_number())
      number = value.get<double>();
    into.number = number.value_or(0);
    return number && fits(argument.type, *number) ? Status() : failure;
  }

  Status takeDefault(const Argument &argument) {
    const std::string absent = argument.absent;
    auto given = arguments.values.find(argument.name);
    if (absent == kNone || (absent == kRequired && given != arguments.values.end()))
      return {};
    if (absent == kRequired)
      return Status(ErrorCode::Config, place(argument.name) + ": is missing, expected " + textOf(argument.type) + ", which " + known.name +
                                           " must have; add \"" + argument.name + "\": " + (argument.canBeAuto ? "\"auto\"" : "NUMBER"));
    ScheduleArguments::Value value;
    value.isDefault = true;
    if (argument.type == ArgumentType::Word)
      value.word = absent;
    else if (argument.type == ArgumentType::Flag)
      value.number = absent == "true";
    else
      value.number = *numberOf(absent);
    if (given == arguments.values.end())
      arguments.values[argument.name] = value;
    else
      given->second.isDefault = !given->second.isAuto && given->second.number == value.number && given->second.word == value.word;
    return {};
  }

  Status checkTogether() const {
    const bool minimum = known.kind == ScheduleKind::CosineWithMinLr || known.kind == ScheduleKind::CosineWarmupWithMinLr;
    const bool rate = arguments.values.count("min_lr_rate"), least = arguments.values.count("min_lr");
    if (minimum && rate && least)
      return wrong("min_lr", numberText(*arguments.number("min_lr")) + " beside min_lr_rate", "one of the two", "drop one");
    if (minimum && !rate && !least)
      return Status(ErrorCode::Config, place("min_lr") + ": is missing, expected the rate that " + known.name +
                                           " ends at, or min_lr_rate, its share of the learning rate; add \"min_lr\": NUMBER");
    if (known.kind == ScheduleKind::OneCycle && arguments.flag("cycle_momentum"))
      return wrong("cycle_momentum", "true (DeepSpeed's default)", "false: AdamW's betas are part of the plan and don't cycle",
                   "add \"cycle_momentum\": false");
    return {};
  }

  const Known &known;
  const ArgumentPlace &place;
  ScheduleArguments arguments;
};

std::vector<std::string> scheduleNames() {
  std::vector<std::string> names;
  for (const Known &known : schedules())
    names.push_back(known.name);
  return names;
}

bool isDeepspeed(ScheduleKind kind) { return kind >= ScheduleKind::WarmupLR; }

StatusOr<ScheduleArguments> ScheduleArguments::parse(const std::string &type, const std::string &typePlace, const std::string &json,
                                                     const ArgumentPlace &place) {
  for (const Known &known : schedules())
    if (type == known.name)
      return ScheduleArgumentReader(known, place).read(json);
  return unknownType(type, typePlace);
}

std::optional<double> ScheduleArguments::number(const std::string &name) const {
  auto at = values.find(name);
  return at == values.end() || at->second.isAuto ? std::nullopt : std::optional(at->second.number);
}

std::string ScheduleArguments::word(const std::string &name) const {
  auto at = values.find(name);
  return at == values.end() ? "" : at->second.word;
}

bool ScheduleArguments::isAuto(const std::string &name) const {
  auto at = values.find(name);
  return at != values.end() && at->second.isAuto;
}

bool ScheduleArguments::isGiven(const std::string &name) const {
  auto at = values.find(name);
  return at != values.end() && at->second.isGiven;
}

std::string ScheduleArguments::text() const {
  nlohmann::json object = nlohmann::json::object();
  for (const auto &[name, value] : values)
    if (value.isAuto)
      object[name] = "auto";
    else if (!value.isDefault && !value.word.empty())
      object[name] = value.word;
    else if (!value.isDefault)
      object[name] = value.number;
  return object.empty() ? "" : object.dump();
}

} // namespace zp::rt
