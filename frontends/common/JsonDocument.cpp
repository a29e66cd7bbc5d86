#include "frontends/common/JsonDocument.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string_view>

#include "runtime/base/json_depth.h"
#include "runtime/base/names.h"
#include "runtime/base/text_file.h"

namespace zp::fe {

using Json = nlohmann::ordered_json;

std::string KeyPath::text() const { return joinNames(*this, "."); }

namespace {

/// Walks the text of a document that has been parsed, so its syntax is sound; finds where a key
/// stands.
class KeyScanner {
public:
  explicit KeyScanner(std::string_view text) : text(text) {}

  std::optional<size_t> find(const KeyPath &path) {
    size_t depth = 0;
    skipBlanks();
    while (peek() == '{') {
      ++at;
      bool entered = false;
      while (skipBlanks(), peek() == '"') {
        size_t start = at;
        std::string_view key = readString();
        skipBlanks();
        ++at; // ':'
        skipBlanks();
        if (key == path[depth]) {
          if (++depth == path.size())
            return start;
          entered = true;
          break;
        }
        skipValue();
        skipBlanks();
        if (peek() == ',')
          ++at;
      }
      if (!entered)
        return std::nullopt;
    }
    return std::nullopt;
  }

private:
  char peek() const { return at < text.size() ? text[at] : '\0'; }
  void skipBlanks() {
    while (at < text.size() && std::strchr(" \t\r\n", text[at]))
      ++at;
  }
  std::string_view readString() {
    size_t start = ++at;
    while (at < text.size() && text[at] != '"')
      at += text[at] == '\\' ? 2 : 1;
    return text.substr(start, std::min(at++, text.size()) - start);
  }
  void skipValue() {
    int nesting = 0;
    while (at < text.size()) {
      char c = text[at];
      if (c == '"') {
        readString();
      } else {
        if (nesting == 0 && (c == ',' || c == '}' || c == ']'))
          return;
        nesting += (c == '{' || c == '[') - (c == '}' || c == ']');
        ++at;
      }
    }
  }

  std::string_view text;
  size_t at = 0;
};

size_t lineAt(const std::string &text, size_t offset) { return 1 + std::count(text.begin(), text.begin() + std::min(offset, text.size()), '\n'); }

} // namespace

StatusOr<JsonDocument> JsonDocument::read(const std::string &path) {
  ZP_ASSIGN_OR_RETURN(std::string text, readTextFile(path));
  return parse(path, std::move(text));
}

StatusOr<JsonDocument> JsonDocument::parse(const std::string &name, std::string text) {
  JsonDocument document;
  document.file = name;
  document.source = std::move(text);
  if (nestsTooDeep(document.source))
    return Status(ErrorCode::Json,
                  name + ": nests deeper than " + std::to_string(kDeepestJson) + " levels, expected a JSON object; fetch or write the file again");
  try {
    document.tree = Json::parse(document.source);
  } catch (const Json::parse_error &error) {
    return Status(ErrorCode::Json, name + ":" + std::to_string(lineAt(document.source, error.byte ? error.byte - 1 : 0)) +
                                       ": the text is no JSON at byte " + std::to_string(error.byte) +
                                       ", expected a JSON object; fetch or write the file again");
  } catch (const std::exception &error) {
    return Status(ErrorCode::Json, name + ": " + error.what() + ", expected a JSON object; write the file again");
  }
  if (!document.tree.is_object())
    return Status(ErrorCode::Json,
                  name + ":1: the file holds " + document.tree.type_name() + ", expected a JSON object; fetch or write the file again");
  return document;
}

const Json *JsonDocument::find(const KeyPath &path) const {
  const Json *node = &tree;
  for (const std::string &key : path) {
    if (!node->is_object())
      return nullptr;
    auto member = node->find(key);
    if (member == node->end())
      return nullptr;
    node = &*member;
  }
  return node;
}

std::string JsonDocument::place(const KeyPath &path) const {
  std::optional<size_t> offset = path.empty() ? std::nullopt : KeyScanner(source).find(path);
  return file + (offset ? ":" + std::to_string(lineAt(source, *offset)) : "") + ": " + path.text();
}

Status JsonDocument::error(ErrorCode code, const KeyPath &path, const std::string &message) const {
  return Status(code, place(path) + ": " + message);
}

bool JsonReader::has(const KeyPath &path) const {
  const Json *node = document.find(path);
  return node && !node->is_null();
}

std::string JsonReader::valueText(const KeyPath &path) const {
  constexpr size_t kLongest = 60;
  std::string text = document.find(path)->dump(-1, ' ', /*ensure_ascii=*/true);
  return text.size() <= kLongest ? text : text.substr(0, kLongest) + "…";
}

void JsonReader::fail(ErrorCode code, const KeyPath &path, const std::string &message) {
  if (first.ok())
    first = document.error(code, path, message);
}

template <typename T> T JsonReader::wrongType(const KeyPath &path, const char *expected, T absent) {
  fail(ErrorCode::Json, path, "is " + valueText(path) + ", expected " + expected + "; correct the value");
  return absent;
}

int64_t JsonReader::integer(const KeyPath &path, int64_t absent) {
  if (!has(path))
    return absent;
  const Json &node = *document.find(path);
  if (node.is_number_unsigned() && node.get<uint64_t>() > uint64_t(INT64_MAX))
    return wrongType(path, "a whole number below 2^63", absent);
  if (node.is_number_integer())
    return node.get<int64_t>();
  if (node.is_number_float() && std::abs(node.get<double>()) < 9e15 && std::trunc(node.get<double>()) == node.get<double>())
    return int64_t(node.get<double>());
  return wrongType(path, "a whole number", absent);
}

double JsonReader::number(const KeyPath &path, double absent) {
  if (!has(path))
    return absent;
  const Json &node = *document.find(path);
  return node.is_number() ? node.get<double>() : wrongType(path, "a number", absent);
}

bool JsonReader::boolean(const KeyPath &path, bool absent) {
  if (!has(path))
    return absent;
  const Json &node = *document.find(path);
  return node.is_boolean() ? node.get<bool>() : wrongType(path, "true or false", absent);
}

std::string JsonReader::text(const KeyPath &path, const std::string &absent) {
  if (!has(path))
    return absent;
  const Json &node = *document.find(path);
  return node.is_string() ? node.get<std::string>() : wrongType(path, "a string", absent);
}

std::vector<std::string> JsonReader::texts(const KeyPath &path) {
  std::vector<std::string> values;
  if (!has(path))
    return values;
  const Json &node = *document.find(path);
  if (!node.is_array())
    return wrongType(path, "a list of strings", values);
  for (const Json &entry : node) {
    if (!entry.is_string())
      return wrongType(path, "a list of strings", std::vector<std::string>());
    values.push_back(entry.get<std::string>());
  }
  return values;
}

std::vector<int64_t> JsonReader::integers(const KeyPath &path) {
  std::vector<int64_t> values;
  if (!has(path))
    return values;
  const Json &node = *document.find(path);
  if (!node.is_array())
    return wrongType(path, "a list of whole numbers", values);
  for (const Json &entry : node) {
    if (!entry.is_number_integer())
      return wrongType(path, "a list of whole numbers", std::vector<int64_t>());
    values.push_back(entry.get<int64_t>());
  }
  return values;
}

} // namespace zp::fe
