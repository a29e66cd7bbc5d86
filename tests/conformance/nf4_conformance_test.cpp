#include "tests/conformance/quant_support.h"

namespace zp::rt::test {
namespace {

std::string textOf(const QuantRecords &format) {
  return std::string(zp::rt::textOf(format.type)) + "-" + std::to_string(format.blockSize) + (format.nested ? "-nested" : "");
}

std::vector<QuantRecords> allFormats() {
  std::vector<QuantRecords> formats;
  for (QuantType type : {QuantType::NF4, QuantType::FP4})
    for (uint64_t blockSize = 32; blockSize <= 4096; blockSize *= 2)
      for (bool nested : {false, true})
        formats.push_back({type, blockSize, nested});
  return formats;
}
const QuantRecords kFewFormats[] = {
    {QuantType::NF4, 64, true}, {QuantType::NF4, 64, false}, {QuantType::FP4, 32, true}, {QuantType::FP4, 128, false}};

void dequantizesAsTheCodec(QuantRecords format, int64_t rows, int64_t columns) {
  Maker maker;
  QuantWeight weight = makeQuantWeight(maker, format, rows, columns);
  for (DType f : kComputeDTypes) {
    NF4DequantizeArgs args;
    setWeight(args, weight, format);
    args.target = maker.empty(f, {rows, columns});
    conform(args, textOf(format) + " " + std::to_string(rows) + "x" + std::to_string(columns));
    std::vector<unsigned char> expected(args.target.bytes());
    dequantizeBlocks({format.type, static_cast<uint32_t>(format.blockSize)}, weight.codes.data(), weight.scales.data(),
                     static_cast<uint64_t>(args.target.elements()), f, expected.data());
    Threads threads(3);
    KernelContext context;
    context.parallel = &threads;
    for (auto run : {reference::run, static_cast<void (*)(const KernelContext &, const NF4DequantizeArgs &)>(fast::run)}) {
      std::memset(args.target.data, 0xff, args.target.bytes());
      run(context, args);
      EXPECT_EQ(std::memcmp(expected.data(), args.target.data, expected.size()), 0)
          << textOf(format) << " " << rows << "x" << columns << " " << zp::textOf(f);
    }
  }
}

TEST(NF4Dequantize, EveryFormatGivesTheCodecsBits) {
  for (QuantRecords format : allFormats())
    dequantizesAsTheCodec(format, 37, 1033); // odd columns: rows begin inside bytes; some records, the last one short
}
TEST(NF4Dequantize, EverySize) {
  for (QuantRecords format : kFewFormats)
    for (auto [rows, columns] :
         {std::pair<int64_t, int64_t>{1, 1}, {1, 2}, {3, 5}, {7, 63}, {1, 64}, {5, 65}, {300, 130}, {2, 40000}, {130, 264}, {3, 20480}})
      dequantizesAsTheCodec(format, rows, columns);
}

struct NF4Shape {
  int64_t m, n, k;
};
void PrintTo(const NF4Shape &shape, std::ostream *out) { *out << shape.m << "x" << shape.n << "x" << shape.k; }

NF4MatmulArgs productArgs(Maker &maker, QuantRecords format, DType f, const NF4Shape &shape, int bits) {
  NF4MatmulArgs args;
  args.transpose = bits & 1;
  args.accumulate = bits & 2;
  args.alpha = bits & 2 ? 0.75 : 1;
  args.rows = args.transpose ? shape.n : shape.k;
  args.columns = args.transpose ? shape.k : shape.n;
  setWeight(args, makeQuantWeight(maker, format, args.rows, args.columns), format);
  args.a = maker.normal(f, {shape.m, shape.k});
  if (bits & 4)
    args.bias = maker.normal(f, {shape.n}, 10);
  args.target = maker.normal(f, {shape.m, shape.n}, 3);
  return args;
}

#ifdef ZP_CONFORM_CUDA
/// A device multiplies panels, each by an algorithm of its own, and a branch is added to what was rounded before: a last place or two.
void expectSameProduct(const TensorView &fused, const TensorView &plain) {
  const double tolerance = fused.dtype == DType::BF16 ? 8e-3 : fused.dtype == DType::F16 ? 1e-3 : 1e-5;
  EXPECT_LE(relativeError(plain, fused), tolerance) << "not what matmul gives";
}
#else
void expectSameProduct(const TensorView &fused, const TensorView &plain) {
  EXPECT_EQ(std::memcmp(fused.data, plain.data, plain.bytes()), 0) << "not the bits of matmul";
}
#endif

/// nf4_matmul and matmul on what nf4_dequantize gives agree, on a CPU in every bit.
void equalsMatmulOfDequantized(const NF4MatmulArgs &args) {
  Maker maker;
  NF4DequantizeArgs dequantize;
  dequantize.weight = args.weight;
  dequantize.target = maker.empty(args.a.dtype, {args.rows, args.columns});
  dequantize.quantType = args.quantType, dequantize.blockSize = args.blockSize, dequantize.nested = args.nested;
  fast::run(KernelContext{}, dequantize);
  Copy<NF4MatmulArgs> fused(args);
  Copy<NF4MatmulArgs> plainCopy(args);
  MatmulArgs plain;
  plain.a = plainCopy.args.a, plain.b = dequantize.target, plain.bias = plainCopy.args.bias, plain.target = plainCopy.args.target;
  plain.branchA = plainCopy.args.branchA, plain.branchB = plainCopy.args.branchB, plain.branchAlpha = args.branchAlpha;
  plain.transposeB = args.transpose, plain.alpha = args.alpha, plain.accumulate = args.accumulate;
  fast::run(KernelContext{}, fused.args);
  fast::run(KernelContext{}, plain);
  expectSameProduct(fused.args.target, plain.target);
}

class NF4Matmul : public ::testing::TestWithParam<NF4Shape> {};

TEST_P(NF4Matmul, AllFormatsDTypesAndFinishes) {
  Maker maker;
  for (QuantRecords format : kFewFormats)
    for (DType f : kComputeDTypes)
      for (int bits = 0; bits < 8; ++bits) {
        const NF4Shape &shape = GetParam();
        if (shape.m * shape.n * shape.k > 2'000'000 && bits % 3 != 0)
          continue; // the oracle is slow
        NF4MatmulArgs args = productArgs(maker, format, f, shape, bits);
        const std::string what = textOf(format) + " " + zp::textOf(f) + " bits " + std::to_string(bits);
        SCOPED_TRACE(what);
        conform(args, what);
        equalsMatmulOfDequantized(args);
      }
}
INSTANTIATE_TEST_SUITE_P(Shapes, NF4Matmul,
                         ::testing::Values(NF4Shape{9, 1, 9}, NF4Shape{10, 7, 3}, NF4Shape{12, 24, 256}, NF4Shape{13, 50, 300}, NF4Shape{97, 31, 8},
                                           NF4Shape{49, 101, 257}, NF4Shape{64, 290, 33}, NF4Shape{530, 40, 20}, NF4Shape{120, 310, 270}));
// Columns in whole steps of 32 codes, which go from the lookup to the packed panels; rows in the middle of a block, tiles of a step.
INSTANTIATE_TEST_SUITE_P(WholeSteps, NF4Matmul,
                         ::testing::Values(NF4Shape{9, 32, 33}, NF4Shape{11, 288, 301}, NF4Shape{20, 96, 64}, NF4Shape{40, 224, 1100}));
// A side of at most 8: one token at a time, or a tiny weight.
INSTANTIATE_TEST_SUITE_P(Skinny, NF4Matmul,
                         ::testing::Values(NF4Shape{1, 300, 64}, NF4Shape{8, 130, 1100}, NF4Shape{3, 200, 513}, NF4Shape{100, 8, 70},
                                           NF4Shape{101, 3, 1100}, NF4Shape{8, 8, 8}, NF4Shape{1, 1, 1}));

TEST(NF4MatmulBranch, RanksAndFinishes) {
  Maker maker;
  for (auto [shape, rank] :
       {std::pair{NF4Shape{9, 7, 33}, int64_t{8}}, {NF4Shape{40, 200, 300}, 16}, {NF4Shape{20, 50, 2100}, 3}, {NF4Shape{20, 130, 64}, 256}})
    for (QuantRecords format : kFewFormats)
      for (DType f : kComputeDTypes)
        for (int bits = 0; bits < 8; ++bits) {
          NF4MatmulArgs args = productArgs(maker, format, f, shape, bits);
          args.branchA = maker.normal(f, {shape.m, rank});
          args.branchB = args.transpose ? maker.normal(f, {shape.n, rank}) : maker.normal(f, {rank, shape.n});
          args.branchAlpha = 1.7;
          conform(args, textOf(format) + " rank " + std::to_string(rank));
          equalsMatmulOfDequantized(args);
        }
}

// A device's workspace: room for one column at a time, for two panels of the least width, for wider ones, for the whole and more.
TEST(NF4MatmulPanels, WorkspacesOfManySizes) {
  Maker maker;
  constexpr NF4Shape kShape{130, 400, 130};
  for (QuantRecords format : {kFewFormats[0], kFewFormats[3]})
    for (DType f : kComputeDTypes)
      for (int bits : {0, 1, 6, 7})
        for (uint64_t columns : {1, 128, 300, 2000}) {
          NF4MatmulArgs args = productArgs(maker, format, f, kShape, bits);
          args.workspace = maker.workspace(columns * bytesOf(f, static_cast<uint64_t>(args.a.dims[1])) + 512);
          conform(args, textOf(format) + " bits " + std::to_string(bits) + ", room for " + std::to_string(columns) + " columns");
          equalsMatmulOfDequantized(args);
        }
}

// Cut so that two multiprocessors, which the emulated device has, fill panels in turn (nf4_panels_test says that they do). Only the bits of matmul
// are asked for.
TEST(NF4MatmulPanels, FilledInTurn) {
  Maker maker;
  for (DType f : kComputeDTypes)
    for (int bits : {0, 1, 6, 7}) {
      NF4MatmulArgs args = productArgs(maker, kFewFormats[0], f, {20, 2304, 1024}, bits);
      args.workspace = maker.workspace(1536 * bytesOf(f, static_cast<uint64_t>(args.a.dims[1])));
      equalsMatmulOfDequantized(args);
    }
}

// What is dequantised stays, for who multiplies by it next: the bits of nf4_dequantize, whether panels are filled in turn or the whole at once, and
// of a few rows too. The last shape is of two panels on a device.
TEST(NF4MatmulFloats, AreLeft) {
  Maker maker;
  for (const NF4Shape &shape : {NF4Shape{3, 33, 65}, {130, 400, 130}, {20, 1100, 2100}})
    for (QuantRecords format : {kFewFormats[0], kFewFormats[3]})
      for (DType f : kComputeDTypes)
        for (int bits : {0, 1, 6, 7}) {
          if (shape.n == 1100 && bits != 7)
            continue; // the oracle is slow
          NF4MatmulArgs args = productArgs(maker, format, f, shape, bits);
          args.floats = maker.empty(f, {args.rows, args.columns});
          NF4DequantizeArgs dequantize;
          dequantize.weight = args.weight;
          dequantize.target = maker.empty(f, {args.rows, args.columns});
          dequantize.quantType = args.quantType, dequantize.blockSize = args.blockSize, dequantize.nested = args.nested;
          reference::run(KernelContext{}, dequantize);
          conform(args, textOf(format) + " bits " + std::to_string(bits));
          equalsMatmulOfDequantized(args);
          std::memset(args.floats.data, 0xff, args.floats.bytes());
          fast::run(KernelContext{}, args);
          EXPECT_EQ(std::memcmp(args.floats.data, dequantize.target.data, args.floats.bytes()), 0) << textOf(format) << " bits " << bits;
        }
}

// As generation multiplies: up to 16 rows on both sides of each power of two, with and without a branch in the same sums; sums of whole
// runs of 32 codes, as matrix units take them, in rounds that are full and not, and others.
TEST(NF4MatmulFewRows, RowsRanksAndFinishes) {
  Maker maker;
  for (const NF4Shape &shape : {NF4Shape{2, 70, 96},
                                {4, 33, 200},
                                {5, 9, 1000},
                                {7, 17, 64},
                                {16, 66, 264},
                                {17, 20, 64},
                                {1, 96, 40},
                                {3, 512, 17},
                                {8, 160, 256},
                                {16, 1184, 33}})
    for (int64_t rank : {0, 3, 256})
      for (QuantRecords format : kFewFormats)
        for (DType f : kComputeDTypes) {
          NF4MatmulArgs args = productArgs(maker, format, f, shape, rank == 3 ? 7 : 1); // transposed; added to, with a bias
          if (rank > 0) {
            args.branchA = maker.normal(f, {shape.m, rank});
            args.branchB = maker.normal(f, {shape.n, rank});
            args.branchAlpha = 1.7;
          }
          conform(args, textOf(format) + " rank " + std::to_string(rank));
          equalsMatmulOfDequantized(args);
        }
}

TEST(NF4MatmulFormats, EveryBlockSize) {
  Maker maker;
  for (QuantRecords format : allFormats())
    for (DType f : kComputeDTypes)
      for (auto [shape, bits] : {std::pair{NF4Shape{11, 83, 300}, 0}, {NF4Shape{11, 83, 300}, 1}, {NF4Shape{11, 288, 75}, 0}}) {
        NF4MatmulArgs args = productArgs(maker, format, f, shape, bits);
        conform(args, textOf(format));
        equalsMatmulOfDequantized(args);
      }
}

// Larger than a tile on every side: only the bits of matmul are asked for, the oracle would take minutes.
TEST(NF4MatmulFormats, MoreThanATile) {
  Maker maker;
  for (QuantRecords format : kFewFormats)
    for (DType f : kComputeDTypes)
      for (int bits : {0, 1})
        equalsMatmulOfDequantized(productArgs(maker, format, f, {600, 1100, 2088}, bits));
}

} // namespace
} // namespace zp::rt::test
