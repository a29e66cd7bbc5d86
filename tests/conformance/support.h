// The suite that holds a kernel to its oracle. `conform(args)` runs an op by reference.cpp and by `fast::run`, which is cpu.cpp or, in
// the suite that is built for a device, cuda.cu, on copies of the same operands and compares every written operand; with 1, 2 and 3 threads the bits
// must agree, what is only read must stay as it was, and the bytes around each operand must be untouched. Aliases among the operands are kept in the
// copies.
#ifndef ZP_TESTS_CONFORMANCE_SUPPORT_H
#define ZP_TESTS_CONFORMANCE_SUPPORT_H

#include <algorithm>
#include <cmath>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "runtime/base/numeric.h"
#include "runtime/kernels/check.h"
#include "runtime/kernels/kernels.h"
#include "runtime/kernels/op_info.h"
#include "runtime/schema/step_scalars.h"
#include "gtest/gtest.h"
#ifdef ZP_CONFORM_CUDA
#include "tests/conformance/cuda_support.h"
#endif

namespace zp::rt::test {

#ifdef ZP_CONFORM_CUDA
namespace fast = on_device;
inline constexpr double kBf16Tolerance = 2.5e-2; // a product's branch is added to what was rounded before
inline constexpr int kThreadCounts[] = {1, 2};   // of the CPU, which means nothing there: two runs give the same bits
#else
namespace fast = cpu;
inline constexpr double kBf16Tolerance = 2e-2;
inline constexpr int kThreadCounts[] = {1, 2, 3};
#endif

/// Cuts a range into one piece per thread.
class Threads : public ParallelFor {
public:
  explicit Threads(int count) : count(count) {}
  int threads() const override { return count; }
  void run(int64_t total, int64_t grain, const Body &body) override {
    int64_t piece = std::max(grain, (total + count - 1) / count);
    std::vector<std::thread> running;
    for (int64_t begin = 0; begin < total; begin += piece)
      running.emplace_back([&body, begin, end = std::min(total, begin + piece)] { body(begin, end); });
    for (std::thread &thread : running)
      thread.join();
  }

private:
  int count;
};

/// Operands' memory: aligned, with a margin on both sides that must stay as it was made.
class Arena {
public:
  void *allocate(uint64_t bytes) {
    blocks.push_back({std::make_unique<unsigned char[]>(bytes + 2 * kMargin + 64), bytes, nullptr});
    Block &block = blocks.back();
    auto at = (reinterpret_cast<uintptr_t>(block.memory.get()) + kMargin + 63) & ~uintptr_t{63};
    block.data = reinterpret_cast<unsigned char *>(at);
    std::memset(block.data - kMargin, 0xa5, bytes + 2 * kMargin);
    return block.data;
  }
  bool intact() const {
    for (const Block &block : blocks)
      for (uint64_t i = 0; i < kMargin; ++i)
        if (block.data[-1 - static_cast<int64_t>(i)] != 0xa5 || block.data[block.bytes + i] != 0xa5)
          return false;
    return true;
  }

private:
  static constexpr uint64_t kMargin = 256;
  struct Block {
    std::unique_ptr<unsigned char[]> memory;
    uint64_t bytes;
    unsigned char *data;
  };
  std::deque<Block> blocks;
};

/// Makes tensors of seeded random values.
class Maker {
public:
  explicit Maker(uint32_t seed = 1) : generator(seed) {}
  TensorView empty(DType dtype, std::initializer_list<int64_t> dims) {
    TensorView view;
    view.dtype = dtype;
    view.rank = static_cast<int>(dims.size());
    std::copy(dims.begin(), dims.end(), view.dims.begin());
    view.data = arena.allocate(view.bytes());
    return view;
  }
  TensorView normal(DType dtype, std::initializer_list<int64_t> dims, double deviation = 1) {
    TensorView view = empty(dtype, dims);
    for (int64_t i = 0; i < view.elements(); ++i)
      storeElement(view, i, deviation * normals()[generator() >> (32 - kNormalBits)]);
    return view;
  }
  TensorView positive(DType dtype, std::initializer_list<int64_t> dims, double low = 0.1, double high = 1) {
    std::uniform_real_distribution<double> distribution(low, high);
    TensorView view = empty(dtype, dims);
    for (int64_t i = 0; i < view.elements(); ++i)
      storeElement(view, i, distribution(generator));
    return view;
  }
  TensorView integers(std::initializer_list<int64_t> dims, int low, int high) {
    std::uniform_int_distribution<int> distribution(low, high);
    TensorView view = empty(DType::I32, dims);
    for (int64_t i = 0; i < view.elements(); ++i)
      view.as<int32_t>()[i] = distribution(generator);
    return view;
  }
  TensorView scalars(const StepScalars &values) {
    TensorView view = empty(DType::U8, {sizeof(StepScalars)});
    std::memcpy(view.data, &values, sizeof(values));
    return view;
  }
  TensorView workspace(uint64_t bytes) { return empty(DType::U8, {static_cast<int64_t>(std::max<uint64_t>(bytes, 1))}); }
  std::mt19937 &random() { return generator; }

private:
  static constexpr int kNormalBits = 17;
  /// What normal tensors are drawn from: to draw each value anew would be a quarter of the suite's time.
  static const std::vector<double> &normals() {
    static const std::vector<double> values = [] {
      std::mt19937 generator(1);
      std::normal_distribution<double> distribution;
      std::vector<double> drawn(size_t{1} << kNormalBits);
      std::generate(drawn.begin(), drawn.end(), [&] { return distribution(generator); });
      return drawn;
    }();
    return values;
  }

  Arena arena;
  std::mt19937 generator;
};

/// A copy of an op's arguments in memory of its own. Operands that share memory share it in the copy.
template <typename Args> class Copy {
public:
  explicit Copy(const Args &source) : args(source) {
    std::map<void *, void *> copies;
    for (TensorView &operand : mutableOperands()) {
      if (!operand)
        continue;
      void *&copy = copies[operand.data];
      if (!copy) {
        copy = arena.allocate(operand.bytes());
        std::memcpy(copy, operand.data, operand.bytes());
      }
      operand.data = copy;
    }
  }
  std::span<TensorView> mutableOperands() {
    std::span<const TensorView> operands = operandsOf(args);
    return {const_cast<TensorView *>(operands.data()), operands.size()};
  }
  Args args;
  Arena arena;
};

/// Names of the ops that some test has run through conform().
std::set<std::string> &conformedOps();

/// The largest difference of two tensors relative to the largest value of the first; infinite when only one is finite.
inline double relativeError(const TensorView &expected, const TensorView &actual) {
  double largest = 0, error = 0;
  for (int64_t i = 0; i < expected.elements(); ++i) {
    double e = loadElement(expected, i), a = loadElement(actual, i);
    if (std::isnan(e) && std::isnan(a))
      continue;
    if (!std::isfinite(e) || !std::isfinite(a)) {
      if (e != a)
        return INFINITY;
      continue;
    }
    largest = std::max(largest, std::abs(e));
    error = std::max(error, std::abs(e - a));
  }
  return error == 0 ? 0 : error / std::max(largest, 1e-30);
}

template <typename Args> void conform(const Args &args, const std::string &what = "") {
  SCOPED_TRACE(std::string(OpInfo<Args>::name) + " " + what);
  conformedOps().insert(OpInfo<Args>::name);
  Status status = check(args);
  ASSERT_TRUE(status.ok()) << status.message();
  const auto &infos = kOperandInfos<Args>;
  bool narrow = false;
  for (const TensorView &operand : operandsOf(args))
    narrow |= operand && (operand.dtype == DType::BF16 || operand.dtype == DType::F16);

  Copy<Args> expected(args);
  reference::run(KernelContext{}, expected.args);
  EXPECT_TRUE(expected.arena.intact()) << "the reference wrote outside its operands";
  std::unique_ptr<Copy<Args>> first;
  for (int threads : kThreadCounts) {
    auto actual = std::make_unique<Copy<Args>>(args);
    Threads parallel(threads);
    KernelContext context;
    context.parallel = &parallel;
    fast::run(context, actual->args);
    EXPECT_TRUE(actual->arena.intact()) << "written outside the operands, " << threads << " threads";
    for (size_t i = 0; i < infos.size(); ++i) {
      const TensorView &before = operandsOf(args)[i], &want = expected.mutableOperands()[i], &got = actual->mutableOperands()[i];
      if (!before || before.dtype == DType::U8)
        continue;
      bool shared = false;
      for (size_t j = 0; j < infos.size(); ++j)
        shared |= infos[j].writes && operandsOf(args)[j].data == before.data;
      if (!shared) {
        EXPECT_EQ(std::memcmp(before.data, got.data, before.bytes()), 0) << infos[i].name << " is only read, yet it changed";
        continue;
      }
      double tolerance = before.dtype == DType::BF16 ? kBf16Tolerance : before.dtype == DType::F16 ? 2.5e-3 : narrow ? 1e-3 : 1e-5;
      EXPECT_LE(relativeError(want, got), tolerance) << infos[i].name << ", " << threads << " threads";
      if (first) {
        EXPECT_EQ(std::memcmp(first->mutableOperands()[i].data, got.data, got.bytes()), 0)
            << infos[i].name << " depends on the number of threads: " << threads;
      }
    }
    if (!first)
      first = std::move(actual);
  }
}

} // namespace zp::rt::test

#endif // ZP_TESTS_CONFORMANCE_SUPPORT_H
