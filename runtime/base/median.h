// The middle of a handful of measurements: what a passing disturbance doesn't move.
#ifndef ZP_RUNTIME_BASE_MEDIAN_H
#define ZP_RUNTIME_BASE_MEDIAN_H

#include <algorithm>
#include <cstddef>
#include <vector>

namespace zp {

/// The upper one of two in the middle; 0 of none.
inline double median(std::vector<double> values) {
  if (values.empty())
    return 0;
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

} // namespace zp

#endif // ZP_RUNTIME_BASE_MEDIAN_H
