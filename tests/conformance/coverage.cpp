// Ends the suite: every op of the table must have gone through conform().
#include "runtime/kernels/registry.h"
#include "tests/conformance/support.h"

namespace zp::rt::test {

std::set<std::string> &conformedOps() {
  static std::set<std::string> ops;
  return ops;
}

namespace {
class Coverage : public ::testing::Environment {
  void TearDown() override {
    const auto &suite = *::testing::UnitTest::GetInstance();
    if (suite.test_to_run_count() < suite.total_test_count())
      return; // a part of the suite was asked for: a filter's, or a shard. kernel_conformance_test is run whole
    if (suite.ad_hoc_test_result().Failed())
      return; // no test has run: there is no device
    for (const KernelEntry &entry : allKernels())
      EXPECT_TRUE(conformedOps().contains(entry.name)) << entry.name << " has no conformance case";
  }
};
const auto *const kCoverage = ::testing::AddGlobalTestEnvironment(new Coverage);
} // namespace

} // namespace zp::rt::test
