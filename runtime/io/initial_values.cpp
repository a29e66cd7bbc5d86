#include "runtime/io/initial_values.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace zp::rt {

InitialValues::InitialValues(uint64_t seed) : seed(static_cast<uint32_t>(seed)), generator(this->seed) {}

void InitialValues::seek(uint64_t output) {
  if (output < position) {
    generator.seed(seed);
    position = 0;
  }
  generator.discard(output - position);
  position = output;
}

uint32_t InitialValues::next() {
  ++position;
  return static_cast<uint32_t>(generator());
}

void InitialValues::uniform(uint64_t generatorOffset, float bound, uint64_t first, uint64_t count, float *out) {
  seek(generatorOffset + first);
  const float low = -bound, span = bound - low;
  for (uint64_t i = 0; i < count; ++i)
    out[i] = std::fmaf(nextUniform(), span, low);
}

void InitialValues::normal(uint64_t generatorOffset, float deviation, uint64_t total, uint64_t first, uint64_t count, float *out) {
  // Pairs lie eight apart and the tail is drawn again, so a slice comes from the whole.
  if (!drawn || drawn->offset != generatorOffset || drawn->deviation != deviation || drawn->values.size() != total) {
    seek(generatorOffset);
    drawn = Drawn{generatorOffset, deviation, std::vector<float>(total)};
    fillNormal(deviation, drawn->values);
  }
  std::copy_n(drawn->values.begin() + static_cast<std::ptrdiff_t>(first), count, out);
}

void InitialValues::fillNormal(float deviation, std::vector<float> &out) {
  const uint64_t total = out.size();
  if (total < 16) {
    auto uniform53 = [&] {
      uint64_t high = next(), low = next();
      return static_cast<double>((high << 32 | low) & ((1ull << 53) - 1)) * 0x1p-53;
    };
    for (uint64_t i = 0; i < total; i += 2) {
      double angle = 2 * std::numbers::pi * uniform53(), radius = std::sqrt(-2 * std::log1p(-uniform53()));
      out[i] = static_cast<float>(radius * std::cos(angle) * deviation);
      if (i + 1 < total)
        out[i + 1] = static_cast<float>(radius * std::sin(angle) * deviation);
    }
    return;
  }
  auto transform = [&](float *at) {
    for (int j = 0; j < 8; ++j) {
      float radius = std::sqrt(-2 * std::log(1 - at[j])), angle = 2 * std::numbers::pi_v<float> * at[j + 8];
      at[j] = radius * std::cos(angle) * deviation;
      at[j + 8] = radius * std::sin(angle) * deviation;
    }
  };
  for (float &value : out)
    value = nextUniform();
  for (uint64_t i = 0; i + 15 < total; i += 16)
    transform(&out[i]);
  if (total % 16 != 0) {
    float *last = &out[total - 16];
    for (int j = 0; j < 16; ++j)
      last[j] = nextUniform();
    transform(last);
  }
}

} // namespace zp::rt
