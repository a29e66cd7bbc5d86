#include "runtime/quant/python_repr.h"

#include <charconv>
#include <cstdlib>

namespace zp::rt {

std::string pythonRepr(double value) {
  char buffer[40];
  auto end = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific).ptr;
  std::string text(buffer, end); // [-]d[.ddd]e±dd[d], as Python writes exponents too
  size_t mark = text.find('e');
  int exponent = std::atoi(text.c_str() + mark + 1);
  if (exponent < -4 || exponent >= 16)
    return text;

  std::string sign = text[0] == '-' ? "-" : "";
  std::string digits = text.substr(sign.size(), mark - sign.size());
  if (digits.size() > 1)
    digits.erase(1, 1);
  if (exponent < 0)
    return sign + "0." + std::string(static_cast<size_t>(-exponent - 1), '0') + digits;
  size_t whole = static_cast<size_t>(exponent) + 1;
  if (digits.size() <= whole)
    return sign + digits + std::string(whole - digits.size(), '0') + ".0";
  return sign + digits.substr(0, whole) + "." + digits.substr(whole);
}

} // namespace zp::rt
