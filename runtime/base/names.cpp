#include "runtime/base/names.h"

#include <algorithm>
#include <cctype>
#include <numeric>

namespace zp {

size_t editDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t(0));
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i + 1;
    for (size_t j = 0; j < b.size(); ++j) {
      size_t substituted = diagonal + (a[i] != b[j]);
      diagonal = row[j + 1];
      row[j + 1] = std::min({row[j] + 1, row[j + 1] + 1, substituted});
    }
  }
  return row.back();
}

std::vector<std::string> nearestNames(std::string_view name, const std::vector<std::string> &known, size_t most) {
  std::vector<std::pair<size_t, std::string>> ranked;
  for (const std::string &candidate : known)
    if (size_t distance = editDistance(name, candidate); 2 * distance <= name.size())
      ranked.emplace_back(distance, candidate);
  std::stable_sort(ranked.begin(), ranked.end(), [](const auto &a, const auto &b) { return a.first < b.first; });
  std::vector<std::string> nearest;
  for (size_t i = 0; i < std::min(most, ranked.size()); ++i)
    nearest.push_back(ranked[i].second);
  return nearest;
}

std::string joinNames(const std::vector<std::string> &names, std::string_view separator) {
  std::string joined;
  for (const std::string &name : names)
    joined.append(joined.empty() ? "" : separator).append(name);
  return joined;
}

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

static bool isUpper(char c) { return c >= 'A' && c <= 'Z'; }

std::string lowered(std::string_view text) {
  std::string out(text);
  for (char &c : out)
    if (isUpper(c))
      c = static_cast<char>(c - 'A' + 'a');
  return out;
}

std::string snakeCase(std::string_view name) {
  std::string out;
  for (char c : name) {
    if (isUpper(c) && !out.empty())
      out += '_';
    out += c;
  }
  return lowered(out);
}

std::optional<bool> boolWord(std::string_view text) {
  const std::string word = lowered(text);
  for (const char *yes : {"true", "yes", "on", "t", "y", "1"})
    if (word == yes)
      return true;
  for (const char *no : {"false", "no", "off", "f", "n", "0"})
    if (word == no)
      return false;
  return std::nullopt;
}

} // namespace zp
