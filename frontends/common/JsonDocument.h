// A JSON file whose values remember where they stand, so that an error can name FILE:LINE and the
// key.
//
// Contract. Nothing throws out of here. A document keeps its text; JsonReader gives typed values by
// key path, takes null for absent, and holds on to the first error: read everything, then look at
// status() once.
#ifndef ZP_FRONTENDS_COMMON_JSONDOCUMENT_H
#define ZP_FRONTENDS_COMMON_JSONDOCUMENT_H

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "runtime/base/status.h"

namespace zp::fe {

/// Keys from the root down.
struct KeyPath : std::vector<std::string> {
  KeyPath(const char *key) : std::vector<std::string>{key} {}
  KeyPath(const std::string &key) : std::vector<std::string>{key} {}
  KeyPath(std::initializer_list<std::string> keys) : std::vector<std::string>(keys) {}
  std::string text() const; ///< a.b.c
};

class JsonDocument {
public:
  /// FileMissing when it cannot be read, Json when it is malformed or no object.
  static StatusOr<JsonDocument> read(const std::string &path);
  static StatusOr<JsonDocument> parse(const std::string &name, std::string text);

  const std::string &name() const { return file; }
  const std::string &text() const { return source; }
  const nlohmann::ordered_json &root() const { return tree; }
  /// Null when the path leads nowhere.
  const nlohmann::ordered_json *find(const KeyPath &path) const;
  /// `FILE:LINE: a.b`, or `FILE: a.b` when the path leads nowhere.
  std::string place(const KeyPath &path) const;
  Status error(ErrorCode code, const KeyPath &path, const std::string &message) const;

private:
  std::string file, source;
  nlohmann::ordered_json tree;
};

class JsonReader {
public:
  explicit JsonReader(const JsonDocument &document) : document(document) {}

  /// There and not null.
  bool has(const KeyPath &path) const;
  /// There, null or not.
  bool contains(const KeyPath &path) const { return document.find(path); }

  int64_t integer(const KeyPath &path, int64_t absent);
  double number(const KeyPath &path, double absent);
  bool boolean(const KeyPath &path, bool absent);
  std::string text(const KeyPath &path, const std::string &absent);
  /// A list of strings; empty when absent.
  std::vector<std::string> texts(const KeyPath &path);
  std::vector<int64_t> integers(const KeyPath &path);

  /// The value as JSON, cut when it is long; the path must lead somewhere.
  std::string valueText(const KeyPath &path) const;
  /// Keeps the first of several.
  void fail(ErrorCode code, const KeyPath &path, const std::string &message);
  const Status &status() const { return first; }
  const JsonDocument &source() const { return document; }

private:
  template <typename T> T wrongType(const KeyPath &path, const char *expected, T absent);

  const JsonDocument &document;
  Status first;
};

} // namespace zp::fe

#endif // ZP_FRONTENDS_COMMON_JSONDOCUMENT_H
