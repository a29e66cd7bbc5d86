#include "frontends/common/Names.h"

#include <algorithm>

namespace zp::fe {

std::string quoteNames(const std::vector<std::string> &names) {
  std::vector<std::string> quoted;
  for (const std::string &name : names)
    quoted.push_back('"' + name + '"');
  return joinNames(quoted);
}

std::vector<std::string> splitCommaList(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    size_t comma = std::min(text.find(','), text.size());
    std::string_view part = text.substr(0, comma);
    text.remove_prefix(std::min(comma + 1, text.size()));
    size_t first = part.find_first_not_of(" \t");
    if (first == std::string_view::npos)
      continue;
    parts.emplace_back(part.substr(first, part.find_last_not_of(" \t") - first + 1));
  }
  return parts;
}

} // namespace zp::fe
