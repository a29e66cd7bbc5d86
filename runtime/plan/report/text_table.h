// Text for people: columns that line up, and numbers with a unit.
#ifndef ZP_RUNTIME_PLAN_REPORT_TEXT_TABLE_H
#define ZP_RUNTIME_PLAN_REPORT_TEXT_TABLE_H

#include <cstdint>
#include <string>
#include <vector>

namespace zp::rt {

class TextTable {
public:
  /// A letter a column, `l` or `r`: to which side its cells lean.
  explicit TextTable(std::string columns) : columns(std::move(columns)) {}
  void row(std::vector<std::string> cells) { rows.push_back(std::move(cells)); }
  bool empty() const { return rows.empty(); }
  /// Each row on a line behind `indent` spaces; no blanks at a line's end.
  std::string print(size_t indent = 2) const;

private:
  std::string columns;
  std::vector<std::vector<std::string>> rows;
};

/// "79.1 MB": powers of ten, three digits or more.
std::string humanBytes(uint64_t bytes);
/// "1.23 T" and the like, for counts of operations and elements.
std::string humanCount(double count);
/// "12.3 %", of a whole that may be 0.
std::string percent(double part, double whole);
/// With so many digits behind the point.
std::string fixed(double value, int digits);
/// The nearest whole number of a count that is none.
uint64_t wholeNumber(double count);
inline std::string digits(uint64_t value) { return std::to_string(value); }

} // namespace zp::rt

#endif // ZP_RUNTIME_PLAN_REPORT_TEXT_TABLE_H
