// The packing and blocking of the native bf16 products, on an emulated engine: correct on any machine. What the emulation
// cannot show is the instruction itself; nativeBf16Engine() asks each CPU that has one for a sample first.
#include "runtime/kernels/gemm/gemm.h"

#include "runtime/kernels/quant/quant_matrix.h"
#include "tests/conformance/quant_support.h"

namespace zp::rt::test {
namespace {

struct Case {
  int64_t m, n, k;
};

TEST(Bf16Engine, ProductsOfAllLayouts) {
  Maker maker;
  for (bool amxShape : {true, false})
    for (DType output : {DType::F32, DType::BF16})
      for (auto [m, n, k] : {Case{1, 20, 33},
                             {9, 9, 1},
                             {33, 50, 32},
                             {32, 32, 64},
                             {70, 49, 95},
                             {40, 160, 1024},
                             {64, 33, 2100},
                             {33, 420, 520},
                             {530, 20, 1060},
                             {200, 8, 300},
                             {8, 200, 300},
                             {20, 300, 8}})
        for (int bits = 0; bits < 16; ++bits) {
          if (m * n * k > 200000 && bits % 5 != 0 && bits != 2)
            continue;
          MatmulArgs args;
          args.transposeA = bits & 1, args.transposeB = bits & 2, args.accumulate = bits & 4;
          args.alpha = 0.5;
          args.a = args.transposeA ? maker.normal(DType::BF16, {k, m}) : maker.normal(DType::BF16, {m, k});
          args.b = args.transposeB ? maker.normal(DType::BF16, {n, k}) : maker.normal(DType::BF16, {k, n});
          if (bits & 8)
            args.bias = maker.normal(DType::BF16, {n});
          args.target = maker.normal(output, {m, n});
          Copy<MatmulArgs> expected(args);
          reference::run(KernelContext{}, expected.args);
          std::unique_ptr<Copy<MatmulArgs>> first;
          for (int threads : {1, 3}) {
            auto actual = std::make_unique<Copy<MatmulArgs>>(args);
            GemmProblem problem;
            problem.m = m, problem.n = n, problem.k = k;
            problem.a = actual->args.a.data, problem.lda = args.a.dims[1], problem.transposeA = args.transposeA;
            problem.b = actual->args.b.data, problem.ldb = args.b.dims[1], problem.transposeB = args.transposeB;
            problem.c = actual->args.target.data, problem.ldc = n, problem.output = output;
            problem.input = DType::BF16;
            problem.alpha = 0.5f;
            problem.bias = actual->args.bias.data;
            problem.accumulate = args.accumulate;
            problem.engine = &emulatedBf16Engine(amxShape);
            Threads parallel(threads);
            KernelContext context;
            context.parallel = &parallel;
            gemm(context, problem);
            EXPECT_TRUE(actual->arena.intact());
            EXPECT_LE(relativeError(expected.args.target, actual->args.target), output == DType::F32 ? 1e-5 : 1e-2)
                << problem.engine->name << " " << m << "x" << n << "x" << k << " bits " << bits;
            if (first) {
              EXPECT_EQ(std::memcmp(first->args.target.data, actual->args.target.data, args.target.bytes()), 0);
            } else {
              first = std::move(actual);
            }
          }
        }
}

// An adapter's branch is packed behind the last chunk of B, whatever its rank and wherever the chunks end.
TEST(Bf16Engine, BranchesOfAllRanks) {
  Maker maker;
  for (bool amxShape : {true, false})
    for (DType output : {DType::F32, DType::BF16})
      for (bool transposeB : {false, true})
        for (auto [m, n, k] : {Case{5, 20, 33}, {70, 49, 95}, {40, 420, 260}, {33, 160, 1024}, {35, 200, 2100}, {34, 130, 4200}})
          for (int64_t rank : {1, 8, 40, 256}) {
            MatmulArgs args;
            args.transposeB = transposeB;
            args.alpha = 0.5, args.branchAlpha = 2;
            args.a = maker.normal(DType::BF16, {m, k});
            args.b = transposeB ? maker.normal(DType::BF16, {n, k}) : maker.normal(DType::BF16, {k, n});
            args.branchA = maker.normal(DType::BF16, {m, rank});
            args.branchB = transposeB ? maker.normal(DType::BF16, {n, rank}) : maker.normal(DType::BF16, {rank, n});
            args.target = maker.normal(output, {m, n});
            Copy<MatmulArgs> expected(args), actual(args);
            reference::run(KernelContext{}, expected.args);
            GemmProblem problem;
            problem.m = m, problem.n = n, problem.k = k;
            problem.a = actual.args.a.data, problem.lda = k;
            problem.b = actual.args.b.data, problem.ldb = args.b.dims[1], problem.transposeB = transposeB;
            problem.c = actual.args.target.data, problem.ldc = n, problem.output = output;
            problem.input = DType::BF16;
            problem.alpha = 0.5f;
            problem.branchA = actual.args.branchA.data, problem.branchB = actual.args.branchB.data;
            problem.branchK = rank, problem.branchAlpha = 2;
            problem.engine = &emulatedBf16Engine(amxShape);
            Threads parallel(2);
            KernelContext context;
            context.parallel = &parallel;
            gemm(context, problem);
            EXPECT_TRUE(actual.arena.intact());
            EXPECT_LE(relativeError(expected.args.target, actual.args.target), output == DType::F32 ? 1e-5 : 1e-2)
                << problem.engine->name << " " << m << "x" << n << "x" << k << " rank " << rank << " transposed " << transposeB;
          }
}

// Padding must be zeros: a NaN beside the block may not leak in.
TEST(Bf16Engine, PaddingIsNotRead) {
  Maker maker;
  for (bool amxShape : {true, false}) {
    TensorView a = maker.normal(DType::BF16, {40, 40}), b = maker.normal(DType::BF16, {40, 40}), c = maker.empty(DType::F32, {20, 20});
    for (int64_t i = 0; i < 40; ++i)
      for (int64_t p = 0; p < 40; ++p)
        if (p >= 19 || i >= 20)
          storeElement(a, i * 40 + p, NAN), storeElement(b, i * 40 + p, NAN);
    GemmProblem problem;
    problem.m = problem.n = 20, problem.k = 19;
    problem.a = a.data, problem.b = b.data, problem.lda = problem.ldb = 40, problem.transposeB = true;
    problem.input = DType::BF16;
    problem.c = c.data, problem.ldc = 20;
    problem.engine = &emulatedBf16Engine(amxShape);
    gemm(KernelContext{}, problem);
    for (int64_t i = 0; i < 400; ++i)
      ASSERT_TRUE(std::isfinite(c.as<float>()[i]));
  }
}

// 4-bit codes are decoded while they are packed into pairs: the same bits as from a decoded weight.
TEST(Bf16Engine, CodesGiveTheBitsOfTheDecodedWeight) {
  Maker maker;
  for (bool amxShape : {true, false})
    for (QuantRecords format : {QuantRecords{QuantType::NF4, 64, true}, QuantRecords{QuantType::FP4, 32, false}})
      for (bool transpose : {false, true})
        for (auto [m, n, k] :
             {Case{9, 20, 33}, {33, 50, 32}, {70, 49, 95}, {40, 160, 1024}, {64, 33, 2100}, {9, 301, 150}, {9, 421, 270}, {9, 140, 4200}}) {
          const int64_t rows = transpose ? n : k, columns = transpose ? k : n;
          QuantWeight weight = makeQuantWeight(maker, format, rows, columns);
          TensorView decoded = maker.empty(DType::BF16, {rows, columns});
          dequantizeBlocks({format.type, static_cast<uint32_t>(format.blockSize)}, weight.codes.data(), weight.scales.data(),
                           static_cast<uint64_t>(decoded.elements()), DType::BF16, decoded.data);
          TensorView a = maker.normal(DType::BF16, {m, k}), plain = maker.empty(DType::F32, {m, n}), fused = maker.empty(DType::F32, {m, n});
          QuantMatrix matrix(weight.records.data, format, rows, columns);
          GemmProblem problem;
          problem.m = m, problem.n = n, problem.k = k;
          problem.a = a.data, problem.lda = k;
          problem.b = decoded.data, problem.ldb = columns, problem.transposeB = transpose;
          problem.input = DType::BF16;
          problem.c = plain.data, problem.ldc = n;
          problem.engine = &emulatedBf16Engine(amxShape);
          gemm(KernelContext{}, problem);
          problem.b = nullptr, problem.quantB = &matrix, problem.c = fused.data;
          Threads threads(3);
          KernelContext context;
          context.parallel = &threads;
          gemm(context, problem);
          EXPECT_EQ(std::memcmp(plain.data, fused.data, plain.bytes()), 0)
              << problem.engine->name << " " << m << "x" << n << "x" << k << (transpose ? " transposed" : "");
        }
}

} // namespace
} // namespace zp::rt::test
