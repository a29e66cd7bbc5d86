#include "frontends/accelerate/KeyTable.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "runtime/base/names.h"

namespace zp::fe {

namespace {

std::optional<double> numberOf(const std::string &word) {
  double value = 0;
  const char *first = word.data() + (word.starts_with("+") ? 1 : 0), *last = word.data() + word.size();
  auto [end, error] = std::from_chars(first, last, value);
  if (error != std::errc() || end != last || first == last || !std::isfinite(value))
    return std::nullopt;
  return value;
}

/// 5e8 is a whole number too. Numbers beyond 2^53 come through only when they are written out.
std::optional<int64_t> wholeOf(const std::string &word) {
  int64_t exact = 0;
  auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), exact);
  if (error == std::errc() && end == word.data() + word.size())
    return exact;
  std::optional<double> value = numberOf(word);
  if (!value || std::trunc(*value) != *value || std::abs(*value) > 9e15)
    return std::nullopt;
  return int64_t(*value);
}

std::vector<std::string> words(const char *accepted) {
  std::vector<std::string> out;
  for (std::string_view rest = accepted; !rest.empty();) {
    size_t bar = std::min(rest.find('|'), rest.size());
    out.emplace_back(rest.substr(0, bar));
    rest.remove_prefix(std::min(bar + 1, rest.size()));
  }
  return out;
}

const char *kindText(ValueKind kind) {
  switch (kind) {
  case ValueKind::Bool:
    return "true or false";
  case ValueKind::Int:
    return "a whole number";
  case ValueKind::Float:
    return "a number";
  case ValueKind::Text:
    return "a word";
  case ValueKind::Any:
    break;
  }
  return "a value";
}

std::string lastPart(const std::string &name) { return name.substr(name.rfind('.') + 1); }

} // namespace

CheckedWord checkWord(const ConfigKey &key, const std::string &word) {
  std::vector<std::string> accepted = words(key.accepted);
  if (std::find(accepted.begin(), accepted.end(), word) != accepted.end())
    return {word, ""};
  // DeepSpeed and Accelerate read most names in any case.
  if (auto known = std::find_if(accepted.begin(), accepted.end(), [&](const std::string &one) { return lowered(one) == lowered(word); });
      known != accepted.end())
    return {*known, ""};
  std::string expected = kindText(key.kind);
  if (!accepted.empty())
    expected = (key.kind == ValueKind::Text ? "" : expected + " or ") + joinNames(accepted, " or ");
  switch (key.kind) {
  case ValueKind::Bool:
    if (std::optional<bool> value = boolWord(word))
      return {*value ? "true" : "false", ""};
    break;
  case ValueKind::Int:
    if (std::optional<int64_t> value = wholeOf(word))
      return {std::to_string(*value), ""};
    break;
  case ValueKind::Float:
    if (numberOf(word))
      return {word, ""};
    break;
  case ValueKind::Text:
    if (accepted.empty())
      return {word, ""};
    break;
  case ValueKind::Any:
    return {word, ""};
  }
  return {"", expected};
}

bool isOff(const ConfigNode &node) {
  switch (node.kind) {
  case ConfigNode::Kind::Null:
    return true;
  case ConfigNode::Kind::Scalar: {
    std::string word = lowered(node.text);
    return word.empty() || word == "none" || word == "null" || boolWord(word) == false || numberOf(word) == 0.0;
  }
  case ConfigNode::Kind::List:
    return node.items.empty();
  case ConfigNode::Kind::Map:
    if (const ConfigNode *enabled = node.find("enabled"))
      return isOff(*enabled) || enabled->text == "auto"; // which no flag of ours turns on
    return std::all_of(node.entries.begin(), node.entries.end(), [](const auto &entry) { return isOff(entry.value); });
  }
  return false;
}

std::optional<std::string> ReadKeys::text(const std::string &name) const {
  auto at = found.find(name);
  if (at == found.end() || at->second->value.kind != ConfigNode::Kind::Scalar)
    return std::nullopt;
  auto word = words.find(name);
  return word == words.end() ? at->second->value.text : word->second;
}

const ConfigKey *KeyTable::find(const std::string &name) const {
  for (const ConfigKey &key : keys)
    if (name == key.name)
      return &key;
  return nullptr;
}

std::vector<std::string> KeyTable::namesIn(const std::string &section) const {
  std::vector<std::string> names;
  for (const ConfigKey &key : keys) {
    std::string name = key.name;
    size_t dot = name.rfind('.');
    if ((dot == std::string::npos ? "" : name.substr(0, dot)) == section)
      names.push_back(lastPart(name));
  }
  return names;
}

Status KeyTable::unknown(const ConfigDocument &document, const ConfigNode::Entry &entry, const std::string &section) const {
  std::vector<std::string> nearest = nearestNames(entry.key, namesIn(section));
  std::string where = section.empty() ? owner : section;
  return Status(ErrorCode::UnknownKey, document.place(entry.line, entry.key) + ": is not a key of " + where + ", expected one that it has; " +
                                           (nearest.empty() ? "drop it" : "did you mean " + nearest[0]));
}

Status KeyTable::readEntry(const ConfigDocument &document, const ConfigNode::Entry &entry, const ConfigKey &key, ReadKeys &into,
                           bool numbersInQuotes) const {
  std::string place = document.place(entry.line, key.name);
  const ConfigNode &node = entry.value;
  if (!into.found.emplace(key.name, &entry).second)
    return Status(ErrorCode::Config, place + ": is set twice under two names, expected it once; drop one");
  auto wrong = [&](const std::string &expected, const std::string &fix) {
    return Status(ErrorCode::Config, place + ": is " + node.shown() + ", expected " + expected + "; " + fix);
  };
  if (key.use == KeyUse::Off)
    return isOff(node) ? Status() : wrong("it off", key.note);
  if (key.use == KeyUse::Section) {
    if (node.kind == ConfigNode::Kind::Null)
      return Status();
    if (node.kind != ConfigNode::Kind::Map)
      return wrong("a map of keys", "write its keys below it");
    return read(document, node, into, numbersInQuotes, key.name);
  }
  if (key.kind == ValueKind::Any || node.kind == ConfigNode::Kind::Null) {
    if (key.use == KeyUse::NoEffect && node.kind != ConfigNode::Kind::Null)
      into.notes.push_back(place + ": " + key.note);
    return Status();
  }
  if (node.kind != ConfigNode::Kind::Scalar)
    return wrong(kindText(key.kind), "correct the value");
  CheckedWord checked = checkWord(key, node.text);
  bool number = key.kind == ValueKind::Int || key.kind == ValueKind::Float;
  if (checked.expected.empty() && number && node.quoted && !numbersInQuotes && numberOf(node.text))
    return wrong(std::string(kindText(key.kind)) + " without quotes", "write " + node.text);
  if (!checked.expected.empty())
    return wrong(checked.expected, "correct the value");
  into.words[key.name] = checked.value;
  if (key.use == KeyUse::NoEffect)
    into.notes.push_back(place + ": " + key.note);
  // "auto" leaves it to the command line, as an absent key does.
  if ((key.use == KeyUse::Setting || key.use == KeyUse::Match) && checked.value != "auto")
    into.wishes.push_back({key.targetName(), checked.value, place, key.use == KeyUse::Match});
  return Status();
}

Status KeyTable::read(const ConfigDocument &document, const ConfigNode &map, ReadKeys &into, bool numbersInQuotes, const std::string &section) const {
  std::string prefix = section.empty() ? "" : section + ".";
  for (const ConfigNode::Entry &entry : map.entries) {
    if (entry.key.starts_with("_") || entry.key.starts_with("//")) // as people write comments in JSON
      continue;
    const ConfigKey *key = find(prefix + entry.key);
    if (!key) // DeepSpeed takes its stage-3 keys without their prefix too
      key = find(prefix + "stage3_" + entry.key);
    if (!key)
      return unknown(document, entry, section);
    ZP_RETURN_IF_ERROR(readEntry(document, entry, *key, into, numbersInQuotes));
  }
  return Status();
}

} // namespace zp::fe
