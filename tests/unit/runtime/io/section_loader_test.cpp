// Slices of sections from checkpoints, adapters and generators.
#include "runtime/io/section_loader.h"

#include <cstring>
#include <numeric>

#include <gtest/gtest.h>

#include "runtime/base/serial_for.h"
#include "runtime/device/cpu/thread_pool.h"
#include "runtime/io/adapter.h"
#include "runtime/io/convert_elements.h"
#include "runtime/io/safetensors_writer.h"
#include "runtime/io/synthetic_weights.h"
#include "runtime/schema/plan_generated.h"
#include "tests/unit/runtime/io/temporary_directory.h"

namespace zp::rt {
namespace {

/// One section of 256 elements on two ranks, computed with values of a dtype: a checkpoint matrix [10, 7] at 0, a uniform vector
/// of 80 at 128.
std::vector<uint8_t> planBytes(DType values = DType::F32) {
  flatbuffers::FlatBufferBuilder builder;
  std::vector<int64_t> matrix = {10, 7}, row = {80};
  auto w = fbs::CreateParameterDirect(builder, "w", "layer.weight", "", &matrix, 0, fbs::Initial::Checkpoint);
  auto a = fbs::CreateParameterDirect(builder, "a.lora_A", "", "saved.a", &row, 128, fbs::Initial::Uniform, 0.5f, 10);
  std::vector<flatbuffers::Offset<fbs::Parameter>> parameters = {a, w};
  auto section = fbs::CreateSectionDirect(builder, "unit1", 1, fbs::SectionKind::Trainable, 0, 256, true, true, true, 0, &parameters, 0);
  std::vector<flatbuffers::Offset<fbs::Section>> sections = {section};
  std::vector<int64_t> slice = {128};
  std::vector<flatbuffers::Offset<fbs::Tensor>> tensors = {fbs::CreateTensorDirect(builder, 0, 0, static_cast<uint8_t>(values), &slice)};
  builder.Finish(fbs::CreatePlanDirect(builder, 2, "cpu", nullptr, "", "", 8, 0, nullptr, nullptr, &tensors, &sections));
  return {builder.GetBufferPointer(), builder.GetBufferPointer() + builder.GetSize()};
}

class Sections : public testing::Test {
protected:
  void SetUp() override { writeBase({10, 7}); }
  void writeBase(std::vector<uint64_t> shape, SafetensorsDtype dtype = SafetensorsDtype::F32) {
    std::vector<float> values(70);
    std::iota(values.begin(), values.end(), 1.0f);
    auto writer = SafetensorsWriter::create(directory.file("model.safetensors"), {{"layer.weight", dtype, shape}}, nullptr);
    std::vector<uint16_t> halves(70);
    convertElements(reinterpret_cast<std::byte *>(values.data()), DType::F32, halves.data(), DType::F16, 70);
    if (dtype == SafetensorsDtype::F16)
      ASSERT_TRUE(writer->write("layer.weight", 0, halves.data(), 140).ok());
    else
      ASSERT_TRUE(writer->write("layer.weight", 0, values.data(), 280).ok());
    ASSERT_TRUE(writer->finish().ok());
  }
  SectionSources sources() {
    SectionSources from;
    auto base = ModelWeights::open(directory.path);
    EXPECT_TRUE(base.ok());
    from.base = std::move(*base);
    from.seed = 42;
    return from;
  }
  Status load(int rank, uint64_t elements, SectionSources from, std::vector<float> &out) {
    out.assign(elements, -1.0f);
    SectionReader reader(*flatbuffers::GetRoot<fbs::Plan>(bytes.data()), rank, std::move(from));
    SerialFor alone;
    return reader.load(0, TensorView{out.data(), DType::F32, 1, {static_cast<int64_t>(elements)}}, alone);
  }
  zp::test::TemporaryDirectory directory;
  std::vector<uint8_t> bytes = planBytes();
};

TEST_F(Sections, SlicesMakeUpTheWhole) {
  std::vector<float> whole, first, second;
  ASSERT_TRUE(load(0, 256, sources(), whole).ok());
  for (size_t i = 0; i < 70; ++i)
    EXPECT_EQ(whole[i], static_cast<float>(i + 1));
  for (size_t i = 70; i < 128; ++i)
    EXPECT_EQ(whole[i], 0.0f) << "padding";
  InitialValues fresh(42);
  std::vector<float> expected(80);
  fresh.uniform(10, 0.5f, 0, 80, expected.data());
  for (size_t i = 0; i < 80; ++i)
    EXPECT_EQ(whole[128 + i], expected[i]);
  EXPECT_EQ(whole[255], 0.0f);
  ASSERT_TRUE(load(0, 128, sources(), first).ok());
  ASSERT_TRUE(load(1, 128, sources(), second).ok());
  first.insert(first.end(), second.begin(), second.end());
  EXPECT_EQ(first, whole);
}

TEST_F(Sections, ConvertsHalfPrecision) {
  writeBase({10, 7}, SafetensorsDtype::F16);
  std::vector<float> out;
  ASSERT_TRUE(load(0, 256, sources(), out).ok());
  EXPECT_EQ(out[69], 70.0f);
}

TEST_F(Sections, RoundsFreshValuesToWhatTheyAreComputedWithAndZeroesThemWhenOff) {
  std::vector<float> plain, off;
  SectionSources zero = sources();
  zero.freshIsZero = true;
  ASSERT_TRUE(load(0, 256, sources(), plain).ok());
  ASSERT_TRUE(load(0, 256, std::move(zero), off).ok());
  for (DType dtype : {DType::BF16, DType::F16}) {
    std::vector<float> rounded;
    bytes = planBytes(dtype);
    ASSERT_TRUE(load(0, 256, sources(), rounded).ok());
    EXPECT_NE(plain[130], rounded[130]);
    roundElements(&plain[130], 1, dtype);
    EXPECT_EQ(plain[130], rounded[130]);
    bytes = planBytes();
    ASSERT_TRUE(load(0, 256, sources(), plain).ok());
  }
  EXPECT_EQ(off[130], 0.0f);
  EXPECT_EQ(off[3], 4.0f);
}

TEST_F(Sections, RefusesOtherShapesAndTypes) {
  std::vector<float> out;
  writeBase({7, 10});
  Status shape = load(0, 256, sources(), out);
  EXPECT_EQ(shape.code(), ErrorCode::TensorShape);
  EXPECT_NE(shape.message().find("tensor layer.weight: shape is [7, 10], expected [10, 7]"), std::string::npos) << shape.message();
  writeBase({10, 7}, SafetensorsDtype::I32);
  Status dtype = load(0, 256, sources(), out);
  EXPECT_EQ(dtype.code(), ErrorCode::TensorDtype);
  EXPECT_NE(dtype.message().find("dtype is I32"), std::string::npos) << dtype.message();
}

TEST_F(Sections, RefusesATargetThatIsNoShare) {
  std::vector<float> out;
  EXPECT_EQ(load(0, 100, sources(), out).code(), ErrorCode::PlanInvalid);
}

TEST_F(Sections, WithoutACheckpointWeightsAreTheSameOnAnyNumberOfRanks) {
  std::vector<float> whole, second;
  ASSERT_TRUE(load(0, 256, {}, whole).ok());
  ASSERT_TRUE(load(1, 128, {}, second).ok());
  EXPECT_EQ(std::vector<float>(whole.begin() + 128, whole.end()), second);
  double sum = 0, squares = 0;
  for (size_t i = 0; i < 70; ++i)
    sum += whole[i], squares += whole[i] * whole[i];
  EXPECT_NEAR(sum / 70, 0, 0.01);
  EXPECT_NEAR(std::sqrt(squares / 70), 0.02, 0.006);
}

/// A section whose gaps, copied, drawn and fresh parameters are each more than a thread takes at least.
TEST(LargeSections, AreTheSameByAnyNumberOfThreadsAndInAnyParts) {
  constexpr uint64_t kCopied = 301 * 1001, kFresh = 150001, kSection = 1'000'000;
  flatbuffers::FlatBufferBuilder builder;
  std::vector<int64_t> copied = {301, 1001}, fresh = {kFresh};
  std::vector<flatbuffers::Offset<fbs::Parameter>> parameters = {
      fbs::CreateParameterDirect(builder, "w", "layer.weight", "", &copied, 1000, fbs::Initial::Checkpoint),
      fbs::CreateParameterDirect(builder, "a.lora_A", "", "saved.a", &fresh, 500001, fbs::Initial::Uniform, 0.5f, 10)};
  std::vector<flatbuffers::Offset<fbs::Section>> sections = {
      fbs::CreateSectionDirect(builder, "unit1", 1, fbs::SectionKind::Trainable, 0, kSection, true, true, true, 0, &parameters, 0)};
  std::vector<int64_t> slice = {kSection};
  std::vector<flatbuffers::Offset<fbs::Tensor>> tensors = {fbs::CreateTensorDirect(builder, 0, 0, static_cast<uint8_t>(DType::BF16), &slice)};
  builder.Finish(fbs::CreatePlanDirect(builder, 1, "cpu", nullptr, "", "", 8, 0, nullptr, nullptr, &tensors, &sections));
  const fbs::Plan &plan = *flatbuffers::GetRoot<fbs::Plan>(builder.GetBufferPointer());

  zp::test::TemporaryDirectory directory;
  std::vector<uint16_t> stored(kCopied);
  for (uint64_t i = 0; i < kCopied; ++i)
    stored[i] = static_cast<uint16_t>(mixedBits(i));
  auto writer = SafetensorsWriter::create(directory.file("model.safetensors"), {{"layer.weight", SafetensorsDtype::F16, {301, 1001}}}, nullptr);
  ASSERT_TRUE(writer->write("layer.weight", 0, stored.data(), 2 * kCopied).ok());
  ASSERT_TRUE(writer->finish().ok());

  for (bool synthetic : {false, true}) {
    std::vector<uint16_t> expected(kSection, 0);
    if (synthetic) // not from a file: from the name, piece by piece
      for (uint64_t i = 0; i < kCopied; i += 777)
        syntheticWeights("w", 2, 42, i, std::min<uint64_t>(777, kCopied - i), &expected[1000 + i], DType::BF16);
    else
      convertElements(reinterpret_cast<std::byte *>(stored.data()), DType::F16, &expected[1000], DType::BF16, kCopied);
    std::vector<float> values(kFresh);
    InitialValues(42).uniform(10, 0.5f, 0, kFresh, values.data());
    convertElements(reinterpret_cast<std::byte *>(values.data()), DType::F32, &expected[500001], DType::BF16, kFresh);
    for (int threads : {1, 2, 5})
      for (uint64_t atATime : {kSection, uint64_t{300'001}, uint64_t{65'536}}) {
        SCOPED_TRACE(std::to_string(threads) + " threads, " + std::to_string(atATime) + " at a time");
        SectionSources from;
        from.seed = 42;
        if (!synthetic)
          from.base = std::move(*ModelWeights::open(directory.path));
        SectionReader reader(plan, 0, std::move(from));
        ThreadPool pool(threads);
        std::vector<uint16_t> out(kSection, 0xabcd);
        const TensorView whole{out.data(), DType::BF16, 1, {kSection}};
        for (uint64_t first = 0; first < kSection; first += atATime)
          ASSERT_TRUE(reader.load(0, {whole, first, std::min(atATime, kSection - first), out.data() + first}, pool).ok());
        EXPECT_TRUE(out == expected);
      }
  }
}

class Adapters : public Sections {
protected:
  void writeAdapter(const std::string &config, const std::string &tensor, uint64_t elements) {
    directory.write("adapter_config.json", config);
    std::vector<float> values(elements, 3.0f);
    auto writer = SafetensorsWriter::create(directory.file("adapter_model.safetensors"), {{tensor, SafetensorsDtype::F32, {elements}}}, nullptr);
    ASSERT_TRUE(writer->write(tensor, 0, values.data(), elements * 4).ok());
    ASSERT_TRUE(writer->finish().ok());
  }
  const std::string ours = R"({"r": 8, "lora_alpha": 16.0, "modules_to_save": ["a", "b"], "rank_pattern": {}, "target_modules": ["q"]})";
};

TEST_F(Adapters, TakeTheInitialValuesPlace) {
  writeAdapter(R"({"r": 8, "lora_alpha": 16, "modules_to_save": ["b", "a"], "peft_type": "LORA", "target_modules": ["x"]})", "saved.a", 80);
  auto adapter = openAdapter(directory.path, ours, {"saved.a"});
  ASSERT_TRUE(adapter.ok()) << adapter.status().toString();
  SectionSources from = sources();
  from.adapter = std::move(*adapter);
  std::vector<float> out;
  ASSERT_TRUE(load(0, 256, std::move(from), out).ok());
  EXPECT_EQ(out[0], 1.0f);
  EXPECT_EQ(out[128], 3.0f);
  EXPECT_EQ(out[207], 3.0f);
  EXPECT_EQ(out[208], 0.0f);
}

TEST_F(Adapters, MayHoldATensorOfTheBaseWhole) {
  writeAdapter(ours, "base_model.model.w", 70);
  SectionSources from = sources();
  from.adapter = std::move(*openAdapter(directory.path, ours, {"saved.a", "base_model.model.w"}));
  std::vector<float> out;
  EXPECT_EQ(load(0, 256, std::move(from), out).code(), ErrorCode::TensorShape) << "[70] is not [10, 7]";
  auto writer =
      SafetensorsWriter::create(directory.file("adapter_model.safetensors"), {{"base_model.model.w", SafetensorsDtype::F32, {10, 7}}}, nullptr);
  const std::vector<float> values(70, 3.0f);
  ASSERT_TRUE(writer->write("base_model.model.w", 0, values.data(), 280).ok());
  ASSERT_TRUE(writer->finish().ok());
  from = sources();
  from.adapter = std::move(*openAdapter(directory.path, ours, {"saved.a", "base_model.model.w"}));
  Status status = load(0, 256, std::move(from), out);
  ASSERT_TRUE(status.ok()) << status.toString();
  EXPECT_EQ(out[0], 3.0f);
  EXPECT_EQ(out[69], 3.0f);
  EXPECT_NE(out[128], 3.0f);
}

TEST_F(Adapters, OfOtherSettingsAreRefused) {
  for (auto [config, says] : std::vector<std::pair<const char *, const char *>>{
           {R"({"r": 4, "lora_alpha": 16, "modules_to_save": ["a", "b"]})", "r is 4, expected 8"},
           {R"({"r": 8, "modules_to_save": ["a", "b"]})", "lora_alpha is 8, expected 16.0"},
           {R"({"r": 8, "lora_alpha": 16})", "modules_to_save is null, expected [\"a\",\"b\"]"},
           {R"({"r": 8, "lora_alpha": 16, "modules_to_save": ["a", "b"], "rank_pattern": {"q": 2}})", "rank_pattern is {\"q\":2}, expected {}"}}) {
    writeAdapter(config, "saved.a", 80);
    auto adapter = openAdapter(directory.path, ours, {"saved.a"});
    ASSERT_FALSE(adapter.ok()) << config;
    EXPECT_EQ(adapter.status().code(), ErrorCode::AdapterMismatch);
    EXPECT_NE(adapter.status().message().find(says), std::string::npos) << adapter.status().message();
  }
}

// With biases PEFT saves wrapped modules' more than once, and reads one of them.
TEST_F(Adapters, MayHoldWhatPeftSavesTwice) {
  writeAdapter(ours, "saved.modules_to_save.bias", 80);
  EXPECT_TRUE(openAdapter(directory.path, ours, {"saved.a"}).ok());
  writeAdapter(ours, "saved.original_module.bias", 80);
  EXPECT_TRUE(openAdapter(directory.path, ours, {"saved.a"}).ok());
  writeAdapter(R"({"r": 8, "lora_alpha": 16, "modules_to_save": ["b", "a"], "fan_in_fan_out": true})", "saved.a", 80);
  EXPECT_TRUE(openAdapter(directory.path, ours, {"saved.a"}).ok()); // of linears PEFT ignores it
}

TEST_F(Adapters, WithSettingsThatNestTooDeepAreRefused) {
  const std::string deep = R"({"rank_pattern": )" + std::string(200000, '[') + std::string(200000, ']') + "}";
  writeAdapter(deep.c_str(), "saved.a", 80);
  auto adapter = openAdapter(directory.path, ours, {"saved.a"});
  ASSERT_FALSE(adapter.ok());
  EXPECT_EQ(adapter.status().code(), ErrorCode::Json);
}

TEST_F(Adapters, InPicklesAreNamed) {
  directory.write("adapter_config.json", ours);
  directory.write("adapter_model.bin", "PK");
  auto adapter = openAdapter(directory.path, ours, {"saved.a"});
  ASSERT_FALSE(adapter.ok());
  EXPECT_EQ(adapter.status().code(), ErrorCode::FileMissing);
  EXPECT_NE(adapter.status().message().find("in adapter_model.bin"), std::string::npos) << adapter.status().message();
}

TEST_F(Adapters, OfOtherTargetsAreRefused) {
  writeAdapter(ours, "saved.other", 80);
  auto adapter = openAdapter(directory.path, ours, {"saved.a"});
  ASSERT_FALSE(adapter.ok());
  EXPECT_EQ(adapter.status().code(), ErrorCode::AdapterMismatch);
  EXPECT_NE(adapter.status().message().find("tensor saved.other"), std::string::npos);
}

TEST_F(Adapters, OfAnotherShapeAreRefused) {
  writeAdapter(ours, "saved.a", 79);
  SectionSources from = sources();
  from.adapter = std::move(*openAdapter(directory.path, ours, {"saved.a"}));
  std::vector<float> out;
  EXPECT_EQ(load(0, 256, std::move(from), out).code(), ErrorCode::TensorShape);
}

} // namespace
} // namespace zp::rt
