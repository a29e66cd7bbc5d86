// How deep JSON nests. What reads it afterwards copies, compares and prints it by recursion.
#ifndef ZP_RUNTIME_BASE_JSON_DEPTH_H
#define ZP_RUNTIME_BASE_JSON_DEPTH_H

#include <cstddef>
#include <string_view>

namespace zp {

inline constexpr size_t kDeepestJson = 100;

/// Whether objects and lists of a text that should be JSON lie inside each other beyond kDeepestJson levels.
inline bool nestsTooDeep(std::string_view text) {
  size_t depth = 0;
  bool inString = false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"')
      inString = !inString;
    else if (inString)
      i += text[i] == '\\';
    else if (text[i] == '{' || text[i] == '[')
      ++depth;
    else if ((text[i] == '}' || text[i] == ']') && depth > 0)
      --depth;
    if (depth > kDeepestJson)
      return true;
  }
  return false;
}

/// What a text says, as nlohmann's `Document`: null for one that nests too deep, discarded for one that is no JSON.
template <typename Document> Document parseJson(std::string_view text) {
  return nestsTooDeep(text) ? Document() : Document::parse(text, nullptr, /*allow_exceptions=*/false);
}

} // namespace zp

#endif // ZP_RUNTIME_BASE_JSON_DEPTH_H
