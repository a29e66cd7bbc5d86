#include "frontends/accelerate/ConfigDocument.h"

#include <set>

#include <yaml-cpp/yaml.h>

#include "frontends/common/JsonDocument.h"
#include "runtime/base/text_file.h"

namespace zp::fe {

namespace {

// A configuration has a few dozen keys; an alias of aliases could be read as billions.
constexpr int kDeepest = 20, kMostNodes = 10000;
constexpr size_t kMostBytes = 1 << 20;

class Reader {
public:
  Reader(const std::string &file, const char *what) : file(file), what(what) {}

  ConfigNode convert(const YAML::Node &node, int depth) {
    ConfigNode out;
    out.line = node.Mark().line + 1;
    if (++nodes > kMostNodes || depth > kDeepest)
      return fail(out.line, "the file has too many values, or too deep ones"), out;
    switch (node.Type()) {
    case YAML::NodeType::Scalar:
      out.kind = ConfigNode::Kind::Scalar;
      out.text = node.Scalar();
      out.quoted = node.Tag() == "!";
      break;
    case YAML::NodeType::Sequence:
      out.kind = ConfigNode::Kind::List;
      for (const YAML::Node &item : node)
        if (error.ok())
          out.items.push_back(convert(item, depth + 1));
      break;
    case YAML::NodeType::Map:
      out.kind = ConfigNode::Kind::Map;
      convertEntries(node, out, depth);
      break;
    default:
      break;
    }
    return out;
  }

  void fail(int line, const std::string &reason) {
    if (error.ok())
      error = Status(ErrorCode::Config, file + ":" + std::to_string(line) + ": " + reason + ", expected " + what + "; mend the file");
  }
  Status error;

private:
  void convertEntries(const YAML::Node &node, ConfigNode &out, int depth) {
    std::set<std::string> seen;
    for (const auto &entry : node) {
      int line = entry.first.Mark().line + 1;
      if (!entry.first.IsScalar())
        return fail(line, "a key is no word");
      std::string key = entry.first.Scalar();
      if (!seen.insert(key).second)
        return fail(line, "the key " + key + " stands here for the second time");
      if (error.ok())
        out.entries.push_back({key, line, convert(entry.second, depth + 1)});
    }
  }

  const std::string &file;
  const char *what;
  int nodes = 0;
};

/// Comments of HJSON that YAML doesn't know become blanks; lines stay where they are.
std::string withoutComments(std::string text) {
  bool inString = false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (inString) {
      if (text[i] == '\\')
        ++i;
      else if (text[i] == '"' || text[i] == '\n')
        inString = false;
    } else if (text[i] == '"') {
      inString = true;
    } else if (text.compare(i, 2, "//") == 0 || text[i] == '#') {
      while (i < text.size() && text[i] != '\n')
        text[i++] = ' ';
    } else if (text.compare(i, 2, "/*") == 0) {
      size_t end = std::min(text.find("*/", i + 2), text.size() - 2) + 2;
      for (; i < end; ++i)
        if (text[i] != '\n')
          text[i] = ' ';
      --i;
    } else if (text[i] == '\t' || text[i] == '\r') {
      text[i] = ' '; // YAML forbids tabs where JSON indents with them
    }
  }
  return text;
}

StatusOr<ConfigNode> parse(const std::string &name, const std::string &text, const char *what) {
  Reader reader(name, what);
  ConfigNode tree;
  if (text.size() > kMostBytes) {
    reader.fail(1, "the file has " + std::to_string(text.size()) + " bytes");
    return reader.error;
  }
  try {
    tree = reader.convert(YAML::Load(text), 0);
  } catch (const YAML::Exception &error) {
    reader.fail(error.mark.line + 1, error.msg.substr(0, error.msg.find('\n')));
  }
  ZP_RETURN_IF_ERROR(reader.error);
  if (tree.kind != ConfigNode::Kind::Map) {
    reader.fail(1, "the file holds " + tree.shown());
    return reader.error;
  }
  return tree;
}

} // namespace

const ConfigNode *ConfigNode::find(const std::string &key) const {
  for (const Entry &entry : entries)
    if (entry.key == key)
      return &entry.value;
  return nullptr;
}

std::string ConfigNode::shown() const {
  constexpr size_t kLongest = 60;
  std::string out;
  if (kind == Kind::Null)
    return "nothing";
  if (kind == Kind::Scalar)
    out = text;
  for (const Entry &entry : entries)
    out += (out.empty() ? "" : ", ") + entry.key + ": " + (out.size() < kLongest ? entry.value.shown() : "");
  for (const ConfigNode &item : items)
    out += (out.empty() ? "" : ", ") + (out.size() < kLongest ? item.shown() : std::string());
  for (char &c : out)
    if (static_cast<unsigned char>(c) < ' ')
      c = ' ';
  if (out.size() > kLongest)
    out = out.substr(0, kLongest) + "...";
  return kind == Kind::Map ? "{" + out + "}" : kind == Kind::List ? "[" + out + "]" : out.empty() ? "''" : out;
}

StatusOr<ConfigDocument> ConfigDocument::parseYaml(const std::string &name, const std::string &text) {
  ConfigDocument document;
  document.file = name;
  ZP_ASSIGN_OR_RETURN(document.tree, parse(name, text, "a YAML map of keys"));
  return document;
}

StatusOr<ConfigDocument> ConfigDocument::parseJson(const std::string &name, const std::string &text) {
  ConfigDocument document;
  document.file = name;
  std::string plain = withoutComments(text);
  // What doesn't open with a brace is YAML, not JSON, whatever YAML makes of it.
  size_t first = plain.find_first_not_of(" \n");
  if (first == std::string::npos || plain[first] != '{')
    return Status(ErrorCode::Config, name + ":1: the file doesn't open with {, expected a JSON object; mend the file");
  ZP_ASSIGN_OR_RETURN(document.tree, parse(name, plain, "a JSON object"));
  return document;
}

StatusOr<ConfigDocument> ConfigDocument::readYaml(const std::string &path) {
  ZP_ASSIGN_OR_RETURN(std::string text, readTextFile(path));
  return parseYaml(path, text);
}

StatusOr<ConfigDocument> ConfigDocument::readJson(const std::string &path) {
  ZP_ASSIGN_OR_RETURN(std::string text, readTextFile(path));
  return parseJson(path, text);
}

std::string ConfigDocument::place(int line, const std::string &key) const { return file + ":" + std::to_string(line) + ": " + key; }

} // namespace zp::fe
