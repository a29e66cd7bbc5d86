#include "frontends/huggingface/AlibiSlopes.h"

#include <bit>
#include <cmath>

namespace zp::fe {

std::vector<float> alibiSlopes(int64_t heads) {
  const auto whole = static_cast<int64_t>(std::bit_floor(static_cast<uint64_t>(heads)));
  auto base = [](int64_t count) { return static_cast<float>(std::exp2(-8.0 / static_cast<double>(count))); };
  std::vector<float> slopes;
  for (int64_t i = 1; i <= whole; ++i)
    slopes.push_back(std::pow(base(whole), static_cast<float>(i)));
  for (int64_t i = 1; static_cast<int64_t>(slopes.size()) < heads; i += 2)
    slopes.push_back(std::pow(base(2 * whole), static_cast<float>(i)));
  return slopes;
}

} // namespace zp::fe
