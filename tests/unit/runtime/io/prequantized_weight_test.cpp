// Weights that a checkpoint keeps in 4 bits: copied as they are, or refused by name.
#include "runtime/io/prequantized_weight.h"

#include <cmath>

#include "tests/unit/runtime/io/records_by_ranks.h"
#include "tests/unit/runtime/io/temporary_directory.h"

namespace zp::rt {
namespace {

using namespace zp::test;
using rt::test::CodesPlan;
using enum SafetensorsDtype;

class Prequantized : public testing::Test {
protected:
  StatusOr<Bytes> load(const CodesPlan &spec) {
    return loadByRanks(spec, [this] {
      SectionSources sources;
      auto base = ModelWeights::openFile(path());
      EXPECT_TRUE(base.ok()) << base.status().toString();
      sources.base = std::move(*base);
      return sources;
    });
  }
  /// Loads "w" on two ranks, where the plan expects `c`'s format, after `change` to the saved tensors.
  Status refusal(const QuantizedCase &c, const std::function<void(CheckpointTensors &)> &change) {
    CheckpointTensors tensors = savedTensors(fixtures, c, "w");
    change(tensors);
    writeTensors(path(), tensors);
    return load(CodesPlan(c.layout, {{"w", c.shape()}}, {2, true, true, false})).status();
  }
  std::string path() const { return directory.file("model.safetensors"); }

  QuantizedFixtures fixtures;
  TemporaryDirectory directory;
  const QuantizedCase &nested = fixtures["odd_f32.nf4-32-nested"], &plain = fixtures["odd_f32.nf4-64"];
};

TEST_F(Prequantized, IsCopiedAsItIsOnAnyNumberOfRanks) {
  for (const auto &[name, c] : fixtures.cases())
    for (uint32_t ranks : {1u, 2u, 3u}) {
      SCOPED_TRACE(name + " on " + std::to_string(ranks));
      writeTensors(path(), savedTensors(fixtures, c, "w"));
      CodesPlan spec(c.layout, {{"w", c.shape()}}, {ranks, true, true, false});
      EXPECT_FALSE(spec.exchanges());
      auto loaded = load(spec);
      ASSERT_TRUE(loaded.ok()) << loaded.status().toString();
      EXPECT_TRUE(*loaded == expectedSection(spec, {zp::test::recordsOf(c)}));
    }
}

TEST_F(Prequantized, StorageIsALabel) {
  const QuantizedCase &c = fixtures["whole_bf16.nf4-32-nested"];
  ASSERT_EQ(c.packed.size() % 8, 0u);
  for (auto [dtype, bytes] : std::vector<std::pair<SafetensorsDtype, uint64_t>>{{I8, 1}, {F16, 2}, {BF16, 2}, {F32, 4}, {F64, 8}}) {
    CheckpointTensors tensors = savedTensors(fixtures, c, "w");
    tensors["w"].dtype = dtype;
    tensors["w"].shape = {c.packed.size() / bytes, 1};
    writeTensors(path(), tensors);
    CodesPlan spec(c.layout, {{"w", c.shape()}}, {2, true, true, false});
    auto loaded = load(spec);
    ASSERT_TRUE(loaded.ok()) << loaded.status().toString();
    EXPECT_TRUE(*loaded == expectedSection(spec, {zp::test::recordsOf(c)}));
  }
  EXPECT_EQ(refusal(c, [](CheckpointTensors &t) { t["w"].dtype = BOOL; }).code(), ErrorCode::TensorDtype);
}

TEST_F(Prequantized, FloatsWhereThePlanExpectsCodesAreRefused) {
  writeTensors(path(), {{"w", {F32, {73, 113}, Bytes(73 * 113 * 4)}}});
  Status status = load(CodesPlan(nested.layout, {{"w", {73, 113}}}, {2, true, true, false})).status();
  EXPECT_EQ(status.code(), ErrorCode::QuantFormat);
  EXPECT_NE(status.message().find(path() + ": tensor w: isn't quantized, expected nf4 by the plan; name the directory"), std::string::npos)
      << status.message();
}

TEST_F(Prequantized, AnotherFormatThanThePlansIsRefused) {
  auto expecting = [&](const QuantizedCase &stored, QuantRecords layout, std::vector<int64_t> shape) {
    writeTensors(path(), savedTensors(fixtures, stored, "w"));
    Status status = load(CodesPlan(layout, {{"w", std::move(shape)}}, {2, true, true, false})).status();
    EXPECT_EQ(status.code(), ErrorCode::QuantFormat) << status.toString();
    EXPECT_NE(status.message().find(path()), std::string::npos) << status.message();
    return status.message();
  };
  EXPECT_NE(expecting(fixtures["odd_f32.fp4-32-nested"], nested.layout, {73, 113}).find("is quantized to fp4, expected nf4"), std::string::npos);
  EXPECT_NE(expecting(nested, {QuantType::NF4, 64, true}, {73, 113}).find("blocksize is 32, expected 64"), std::string::npos);
  EXPECT_NE(expecting(nested, {QuantType::NF4, 32, false}, {73, 113}).find("kind of scales is nested, expected plain"), std::string::npos);
  EXPECT_NE(expecting(plain, {QuantType::NF4, 64, true}, {73, 113}).find("kind of scales is plain, expected nested"), std::string::npos);
  EXPECT_NE(expecting(nested, nested.layout, {113, 73}).find("shape is [73, 113], expected [113, 73]"), std::string::npos);
}

std::string replaced(const Bytes &text, const std::string &from, const std::string &to) {
  std::string out(text.begin(), text.end());
  size_t at = out.find(from);
  EXPECT_NE(at, std::string::npos) << out;
  return out.replace(at, from.size(), to);
}

TEST_F(Prequantized, TensorsThatContradictEachOtherAreRefused) {
  const std::string state = "w.quant_state.bitsandbytes__nf4";
  auto withState = [&](const std::string &from, const std::string &to) {
    return [=](CheckpointTensors &t) {
      std::string text = replaced(t[state].bytes, from, to);
      t[state] = {U8, {text.size()}, Bytes(text.begin(), text.end())};
    };
  };
  auto cut = [](const char *name) {
    return [=](CheckpointTensors &t) {
      TensorBytes &tensor = t[name];
      uint64_t element = tensor.bytes.size() / tensor.shape[0];
      --tensor.shape[0];
      tensor.bytes.resize(tensor.bytes.size() - element);
    };
  };
  struct Damage {
    const char *name;
    const QuantizedCase *c;
    std::function<void(CheckpointTensors &)> change;
    ErrorCode code;
    const char *says;
  };
  for (const Damage &damage : std::vector<Damage>{
           {"shape", &nested, withState("[73, 113]", "[73, 999]"), ErrorCode::QuantState, "the packed weight has 4125 bytes"},
           {"group size", &nested, withState("\"nested_blocksize\": 256", "\"nested_blocksize\": 128"), ErrorCode::QuantState,
            "nested_blocksize is 128, expected 256"},
           {"type", &nested, withState("\"nf4\"", "\"fp4\""), ErrorCode::QuantState, "quant_type is \"fp4\""},
           {"no JSON", &nested, withState("{", "["), ErrorCode::Json, "is not a JSON object"},
           {"codes", &nested, cut("w"), ErrorCode::QuantState, "the packed weight has 4124 bytes, expected 4125"},
           {"scales", &nested, cut("w.absmax"), ErrorCode::QuantState, "absmax has 257 elements, expected 258"},
           {"plain scales", &plain, cut("w.absmax"), ErrorCode::QuantState, "absmax has 128 elements, expected 129"},
           {"groups", &nested, cut("w.nested_absmax"), ErrorCode::QuantState, "nested_absmax has 1 elements, expected 2"},
           {"map", &nested, cut("w.nested_quant_map"), ErrorCode::QuantState, "nested_quant_map has 255 elements"},
           {"no groups", &nested, [](CheckpointTensors &t) { t.erase("w.nested_absmax"); }, ErrorCode::TensorMissing, "w.nested_absmax"},
           {"no scales", &plain, [](CheckpointTensors &t) { t.erase("w.absmax"); }, ErrorCode::TensorMissing, "w.absmax"},
           {"scales' dtype", &plain, [](CheckpointTensors &t) { t["w.absmax"].dtype = I32; }, ErrorCode::TensorDtype,
            "tensor w.absmax: dtype is I32, expected F32 or U8"},
           {"state's dtype", &plain, [&](CheckpointTensors &t) { t[state].dtype = I8; }, ErrorCode::TensorDtype, "dtype is I8, expected U8"},
           {"groups without an offset", &plain,
            [&](CheckpointTensors &t) {
              t["w.nested_absmax"] = {F32, {1}, Bytes(4)};
              t["w.nested_quant_map"] = {F32, {256}, fixtures.bytes("map.dynamic")};
            },
            ErrorCode::QuantState, "nested_absmax has 1 elements, expected 0"}}) {
    SCOPED_TRACE(damage.name);
    Status status = refusal(*damage.c, damage.change);
    EXPECT_EQ(status.code(), damage.code) << status.toString();
    EXPECT_NE(status.message().find(damage.says), std::string::npos) << status.message();
    EXPECT_NE(status.message().find(path()), std::string::npos) << status.message();
  }
}

TEST_F(Prequantized, AnotherMapIsRefused) {
  for (const char *name : {"odd_f32.nf4-64", "odd_f32.fp4-32-nested"}) {
    Status status = refusal(fixtures[name], [](CheckpointTensors &t) { t["w.quant_map"].bytes[4 * 5] ^= 1; });
    EXPECT_EQ(status.code(), ErrorCode::QuantState) << status.toString();
    EXPECT_NE(status.message().find("tensor w.quant_map: value 5 is "), std::string::npos) << status.message();
  }
}

TEST_F(Prequantized, AnotherNestedMapIsRefused) {
  Status status = refusal(nested, [](CheckpointTensors &t) { t["w.nested_quant_map"].bytes[4 * 200] ^= 1; });
  EXPECT_EQ(status.code(), ErrorCode::QuantState);
  EXPECT_NE(status.message().find("tensor w.nested_quant_map: value 200 is "), std::string::npos) << status.message();
}

TEST_F(Prequantized, ScalesThatAreNotFiniteAreRefused) {
  auto spoil = [](Bytes &bytes, size_t index, float value) { std::memcpy(bytes.data() + index * 4, &value, 4); };
  Status scale = refusal(plain, [&](CheckpointTensors &t) { spoil(t["w.absmax"].bytes, 77, NAN); });
  EXPECT_EQ(scale.code(), ErrorCode::NonFinite);
  EXPECT_NE(scale.message().find("tensor w.absmax: element 77 is "), std::string::npos) << scale.message();
  Status group = refusal(nested, [&](CheckpointTensors &t) { spoil(t["w.nested_absmax"].bytes, 1, INFINITY); });
  EXPECT_EQ(group.code(), ErrorCode::NonFinite);
  EXPECT_NE(group.message().find("tensor w.nested_absmax: element 1 is inf"), std::string::npos) << group.message();
}

} // namespace
} // namespace zp::rt
