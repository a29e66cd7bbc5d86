// Breaks an op's rules one at a time: valid arguments pass, each change is refused with a message that names what.
#ifndef ZP_TESTS_UNIT_RUNTIME_KERNELS_REFUSES_H
#define ZP_TESTS_UNIT_RUNTIME_KERNELS_REFUSES_H

#include <functional>

#include "tests/conformance/support.h"

namespace zp::rt::test {

template <typename Args> struct Broken {
  std::string says; // part of the message
  std::function<void(Args &, Maker &)> change;
};

template <typename Args> void refuses(const Args &valid, Maker &maker, const std::vector<Broken<Args>> &cases) {
  Status status = check(valid);
  ASSERT_TRUE(status.ok()) << status.message();
  int number = 0;
  for (const Broken<Args> &broken : cases) {
    Args args = valid;
    broken.change(args, maker);
    Status refused = check(args);
    SCOPED_TRACE(std::string(OpInfo<Args>::name) + " case " + std::to_string(number++) + ": " + broken.says);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.code(), ErrorCode::PlanInvalid);
    EXPECT_NE(refused.message().find(broken.says), std::string::npos) << refused.message();
    EXPECT_NE(refused.message().find(OpInfo<Args>::name), std::string::npos) << refused.message();
    EXPECT_NE(refused.message().find("expected"), std::string::npos) << refused.message();
  }
}

inline void shrink(TensorView &view) { --view.dims[view.rank - 1]; }

} // namespace zp::rt::test

#endif // ZP_TESTS_UNIT_RUNTIME_KERNELS_REFUSES_H
