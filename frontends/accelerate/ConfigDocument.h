// A configuration file whose values remember their lines: YAML as Accelerate writes it, or JSON as DeepSpeed takes it
// (comments, keys without quotes, commas too many).
//
// Contract. Nothing throws out of here; depth and size are bounded; a key that stands twice in one map is an error.
#ifndef ZP_FRONTENDS_ACCELERATE_CONFIGDOCUMENT_H
#define ZP_FRONTENDS_ACCELERATE_CONFIGDOCUMENT_H

#include <string>
#include <vector>

#include "runtime/base/status.h"

namespace zp::fe {

struct ConfigNode {
  enum class Kind { Null, Scalar, List, Map };
  struct Entry;

  Kind kind = Kind::Null;
  std::string text;           ///< of a scalar
  bool quoted = false;        ///< of a scalar: never a number in JSON
  int line = 0;               ///< from 1
  std::vector<Entry> entries; ///< of a map, in the file's order
  std::vector<ConfigNode> items;

  const ConfigNode *find(const std::string &key) const;
  /// As a person would write it in one line, cut when it is long.
  std::string shown() const;
};

struct ConfigNode::Entry {
  std::string key;
  int line = 0;
  ConfigNode value;
};

class ConfigDocument {
public:
  /// FileMissing when it can't be read, Config when it is malformed or no map.
  static StatusOr<ConfigDocument> readYaml(const std::string &path);
  static StatusOr<ConfigDocument> readJson(const std::string &path);
  static StatusOr<ConfigDocument> parseYaml(const std::string &name, const std::string &text);
  static StatusOr<ConfigDocument> parseJson(const std::string &name, const std::string &text);

  const std::string &name() const { return file; }
  const ConfigNode &root() const { return tree; }
  /// `FILE:LINE: key`.
  std::string place(int line, const std::string &key) const;

private:
  std::string file;
  ConfigNode tree;
};

} // namespace zp::fe

#endif // ZP_FRONTENDS_ACCELERATE_CONFIGDOCUMENT_H
