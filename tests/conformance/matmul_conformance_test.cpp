#include "tests/conformance/support.h"

namespace zp::rt::test {
namespace {

/// What is multiplied, and what the sums become.
constexpr std::pair<DType, DType> kProducts[] = {
    {DType::F32, DType::F32}, {DType::BF16, DType::BF16}, {DType::BF16, DType::F32}, {DType::F16, DType::F16}, {DType::F16, DType::F32}};

struct Shape {
  int64_t m, n, k;
};
void PrintTo(const Shape &shape, std::ostream *out) { *out << shape.m << "x" << shape.n << "x" << shape.k; }

class Matmul : public ::testing::TestWithParam<Shape> {};

TEST_P(Matmul, AllTransposesDTypesAndFinishes) {
  auto [m, n, k] = GetParam();
  Maker maker;
  for (auto [input, output] : kProducts)
    for (int bits = 0; bits < 16; ++bits) {
      if (m * n * k > 4'000'000 && bits % 5 != 0)
        continue; // the oracle is slow: the diagonal of the combinations
      MatmulArgs args;
      args.transposeA = bits & 1;
      args.transposeB = bits & 2;
      args.accumulate = bits & 4;
      args.alpha = bits & 4 ? 0.75 : 1;
      args.a = args.transposeA ? maker.normal(input, {k, m}) : maker.normal(input, {m, k});
      args.b = args.transposeB ? maker.normal(input, {n, k}) : maker.normal(input, {k, n});
      if (bits & 8)
        args.bias = maker.normal(input, {n}, 10);
      args.target = maker.normal(output, {m, n}, 3);
      conform(args, std::string(textOf(input)) + "->" + textOf(output) + " bits " + std::to_string(bits));
    }
}

INSTANTIATE_TEST_SUITE_P(Shapes, Matmul,
                         ::testing::Values(Shape{1, 1, 1}, Shape{5, 7, 3}, Shape{4, 24, 256}, Shape{13, 50, 300}, Shape{97, 31, 8},
                                           Shape{49, 100, 257}, Shape{64, 290, 33}, Shape{530, 40, 20}, Shape{220, 310, 270}));
// LoRA's: a side of at most 8, short or long K.
INSTANTIATE_TEST_SUITE_P(Skinny, Matmul,
                         ::testing::Values(Shape{100, 8, 70}, Shape{101, 4, 1100}, Shape{8, 100, 300}, Shape{3, 200, 513}, Shape{200, 3, 257},
                                           Shape{8, 130, 1100}, Shape{1, 300, 40}, Shape{300, 1, 40}, Shape{8, 8, 8}));

// A NaN or an infinity in an operand reaches the elements that it belongs to and no other.
TEST(MatmulValues, NanGoesWhereItBelongs) {
  Maker maker;
  for (DType f : kComputeDTypes) {
    MatmulArgs args;
    args.a = maker.normal(f, {10, 33});
    args.b = maker.normal(f, {33, 50});
    storeElement(args.a, 4 * 33 + 32, NAN);
    args.target = maker.empty(f, {10, 50});
    args.alpha = 1;
    conform(args);
  }
}

// The adapter's branch: ranks on both sides of a vector and of a pair, up to the largest; C narrow, wider than a tile, K of several blocks.
struct BranchShape {
  Shape base;
  int64_t rank;
};
TEST(MatmulBranch, RanksLayoutsAndFinishes) {
  Maker maker;
  for (auto [shape, rank] : {BranchShape{{9, 7, 33}, 8},
                             {{1, 1, 1}, 1},
                             {{40, 200, 300}, 16},
                             {{33, 8, 64}, 5},
                             {{70, 50, 2100}, 8},
                             {{20, 310, 20}, 256},
                             {{530, 40, 20}, 3},
                             {{6, 100, 1030}, 64}})
    for (auto [input, output] : kProducts)
      for (int bits = 0; bits < 16; ++bits) {
        MatmulArgs args;
        args.transposeA = bits & 1, args.transposeB = bits & 2, args.accumulate = bits & 4;
        args.alpha = bits & 1 ? 0.75 : 1, args.branchAlpha = -2.3;
        const auto [m, n, k] = shape;
        args.a = args.transposeA ? maker.normal(input, {k, m}) : maker.normal(input, {m, k});
        args.b = args.transposeB ? maker.normal(input, {n, k}) : maker.normal(input, {k, n});
        args.branchA = maker.normal(input, {m, rank});
        args.branchB = args.transposeB ? maker.normal(input, {n, rank}) : maker.normal(input, {rank, n});
        if (bits & 8)
          args.bias = maker.normal(input, {n}, 10);
        args.target = maker.normal(output, {m, n}, 3);
        conform(args, std::string(textOf(input)) + "->" + textOf(output) + " rank " + std::to_string(rank) + " bits " + std::to_string(bits));
      }
}

TEST(ColumnSum, Shapes) {
  constexpr int64_t kMany = (1 << 20) + 3; // more columns than a device's scratch has room for sums
  Maker maker;
  for (DType f : kComputeDTypes)
    for (auto [rows, width] : {std::pair<int64_t, int64_t>{1, 1}, {3, 5}, {130, 65}, {1000, 200}, {2, kMany}}) {
      ColumnSumArgs args;
      args.source = maker.normal(f, {rows, width});
      args.target = maker.normal(DType::F32, {width});
      conform(args);
    }
}

} // namespace
} // namespace zp::rt::test
