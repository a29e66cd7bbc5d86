#include "frontends/huggingface/AlibiSlopes.h"

#include "tests/unit/frontends/support.h"

using namespace zp::fe;
using namespace zp::fe::test;

// fixtures/alibi_slopes.json is what transformers computes.
TEST(AlibiSlopes, equalTheReference) {
  for (const auto &reference : fixture("alibi_slopes.json")) {
    std::vector<float> slopes = alibiSlopes(reference["heads"]);
    ASSERT_EQ(slopes.size(), reference["slopes"].size());
    for (size_t i = 0; i < slopes.size(); ++i) {
      float expected = float(reference["slopes"][i].get<double>());
      // Two roundings of the power apart at most.
      EXPECT_NEAR(slopes[i], expected, 2.5e-7 * expected) << slopes.size() << " heads, " << i;
    }
  }
}
