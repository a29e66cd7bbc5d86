#include "runtime/quant/nested_scales.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "runtime/quant/torch_sum.h"

namespace zp::rt {

namespace {

constexpr float kLargestPlace = 65535.0f;

/// The reference doesn't search the map: it rounds to one of 65536 places in [-1, 1] and looks the code up. Near zero,
/// where the map is finer than the places, this is not the nearest code, and codes 124 to 130 never occur.
std::vector<uint8_t> makeCodeOfPlace() {
  const DynamicMap &map = dynamicMap();
  std::vector<uint8_t> codes(65536);
  int code = 0;
  for (int place = 0; place < 65536; ++place) {
    float value = static_cast<float>(2 * place) / kLargestPlace - 1.0f;
    while (code < 255 && (map[code] + map[code + 1]) * 0.5f < value)
      ++code;
    codes[place] = static_cast<uint8_t>(code);
  }
  return codes;
}

uint8_t codeOf(float value) {
  static const std::vector<uint8_t> codeOfPlace = makeCodeOfPlace();
  if (std::isnan(value)) // zero over zero, in a group of equal scales, or over the smallest denormals
    return codeOfPlace[0];
  float unit = (std::clamp(value, -1.0f, 1.0f) + 1.0f) * 0.5f;
  return codeOfPlace[static_cast<size_t>(unit * kLargestPlace + 0.5f)];
}

float nestedScaleOf(std::span<const float> absmax, float offset, uint64_t group) {
  uint64_t begin = group * kNestedBlockSize;
  float largest = 0;
  for (float scale : absmax.subspan(begin, std::min(kNestedBlockSize, absmax.size() - begin)))
    largest = std::max(largest, std::fabs(scale - offset));
  return largest;
}

} // namespace

float offsetOfScales(std::span<const float> absmax) { return absmax.empty() ? 0 : torchSum(absmax) / static_cast<float>(absmax.size()); }

void nestScales(std::span<const float> absmax, float offset, uint64_t firstGroup, std::span<float> nestedAbsmax) {
  for (float &nested : nestedAbsmax)
    nested = nestedScaleOf(absmax, offset, firstGroup++);
}

void quantizeScales(std::span<const float> absmax, float offset, uint64_t first, std::span<uint8_t> codes) {
  while (!codes.empty()) {
    float nested = nestedScaleOf(absmax, offset, first / kNestedBlockSize);
    uint64_t n = std::min<uint64_t>(kNestedBlockSize - first % kNestedBlockSize, codes.size());
    float reciprocal = 1.0f / nested;
    for (uint64_t i = 0; i < n; ++i)
      codes[i] = codeOf((absmax[first + i] - offset) * reciprocal);
    codes = codes.subspan(n);
    first += n;
  }
}

void dequantizeScales(std::span<const uint8_t> codes, std::span<const float> nestedAbsmax, float offset, const DynamicMap &map, uint64_t first,
                      std::span<float> absmax) {
  for (uint64_t i = 0; i < codes.size(); ++i) {
    float scaled = map[codes[i]] * nestedAbsmax[(first + i) / kNestedBlockSize];
    absmax[i] = scaled + offset;
  }
}

} // namespace zp::rt
