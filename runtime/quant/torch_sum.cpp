#include "runtime/quant/torch_sum.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

namespace zp::rt {

namespace {

constexpr uint64_t kRows = 4, kLevels = 4, kLanes = 8;

/// Lanes are summed side by side; the additions of one lane stay in order.
template <uint64_t Lanes> struct Vector {
  std::array<float, Lanes> lanes{};

  void add(const float *values) {
    for (uint64_t i = 0; i < Lanes; ++i)
      lanes[i] += values[i];
  }
  void add(const Vector &other) { add(other.lanes.data()); }
};

/// Sums `count` vectors that lie one after the other: vector i goes to row i mod 4. A row cascades: every 2^power steps
/// its lowest level is emptied into the next, and so on up at the carries, so that no level adds up long runs.
template <uint64_t Lanes> Vector<Lanes> sumVectors(const float *values, uint64_t count) {
  uint64_t steps = count / kRows;
  uint64_t ceilLog2 = steps > 1 ? std::bit_width(steps - 1) : 0;
  uint64_t power = std::max(kLevels, ceilLog2 / kLevels);
  uint64_t groupMask = (uint64_t{1} << power) - 1;

  Vector<Lanes> levels[kLevels][kRows];
  for (uint64_t step = 0; step < steps;) {
    for (uint64_t row = 0; row < kRows; ++row)
      levels[0][row].add(values + (step * kRows + row) * Lanes);
    ++step;
    if ((step & groupMask) != 0)
      continue;
    for (uint64_t level = 1; level < kLevels; ++level) {
      for (uint64_t row = 0; row < kRows; ++row) {
        levels[level][row].add(levels[level - 1][row]);
        levels[level - 1][row] = {};
      }
      if ((step & (groupMask << (level * power))) != 0)
        break;
    }
  }
  for (uint64_t level = 1; level < kLevels; ++level)
    for (uint64_t row = 0; row < kRows; ++row)
      levels[0][row].add(levels[level][row]);

  Vector<Lanes> &sum = levels[0][0];
  for (uint64_t i = steps * kRows; i < count; ++i)
    sum.add(values + i * Lanes);
  for (uint64_t row = 1; row < kRows; ++row)
    sum.add(levels[0][row]);
  return sum;
}

} // namespace

float torchSum(std::span<const float> values) {
  if (values.size() < kLanes)
    return sumVectors<1>(values.data(), values.size()).lanes[0];
  uint64_t vectors = values.size() / kLanes;
  float sum = 0;
  for (float value : values.subspan(vectors * kLanes))
    sum += value;
  for (float lane : sumVectors<kLanes>(values.data(), vectors).lanes)
    sum += lane;
  return sum;
}

} // namespace zp::rt
