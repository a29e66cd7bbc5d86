// Records quantised while loading, against what bitsandbytes makes of the same weights.
#include "runtime/io/quantized_loader.h"

#include <cmath>

#include "runtime/base/serial_for.h"
#include "runtime/io/convert_elements.h"
#include "runtime/quant/block_codec.h"
#include "runtime/quant/nested_scales.h"
#include "tests/unit/runtime/io/records_by_ranks.h"
#include "tests/unit/runtime/io/temporary_directory.h"

namespace zp::rt {
namespace {

using namespace zp::test;
using rt::test::CodesOptions;
using rt::test::CodesPlan;
using rt::test::Weights;

SectionSources fromFile(const std::string &path) {
  auto base = ModelWeights::openFile(path);
  EXPECT_TRUE(base.ok()) << base.status().toString();
  SectionSources sources;
  sources.base = std::move(*base);
  return sources;
}
SectionSources fromFixtures() { return fromFile(kFixtures); }

/// All fixtures of one format whose weights have the compute dtype, in one section.
TEST(QuantizedLoader, OneTwoAndThreeRanksMakeTheReferencesBytes) {
  QuantizedFixtures fixtures;
  std::map<std::string, std::vector<const QuantizedCase *>> byFormat;
  for (const auto &[name, c] : fixtures.cases())
    if (c.state.dtype != DType::F16)
      byFormat[name.substr(name.find('.')) + (c.state.dtype == DType::BF16 ? " bf16" : " f32")].push_back(&c);
  size_t sections = 0;
  for (const auto &[format, cases] : byFormat)
    for (uint32_t ranks : {1u, 2u, 3u})
      for (bool sharded : {true, false}) {
        SCOPED_TRACE(format + " on " + std::to_string(ranks) + (sharded ? "" : ", replicated"));
        Weights weights;
        std::vector<Bytes> records;
        for (const QuantizedCase *c : cases) {
          weights.push_back({c->weight, c->shape()});
          records.push_back(zp::test::recordsOf(*c));
        }
        CodesPlan spec(cases[0]->layout, weights, {ranks, sharded, false, format.ends_with("bf16")});
        auto loaded = loadByRanks(spec, fromFixtures);
        ASSERT_TRUE(loaded.ok()) << loaded.status().toString();
        EXPECT_TRUE(*loaded == expectedSection(spec, records));
        ++sections;
      }
  EXPECT_GT(sections, 100u);
}

/// A whole tensor through the codec, after a conversion to `dtype`.
Bytes codecsRecords(const QuantRecords &layout, const std::vector<float> &values, DType dtype) {
  const BlockFormat format{layout.type, static_cast<uint32_t>(layout.blockSize)};
  const uint64_t n = values.size(), blocks = blocksOf(n, layout.blockSize);
  std::vector<std::byte> converted(bytesOf(dtype, n));
  convertElements(reinterpret_cast<const std::byte *>(values.data()), DType::F32, converted.data(), dtype, n);
  Bytes packed(packedBytesOf(n));
  std::vector<float> absmax(blocks), nested(blocksOf(blocks, 256));
  quantizeBlocks(format, converted.data(), dtype, n, packed.data(), absmax.data());
  auto raw = [](const auto &v) { return Bytes(reinterpret_cast<const uint8_t *>(v.data()), reinterpret_cast<const uint8_t *>(v.data() + v.size())); };
  if (!layout.nested)
    return zp::test::recordsOf(layout, n, packed, raw(absmax), {}, 0);
  Bytes codes(blocks);
  const float offset = offsetOfScales(absmax);
  quantizeScales(absmax, offset, 0, codes);
  nestScales(absmax, offset, 0, nested);
  return zp::test::recordsOf(layout, n, packed, codes, raw(nested), offset);
}

std::vector<float> someWeights(size_t count) {
  std::vector<float> values(count);
  for (size_t i = 0; i < count; ++i)
    values[i] = 0.05f * std::sin(static_cast<float>(i * i % 7919)) + 1e-5f * static_cast<float>(i % 13);
  return values;
}

class Weight : public testing::Test {
protected:
  /// Writes `values` as one tensor named "w".
  void write(const std::vector<float> &values, DType dtype, std::vector<uint64_t> shape) {
    TensorBytes tensor{dtype == DType::F32    ? SafetensorsDtype::F32
                       : dtype == DType::BF16 ? SafetensorsDtype::BF16
                                              : SafetensorsDtype::F16,
                       std::move(shape), Bytes(bytesOf(dtype, values.size()))};
    convertElements(reinterpret_cast<const std::byte *>(values.data()), DType::F32, tensor.bytes.data(), dtype, values.size());
    writeTensors(path(), {{"w", tensor}});
  }
  std::string path() const { return directory.file("model.safetensors"); }
  std::function<SectionSources()> sources() {
    return [this] { return fromFile(path()); };
  }
  TemporaryDirectory directory;
};

TEST_F(Weight, IsConvertedToTheComputeDtypeFirst) {
  const std::vector<float> values = someWeights(259 * 141); // 36519: three records of 64-element blocks and an odd tail
  for (DType stored : {DType::F32, DType::BF16, DType::F16})
    for (bool bf16 : {false, true})
      for (bool nested : {false, true}) {
        SCOPED_TRACE(std::string(zp::textOf(stored)) + (bf16 ? " to bf16" : " to f32") + (nested ? ", nested" : ""));
        write(values, stored, {259, 141});
        std::vector<float> asStored(values.size());
        std::vector<std::byte> halves(bytesOf(stored, values.size()));
        convertElements(reinterpret_cast<const std::byte *>(values.data()), DType::F32, halves.data(), stored, values.size());
        convertElements(halves.data(), stored, asStored.data(), DType::F32, values.size());
        const QuantRecords layout{QuantType::NF4, 64, nested};
        for (uint32_t ranks : {1u, 2u, 3u}) {
          CodesPlan spec(layout, {{"w", {259, 141}}}, {ranks, true, false, bf16});
          auto loaded = loadByRanks(spec, sources());
          ASSERT_TRUE(loaded.ok()) << loaded.status().toString();
          EXPECT_TRUE(*loaded == expectedSection(spec, {codecsRecords(layout, asStored, bf16 ? DType::BF16 : DType::F32)}));
        }
      }
}

TEST_F(Weight, IsReadWhereTheRankOwnsItAlone) {
  // Four records and a free one on two ranks of three records each: element 20000 is in rank 0's second record.
  std::vector<float> values = someWeights(256 * 256);
  values[20000] = NAN;
  write(values, DType::F32, {256, 256});
  CodesPlan spec({QuantType::NF4, 64, false}, {{"w", {256, 256}}}, {2, true, false, false});
  auto plan = spec.load();
  ASSERT_TRUE(plan.ok());
  Bytes records(spec.section().elements / 2);
  TensorView view{records.data(), DType::U8, 1, {static_cast<int64_t>(records.size())}};
  ASSERT_EQ(spec.section().elements, 6 * spec.layout.bytes());
  SerialFor alone;
  EXPECT_EQ(SectionReader(plan->plan(), 0, sources()()).loadQuantized(0, view, {}, alone).code(), ErrorCode::NonFinite);
  EXPECT_TRUE(SectionReader(plan->plan(), 1, sources()()).loadQuantized(0, view, {}, alone).ok());
}

TEST_F(Weight, IsTheSameByAnyNumberOfThreadsAndInAnyParts) {
  const std::vector<float> values = someWeights(1000 * 803); // 50 records, the last one short: more than a thread takes at least
  write(values, DType::BF16, {1000, 803});
  for (bool nested : {false, true})
    for (uint32_t ranks : {1u, 2u}) {
      CodesPlan spec({QuantType::NF4, 64, nested}, {{"w", {1000, 803}}}, {ranks, true, false, true});
      const Bytes expected = expectedSection(spec, {codecsRecords(spec.layout, values, DType::BF16)});
      for (auto [threads, atATime] : std::vector<std::pair<int, uint64_t>>{{1, 0}, {3, 0}, {4, 0}, {1, 7}, {3, 20}, {2, 1}}) {
        SCOPED_TRACE(std::to_string(ranks) + " ranks, " + std::to_string(threads) + " threads, " + std::to_string(atATime) + " at a time");
        auto loaded = loadByRanks(spec, sources(), threads, atATime);
        ASSERT_TRUE(loaded.ok()) << loaded.status().toString();
        EXPECT_TRUE(*loaded == expected);
      }
    }
}

TEST_F(Weight, NamesTheFirstElementThatIsNotFiniteByAnyNumberOfThreads) {
  std::vector<float> values = someWeights(1000 * 803);
  values[790000] = INFINITY;
  values[700001] = NAN;
  values[500002] = NAN;
  write(values, DType::F32, {1000, 803});
  CodesPlan spec({QuantType::NF4, 64, true}, {{"w", {1000, 803}}}, {1, true, false, false});
  for (int threads : {1, 2, 5}) {
    auto loaded = loadByRanks(spec, sources(), threads);
    EXPECT_EQ(loaded.status().code(), ErrorCode::NonFinite);
    EXPECT_NE(loaded.status().message().find("element 500002 "), std::string::npos) << loaded.status().message();
  }
}

TEST_F(Weight, ThatIsNotFiniteIsRefusedByElement) {
  for (auto [bad, says] : std::vector<std::pair<float, const char *>>{{NAN, "not a number"}, {INFINITY, "infinite"}, {-INFINITY, "infinite"}})
    for (bool nested : {false, true}) {
      std::vector<float> values = someWeights(300 * 70);
      values[20999] = bad;
      write(values, DType::BF16, {300, 70});
      CodesPlan spec({QuantType::NF4, 64, nested}, {{"w", {300, 70}}}, {2, true, false, true});
      Status status = loadByRanks(spec, sources()).status();
      EXPECT_EQ(status.code(), ErrorCode::NonFinite);
      EXPECT_NE(status.message().find(path() + ": tensor w: element 20999 of the flattened weight is " + says), std::string::npos)
          << status.message();
    }
}

TEST_F(Weight, OfAnotherShapeOrTypeIsRefused) {
  CodesPlan spec({QuantType::NF4, 64, true}, {{"w", {10, 7}}}, {1, true, false, false});
  write(someWeights(70), DType::F32, {7, 10});
  Status shape = loadByRanks(spec, sources()).status();
  EXPECT_EQ(shape.code(), ErrorCode::TensorShape);
  EXPECT_NE(shape.message().find("tensor w: shape is [7, 10], expected [10, 7]"), std::string::npos) << shape.message();
  writeTensors(path(), {{"w", {SafetensorsDtype::I32, {10, 7}, Bytes(280)}}});
  EXPECT_EQ(loadByRanks(spec, sources()).status().code(), ErrorCode::TensorDtype);
  writeTensors(path(), {{"v", {SafetensorsDtype::F32, {10, 7}, Bytes(280)}}});
  EXPECT_EQ(loadByRanks(spec, sources()).status().code(), ErrorCode::TensorMissing);
}

TEST_F(Weight, ThatIsQuantizedAlreadyIsRefused) {
  QuantizedFixtures fixtures;
  for (const char *name : {"odd_f32.nf4-32-nested", "odd_f32.fp4-32-nested"}) {
    const QuantizedCase &c = fixtures[name];
    writeTensors(path(), savedTensors(fixtures, c, "w"));
    CodesPlan spec(c.layout, {{"w", c.shape()}}, {1, true, false, false});
    Status status = loadByRanks(spec, sources()).status();
    EXPECT_EQ(status.code(), ErrorCode::QuantFormat) << status.toString();
    EXPECT_NE(status.message().find(std::string("is quantized to ") + textOf(c.layout.type) + " already"), std::string::npos) << status.message();
    EXPECT_NE(status.message().find("import this one"), std::string::npos);
  }
  writeTensors(path(), {{"m.weight", {SafetensorsDtype::I8, {10, 7}, Bytes(70)}}, {"m.SCB", {SafetensorsDtype::F32, {10}, Bytes(40)}}});
  CodesPlan spec({QuantType::NF4, 64, true}, {{"m.weight", {10, 7}}}, {1, true, false, false});
  Status status = loadByRanks(spec, sources()).status();
  EXPECT_EQ(status.code(), ErrorCode::QuantFormat);
  EXPECT_NE(status.message().find("is quantized to int8 already"), std::string::npos) << status.message();
}

TEST(QuantizedLoader, DrawnWeightsAreTheSameOnAnyNumberOfRanks) {
  auto drawn = [] {
    SectionSources sources;
    sources.seed = 42;
    sources.freshIsZero = true; // adapters off: that isn't about these
    return sources;
  };
  for (bool prequantized : {false, true})
    for (bool nested : {false, true}) {
      Bytes one;
      for (uint32_t ranks : {1u, 2u, 3u}) {
        CodesPlan spec({QuantType::NF4, 64, nested}, {{"w", {384, 128}}}, {ranks, true, prequantized, true});
        auto loaded = loadByRanks(spec, drawn);
        ASSERT_TRUE(loaded.ok()) << loaded.status().toString();
        loaded->resize(spec.layout.bytesFor(384 * 128));
        if (ranks == 1)
          one = *loaded;
        EXPECT_EQ(*loaded, one);
      }
      std::vector<int> counts(16);
      for (uint64_t i = 0; i < 8192; ++i)
        ++counts[one[i] >> 4];
      for (int count : counts)
        EXPECT_GT(count, 0); // weights of a normal distribution use every code
    }
}

TEST(QuantizedLoader, ATargetThatIsNoShareIsRefused) {
  CodesPlan spec = rt::test::smallCodesPlan(2);
  auto plan = spec.load();
  ASSERT_TRUE(plan.ok());
  Bytes records(spec.layout.bytes());
  TensorView view{records.data(), DType::U8, 1, {static_cast<int64_t>(records.size())}};
  SerialFor alone;
  EXPECT_EQ(SectionReader(plan->plan(), 0, {}).loadQuantized(0, view, {}, alone).code(), ErrorCode::PlanInvalid);
}

} // namespace
} // namespace zp::rt
