// Breaks an op's rules one at a time: valid arguments pass, each change is refused with a message that names what.
#ifndef ZP_TESTS_UNIT_RUNTIME_KERNELS_REFUSES_H
#define ZP_TESTS_UNIT_RUNTIME_KERNELS_REFUSES_H

#include <functional>

#include "tests/conformance/support.h"

namespace zp::rt::test {

inline constexpr DType kF32 = DType::F32;

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

/// What both products refuse of a branch: given `valid`, whose target is f32[4,5], one of rank 3. `branchB`: the dims it must have.
template <typename Args> void refusesBranches(Args valid, Maker &maker, std::initializer_list<int64_t> branchB, const std::string &branchBText) {
  valid.branchA = maker.normal(kF32, {4, 3}), valid.branchB = maker.normal(kF32, branchB), valid.branchAlpha = 2;
  refuses<Args>(valid, maker,
                {{"branch_a is absent", [](auto &x, Maker &) { x.branchA = {}; }},
                 {"branch_b is absent", [](auto &x, Maker &) { x.branchB = {}; }},
                 {"branch_a is bf16", [](auto &x, Maker &) { x.branchA.dtype = DType::BF16; }},
                 {"branch_b is bf16", [](auto &x, Maker &) { x.branchB.dtype = DType::BF16; }},
                 {"branch_a is f32[3,3]", [](auto &x, Maker &) { x.branchA.dims[0] = 3; }},
                 {"branch_a is f32[4]", [](auto &x, Maker &) { x.branchA.rank = 1; }},
                 {"branch_b is f32[" + branchBText + "]", [](auto &x, Maker &) { x.branchA.dims[1] = 2; }},
                 {"branch_a has 257 columns",
                  [](auto &x, Maker &m) {
                    x.branchA = m.empty(kF32, {4, 257});
                  }},
                 {"branch_alpha", [](auto &x, Maker &) { x.branchAlpha = NAN; }},
                 {"target overlaps branch_b", [](auto &x, Maker &) { x.branchB.data = x.target.data; }}});
}

} // namespace zp::rt::test

#endif // ZP_TESTS_UNIT_RUNTIME_KERNELS_REFUSES_H
