#include "runtime/trainer/row_order.h"

#include <algorithm>
#include <numeric>
#include <random>
#include <utility>

namespace zp::rt {

std::vector<uint32_t> randomPermutation(uint32_t n, uint64_t seed) {
  std::vector<uint32_t> order(n);
  std::iota(order.begin(), order.end(), 0u);
  std::mt19937 generator(static_cast<uint32_t>(seed));
  for (uint32_t i = 0; i + 1 < n; ++i)
    std::swap(order[i], order[i + static_cast<uint32_t>(generator()) % (n - i)]);
  return order;
}

RowOrder::RowOrder(const RowOrderOptions &options) : options(options) {
  const uint64_t round = static_cast<uint64_t>(options.ranks) * options.batch;
  usable = options.dropLast ? options.rows - options.rows % round : options.rows;
  rounds = (usable + round - 1) / round;
}

uint64_t RowOrder::updatesPerEpoch() const { return std::max<uint64_t>(1, (rounds + options.accumulation - 1) / options.accumulation); }

uint64_t RowOrder::placesPerUpdate() const {
  return static_cast<uint64_t>(options.accumulation) * static_cast<uint64_t>(options.ranks) * options.batch;
}

double RowOrder::epochAfter(uint64_t update) const {
  uint64_t whole = update / updatesPerEpoch(), within = update % updatesPerEpoch();
  uint64_t done = std::min<uint64_t>((within + 1) * options.accumulation, rounds);
  return static_cast<double>(whole) + static_cast<double>(done) / static_cast<double>(std::max<uint64_t>(1, rounds));
}

int64_t RowOrder::row(uint64_t update, uint64_t place) {
  uint64_t wanted = update / updatesPerEpoch();
  uint64_t at = (update % updatesPerEpoch()) * placesPerUpdate() + place;
  if (at >= usable)
    return kPadding;
  if (!options.shuffled)
    return static_cast<int64_t>(at);
  if (wanted != epoch) {
    order = randomPermutation(options.rows, options.seed + wanted);
    epoch = wanted;
  }
  return order[at];
}

} // namespace zp::rt
