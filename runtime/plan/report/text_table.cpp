#include "runtime/plan/report/text_table.h"

#include <algorithm>
#include <cstdio>

namespace zp::rt {

std::string TextTable::print(size_t indent) const {
  std::vector<size_t> widths(columns.size());
  for (const auto &row : rows)
    for (size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], row[i].size());
  std::string text;
  for (const auto &row : rows) {
    std::string line(indent, ' ');
    for (size_t i = 0; i < row.size(); ++i) {
      std::string blank(widths[i] - row[i].size(), ' ');
      line += (i ? "  " : "") + (columns[i] == 'r' ? blank + row[i] : row[i] + blank);
    }
    line.resize(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

static std::string scaled(double value, const char *const *units, size_t count) {
  size_t unit = 0;
  while (value >= 999.5 && unit + 1 < count) {
    value /= 1000;
    ++unit;
  }
  return fixed(value, unit == 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2) + units[unit];
}

std::string humanBytes(uint64_t bytes) {
  static const char *const units[] = {" B", " kB", " MB", " GB", " TB", " PB"};
  return scaled(static_cast<double>(bytes), units, std::size(units));
}

std::string humanCount(double count) {
  static const char *const units[] = {"", " k", " M", " G", " T", " P", " E"};
  return scaled(count, units, std::size(units));
}

uint64_t wholeNumber(double count) { return count >= 1e19 ? 10000000000000000000u : static_cast<uint64_t>(count + 0.5); }

std::string percent(double part, double whole) { return fixed(whole > 0 ? 100 * part / whole : 0, 1) + " %"; }

std::string fixed(double value, int digits) {
  char text[64];
  std::snprintf(text, sizeof(text), "%.*f", digits, value);
  return text;
}

} // namespace zp::rt
