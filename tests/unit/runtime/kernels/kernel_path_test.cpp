#include "runtime/kernels/kernel_path.h"

#include "runtime/kernels/gemm/bf16_engine.h"
#include "tests/conformance/support.h"

namespace zp::rt::test {
namespace {

/// Leaves the process on the path that it had.
class KernelPaths : public ::testing::Test {
protected:
  const KernelPath before = kernelPath();
  void TearDown() override { ASSERT_TRUE(useKernelPath(textOf(before)).ok()); }

  static std::vector<float> product() {
    Maker maker;
    MatmulArgs args;
    args.a = maker.normal(DType::F32, {20, 300});
    args.b = maker.normal(DType::F32, {300, 30});
    args.target = maker.empty(DType::F32, {20, 30});
    args.alpha = 1;
    cpu::run(KernelContext{}, args);
    return {args.target.as<float>(), args.target.as<float>() + 600};
  }
};

TEST_F(KernelPaths, TheFastestIsTheDefault) {
  EXPECT_TRUE(canRun(KernelPath::Portable));
  EXPECT_TRUE(canRun(before));
  for (KernelPath path : kKernelPaths) {
    if (path == before)
      break;
    EXPECT_TRUE(!canRun(path) || path == KernelPath::Avx512Bf16) << textOf(path); // which Intel parts are better without
  }
}

TEST_F(KernelPaths, EachThatRunsIsUsedAndCanBeLeft) {
  std::set<std::vector<float>> results;
  for (int turn = 0; turn < 2; ++turn)
    for (KernelPath path : kKernelPaths) {
      if (!canRun(path))
        continue;
      ASSERT_TRUE(useKernelPath(textOf(path)).ok());
      EXPECT_EQ(kernelPath(), path);
      const Bf16Engine *engine = nativeBf16Engine();
      EXPECT_EQ(engine != nullptr, path == KernelPath::Amx || path == KernelPath::Avx512Bf16);
      results.insert(product());
    }
  // Scalar code sums without fused multiply-adds, so the choice shows in the bits. AVX-512 sums as AVX2 does.
  EXPECT_EQ(results.size(), canRun(KernelPath::Avx2) ? 2u : 1u);
}

TEST_F(KernelPaths, RefusesWhatItCannotRun) {
  for (std::string name : {"", "avx", "AVX2", "avx2 ", "sse4"}) {
    Status status = useKernelPath(name);
    ASSERT_FALSE(status.ok()) << name;
    EXPECT_EQ(status.code(), ErrorCode::Usage);
    EXPECT_NE(status.message().find("portable"), std::string::npos) << status.message();
  }
  for (KernelPath path : kKernelPaths)
    if (!canRun(path)) {
      EXPECT_NE(useKernelPath(textOf(path)).message().find("cannot run"), std::string::npos);
    }
  EXPECT_EQ(kernelPath(), before);
}

TEST_F(KernelPaths, TheListHasEachOnALine) {
  const std::string list = listKernelPaths();
  EXPECT_EQ(std::count(list.begin(), list.end(), '\n'), std::ssize(kKernelPaths));
  for (KernelPath path : kKernelPaths)
    EXPECT_NE(list.find(std::string(canRun(path) ? "runs: " : "cannot run: ") + textOf(path) + (canRun(path) ? "\n" : " (")), std::string::npos)
        << list;
}

} // namespace
} // namespace zp::rt::test
