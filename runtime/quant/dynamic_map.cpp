#include "runtime/quant/dynamic_map.h"

#include <algorithm>
#include <cmath>

namespace zp::rt {

namespace {

constexpr float kPowersOfTen[7] = {1e-6f, 1e-5f, 1e-4f, 1e-3f, 1e-2f, 1e-1f, 1.0f};

/// Point `k` of the intervals + 1 evenly spaced points of [0.1, 1], as torch.linspace rounds it: from the nearer end.
float boundary(int k, int intervals) {
  constexpr float kFirst = 0.1f, kLast = 1.0f;
  float step = (kLast - kFirst) / static_cast<float>(intervals);
  if (k < (intervals + 1) / 2)
    return std::fma(step, static_cast<float>(k), kFirst);
  return std::fma(-step, static_cast<float>(intervals - k), kLast);
}

/// For each decade 10^(i-6) the middles of 2^i intervals, with both signs; and 0 and 1.
DynamicMap makeDynamicMap() {
  DynamicMap map{};
  auto next = map.begin();
  *next++ = 0.0f;
  *next++ = 1.0f;
  for (int i = 0; i < 7; ++i) {
    int intervals = 1 << i;
    for (int k = 0; k < intervals; ++k) {
      float mean = (boundary(k, intervals) + boundary(k + 1, intervals)) * 0.5f;
      float value = kPowersOfTen[i] * mean;
      *next++ = value;
      *next++ = -value;
    }
  }
  std::sort(map.begin(), map.end());
  return map;
}

} // namespace

const DynamicMap &dynamicMap() {
  static const DynamicMap map = makeDynamicMap();
  return map;
}

} // namespace zp::rt
