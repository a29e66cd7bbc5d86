// A number as messages show it: 0.001, 1e-08.
#ifndef ZP_RUNTIME_BASE_NUMBER_TEXT_H
#define ZP_RUNTIME_BASE_NUMBER_TEXT_H

#include <cstdio>
#include <string>

namespace zp {

inline std::string numberText(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.12g", value);
  return text;
}

} // namespace zp

#endif // ZP_RUNTIME_BASE_NUMBER_TEXT_H
