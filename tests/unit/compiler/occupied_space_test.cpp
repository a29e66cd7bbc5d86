// The lowest gap that a buffer finds, beside the same found by looking at every other buffer.
#include "compiler/Transforms/Plan/OccupiedSpace.h"

#include <gtest/gtest.h>

#include <random>

namespace zp::plan {
namespace {

struct Place {
  Life life;
  int64_t offset;
  int64_t end() const { return offset + life.size; }
};

bool isFree(const std::vector<Place> &placed, const Life &life, int64_t offset) {
  return std::none_of(placed.begin(), placed.end(),
                      [&](const Place &other) { return other.life.overlaps(life) && offset < other.end() && other.offset < offset + life.size; });
}

/// A gap begins at the base or where another buffer ends.
int64_t lowestByLooking(const std::vector<Place> &placed, const Life &life, int64_t base) {
  int64_t lowest = isFree(placed, life, base) ? base : std::numeric_limits<int64_t>::max();
  for (const Place &other : placed)
    if (other.end() < lowest && other.end() >= base && isFree(placed, life, other.end()))
      lowest = other.end();
  return lowest;
}

// Most lives are short, as a training step's are; some last for the most of it.
TEST(OccupiedSpace, findsTheLowestGap) {
  constexpr int64_t kBase = 512;
  for (unsigned seed = 0; seed < 8; ++seed) {
    std::mt19937 draw(seed);
    auto below = [&](unsigned n) { return draw() % n; };
    OccupiedSpace space;
    std::vector<Place> placed;
    for (int i = 0; i < 600; ++i) {
      Life life;
      life.size = 256 * (1 + below(40));
      life.first = below(1000);
      life.last = life.first + below(below(10) == 0 ? 1000 : 12);
      const int64_t offset = space.lowestFree(life, kBase);
      ASSERT_EQ(offset, lowestByLooking(placed, life, kBase)) << "seed " << seed << ", buffer " << i;
      space.add(life, offset);
      placed.push_back({life, offset});
    }
  }
}

} // namespace
} // namespace zp::plan
