// Everything in tests/golden/nf4/fixtures.safetensors: quantised whole and by 1, 2 and 3 ranks, dequantised, and its
// JSON.
#include <algorithm>
#include <cstring>
#include <sstream>

#include <gtest/gtest.h>

#include "runtime/io/safetensors.h"
#include "runtime/quant/block_codec.h"
#include "runtime/quant/nested_scales.h"
#include "runtime/quant/python_repr.h"
#include "runtime/quant/quant_state_json.h"
#include "runtime/quant/quantize_weights.h"
#include "tests/unit/runtime/quant/bytes.h"

namespace zp::rt {
namespace {

constexpr const char *kFile = "tests/golden/nf4/fixtures.safetensors";
constexpr std::string_view kState = ".quant_state.bitsandbytes__";

class Fixtures : public testing::Test {
protected:
  void SetUp() override {
    auto opened = SafetensorsFile::open(kFile);
    ASSERT_TRUE(opened.ok()) << opened.status().toString();
    file = *opened;
    for (const auto &[name, info] : file->tensors())
      if (size_t at = name.find(kState); at != std::string::npos)
        cases.push_back({name.substr(0, at), *quantTypeOf(name.substr(at + kState.size()))});
    ASSERT_GT(cases.size(), 50u);
  }
  template <typename T> std::vector<T> read(const std::string &name) const {
    const SafetensorsInfo *info = file->find(name);
    if (!info) {
      ADD_FAILURE() << "no tensor " << name;
      return {};
    }
    std::vector<T> values(info->bytes / sizeof(T));
    std::memcpy(values.data(), file->data(*info), info->bytes);
    return values;
  }
  std::string text(const std::string &name) const {
    auto bytes = read<uint8_t>(name);
    return {bytes.begin(), bytes.end()};
  }

  struct Case {
    std::string name;
    QuantType type;
    std::string stateName() const { return name + std::string(kState) + textOf(type); }
    std::string weightName() const { return name.substr(0, name.find('.')) + ".weight"; }
  };
  QuantState stateOf(const Case &c) const {
    auto state = readQuantState(c.stateName(), text(c.stateName()), c.type);
    EXPECT_TRUE(state.ok()) << state.status().toString();
    return state.ok() ? *state : QuantState{};
  }

  std::shared_ptr<const SafetensorsFile> file;
  std::vector<Case> cases;
};

/// What a weight becomes when `ranks` ranks quantise a slice each, gather the scales, and nest slices of those.
struct QuantizedTensor {
  std::vector<uint8_t> packed, codes;
  std::vector<float> absmax, nested;
  float offset = 0;
};

/// The cuts between ranks: every slice a multiple of `granule`, the first ones longer.
std::vector<uint64_t> cutsOf(uint64_t total, uint64_t granule, uint64_t ranks) {
  std::vector<uint64_t> cuts = {0};
  uint64_t granules = blocksOf(total, granule);
  for (uint64_t rank = 1; rank <= ranks; ++rank)
    cuts.push_back(std::min(total, (granules * rank + ranks - 1) / ranks * granule));
  return cuts;
}

QuantizedTensor quantizeByRanks(const QuantState &state, const std::byte *weight, uint64_t ranks) {
  uint64_t total = state.elements(), blockSize = state.format.blockSize, blocks = blocksOf(total, blockSize);
  QuantizedTensor out;
  auto cuts = cutsOf(total, blockSize, ranks);
  for (uint64_t rank = 0; rank < ranks; ++rank) {
    uint64_t first = cuts[rank], count = cuts[rank + 1] - first;
    std::vector<uint8_t> packed(packedBytesOf(count));
    std::vector<float> absmax(blocksOf(count, blockSize));
    WeightPiece piece{kFile, "w", weight + bytesOf(state.dtype, first), state.dtype, first, count, total};
    Status status = quantizeWeights(state.format, piece, packed.data(), absmax.data());
    EXPECT_TRUE(status.ok()) << status.toString();
    out.packed.insert(out.packed.end(), packed.begin(), packed.end());
    out.absmax.insert(out.absmax.end(), absmax.begin(), absmax.end());
  }
  if (!state.nestedOffset)
    return out;
  out.offset = offsetOfScales(out.absmax);
  out.codes.resize(blocks);
  auto codeCuts = cutsOf(blocks, 1, ranks); // slices of codes need not agree with groups
  for (uint64_t rank = 0; rank < ranks; ++rank)
    quantizeScales(out.absmax, out.offset, codeCuts[rank], std::span(out.codes).subspan(codeCuts[rank], codeCuts[rank + 1] - codeCuts[rank]));
  out.nested.resize(blocksOf(blocks, kNestedBlockSize));
  auto groupCuts = cutsOf(out.nested.size(), 1, ranks);
  for (uint64_t rank = 0; rank < ranks; ++rank)
    nestScales(out.absmax, out.offset, groupCuts[rank], std::span(out.nested).subspan(groupCuts[rank], groupCuts[rank + 1] - groupCuts[rank]));
  return out;
}

TEST_F(Fixtures, QuantizedByOneTwoAndThreeRanks) {
  for (const Case &c : cases)
    for (uint64_t ranks : {1, 2, 3}) {
      SCOPED_TRACE(c.name + " on " + std::to_string(ranks));
      QuantState state = stateOf(c);
      const SafetensorsInfo *weight = file->find(c.weightName());
      ASSERT_TRUE(weight);
      ASSERT_EQ(weight->bytes, bytesOf(state.dtype, state.elements()));
      QuantizedTensor ours = quantizeByRanks(state, file->data(*weight), ranks);
      EXPECT_EQ(ours.packed, read<uint8_t>(c.name));
      if (!state.nestedOffset) {
        EXPECT_EQ(test::bitsOf(ours.absmax), read<uint32_t>(c.name + ".absmax"));
        continue;
      }
      EXPECT_EQ(ours.codes, read<uint8_t>(c.name + ".absmax"));
      EXPECT_EQ(test::bitsOf(ours.nested), read<uint32_t>(c.name + ".nested_absmax"));
      EXPECT_EQ(std::bit_cast<uint32_t>(ours.offset), std::bit_cast<uint32_t>(*state.nestedOffset));
    }
}

/// The fixtures' sums are taken with every zero positive.
template <typename T, typename Sign> uint32_t crcOfPositiveZeros(std::vector<T> values, Sign sign) {
  for (T &value : values)
    value = value == sign ? T(0) : value;
  return test::crc32(values);
}

TEST_F(Fixtures, Dequantized) {
  for (const Case &c : cases) {
    SCOPED_TRACE(c.name);
    QuantState state = stateOf(c);
    uint64_t n = state.elements();
    std::vector<float> absmax;
    if (state.nestedOffset) {
      DynamicMap map;
      auto stored = read<float>("map.dynamic");
      ASSERT_EQ(stored.size(), map.size());
      std::copy(stored.begin(), stored.end(), map.begin());
      auto codes = read<uint8_t>(c.name + ".absmax");
      absmax.resize(codes.size());
      size_t half = codes.size() / 2; // in two pieces
      auto nested = read<float>(c.name + ".nested_absmax");
      std::span all(codes);
      dequantizeScales(all.first(half), nested, *state.nestedOffset, map, 0, std::span(absmax).first(half));
      dequantizeScales(all.subspan(half), nested, *state.nestedOffset, map, half, std::span(absmax).subspan(half));
    } else {
      absmax = read<float>(c.name + ".absmax");
    }
    auto packed = read<uint8_t>(c.name);
    std::vector<uint32_t> f32(n);
    std::vector<uint16_t> bf16(n), f16(n);
    dequantizeBlocks(state.format, packed.data(), absmax.data(), n, DType::F32, f32.data());
    dequantizeBlocks(state.format, packed.data(), absmax.data(), n, DType::BF16, bf16.data());
    dequantizeBlocks(state.format, packed.data(), absmax.data(), n, DType::F16, f16.data());
    std::vector<int64_t> crcs = {crcOfPositiveZeros(f32, 0x80000000u), crcOfPositiveZeros(bf16, 0x8000), crcOfPositiveZeros(f16, 0x8000)};
    EXPECT_EQ(crcs, read<int64_t>(c.name + ".dequantized_crc32"));
  }
}

TEST_F(Fixtures, StatesAreWrittenAsTheyWereRead) {
  for (const Case &c : cases) {
    SCOPED_TRACE(c.name);
    QuantState state = stateOf(c);
    EXPECT_EQ(writeQuantState(state), text(c.stateName()));
    bool nested = state.nestedOffset.has_value();
    QuantTensorSizes sizes{file->find(c.name)->bytes,
                           file->find(c.name + ".absmax")->elements(),
                           nested,
                           nested ? file->find(c.name + ".nested_absmax")->elements() : 0,
                           16,
                           nested ? 256u : 0u};
    EXPECT_TRUE(checkQuantTensors(c.name, state, sizes).ok());
  }
}

TEST_F(Fixtures, Maps) {
  for (QuantType type : {QuantType::NF4, QuantType::FP4}) {
    auto values = tableOf(type).values;
    EXPECT_EQ(test::bitsOf({values.begin(), values.end()}), read<uint32_t>(std::string("map.") + textOf(type)));
  }
  EXPECT_EQ(test::bitsOf({dynamicMap().begin(), dynamicMap().end()}), read<uint32_t>("map.dynamic"));
}

TEST_F(Fixtures, NumbersAsPythonPrintsThem) {
  std::istringstream lines(text("repr.text"));
  for (double value : read<double>("repr.values")) {
    std::string line;
    ASSERT_TRUE(std::getline(lines, line));
    EXPECT_EQ(pythonRepr(value), line);
  }
}

} // namespace
} // namespace zp::rt
