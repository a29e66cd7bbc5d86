// Adapter and model files out of sections' state, whole and in slices.
#include "runtime/trainer/trained_weights.h"

#include <numeric>

#include <gtest/gtest.h>

#include "runtime/io/safetensors.h"
#include "tests/unit/runtime/io/temporary_directory.h"
#include "tests/unit/runtime/trainer/recording_executor.h"

namespace zp::rt {
namespace {

/// A trainable section of 128 elements: a [2, 3] at 0 and b [5] at 64; `c` at 70 is trained but not saved. `ranks` share it.
std::vector<uint8_t> planBytes(uint32_t ranks, const char *adapterConfig) {
  flatbuffers::FlatBufferBuilder b;
  std::vector<int64_t> two = {2, 3}, five = {5}, slice = {128 / static_cast<int64_t>(ranks)};
  std::vector<flatbuffers::Offset<fbs::Tensor>> tensors = {fbs::CreateTensorDirect(b, 0, 0, 0, &slice)};
  std::vector<flatbuffers::Offset<fbs::Parameter>> trained = {fbs::CreateParameterDirect(b, "a", "", "saved.a", &two, 0),
                                                              fbs::CreateParameterDirect(b, "b", "", "saved.b", &five, 64),
                                                              fbs::CreateParameterDirect(b, "c", "", "", &five, 70)};
  std::vector<flatbuffers::Offset<fbs::Parameter>> frozen = {fbs::CreateParameterDirect(b, "w", "w", "", &five, 0)};
  std::vector<flatbuffers::Offset<fbs::Section>> sections = {
      fbs::CreateSectionDirect(b, "u0.frozen", 0, fbs::SectionKind::Frozen, 0, 128, false, false, false, 0, &frozen, 0),
      fbs::CreateSectionDirect(b, "u0.trainable", 0, fbs::SectionKind::Trainable, 0, 128, true, true, true, 0, &trained, 0, 0)};
  b.Finish(fbs::CreatePlanDirect(b, ranks, "cpu", nullptr, adapterConfig, R"({"hidden_size": 3})", 8, 0, nullptr, nullptr, &tensors, &sections));
  return {b.GetBufferPointer(), b.GetBufferPointer() + b.GetSize()};
}

class TrainedWeights : public testing::Test {
protected:
  Status write(uint32_t ranks, const char *adapterConfig, int rank = 0, uint64_t maxShard = 1 << 20) {
    bytes = planBytes(ranks, adapterConfig);
    const fbs::Plan &plan = *flatbuffers::GetRoot<fbs::Plan>(bytes.data());
    test::RecordingExecutor executor(plan);
    auto *values = executor.view(0).as<float>();
    std::iota(values, values + executor.view(0).elements(), 100.0f);
    test::LoneRank communicator(rank, static_cast<int>(ranks));
    return writeTrainedWeights(plan, executor, communicator, {directory.path, "some/base", maxShard});
  }
  std::vector<float> tensor(const std::string &file, const std::string &name) {
    auto opened = SafetensorsFile::open(directory.file(file));
    EXPECT_TRUE(opened.ok()) << opened.status().toString();
    const SafetensorsInfo *info = (*opened)->find(name);
    if (!info)
      return {};
    std::vector<float> out(info->elements());
    std::memcpy(out.data(), (*opened)->data(*info), info->bytes);
    return out;
  }
  test::TemporaryDirectory directory;
  std::vector<uint8_t> bytes;
};

const char *const kConfig = R"({"peft_type":"LORA","r":8,"lora_alpha":16.0,"base_model_name_or_path":null,"target_modules":["q_proj"]})";

TEST_F(TrainedWeights, OfOneRank) {
  Status status = write(1, kConfig);
  ASSERT_TRUE(status.ok()) << status.toString();
  EXPECT_EQ(tensor("adapter_model.safetensors", "saved.a"), (std::vector<float>{100, 101, 102, 103, 104, 105}));
  EXPECT_EQ(tensor("adapter_model.safetensors", "saved.b"), (std::vector<float>{164, 165, 166, 167, 168}));
  auto file = SafetensorsFile::open(directory.file("adapter_model.safetensors"));
  EXPECT_EQ((*file)->tensors().size(), 2u);
  EXPECT_EQ((*file)->metadata().at("format"), "pt");
  EXPECT_EQ(directory.read("adapter_config.json"), R"({
  "base_model_name_or_path": "some/base",
  "inference_mode": true,
  "lora_alpha": 16.0,
  "peft_type": "LORA",
  "r": 8,
  "target_modules": [
    "q_proj"
  ]
})");
  EXPECT_EQ(directory.files(), 2u);
}

TEST_F(TrainedWeights, GatherSlices) {
  Status status = write(2, kConfig); // both ranks' slices read 100, 101, …: b lies in the second
  ASSERT_TRUE(status.ok()) << status.toString();
  EXPECT_EQ(tensor("adapter_model.safetensors", "saved.a"), (std::vector<float>{100, 101, 102, 103, 104, 105}));
  EXPECT_EQ(tensor("adapter_model.safetensors", "saved.b"), (std::vector<float>{100, 101, 102, 103, 104}));
}

TEST_F(TrainedWeights, AreWrittenByRankZeroAlone) {
  ASSERT_TRUE(write(2, kConfig, 1).ok());
  EXPECT_EQ(directory.files(), 0u);
}

TEST_F(TrainedWeights, OfAWholeModelMakeShards) {
  ASSERT_TRUE(write(1, "", 0, 24).ok());
  EXPECT_EQ(tensor("model-00001-of-00002.safetensors", "saved.a").size(), 6u);
  EXPECT_EQ(tensor("model-00002-of-00002.safetensors", "saved.b").size(), 5u);
  EXPECT_NE(directory.read("model.safetensors.index.json").find("\"saved.b\": \"model-00002-of-00002.safetensors\""), std::string::npos);
  EXPECT_EQ(directory.read("config.json"), R"({"hidden_size": 3})");
}

TEST_F(TrainedWeights, LeaveNothingHalfWritten) {
  std::filesystem::create_directory(directory.file("adapter_model.safetensors")); // cannot be replaced by a file
  std::ofstream(directory.file("adapter_model.safetensors") + "/x") << "y";
  Status status = write(1, kConfig);
  EXPECT_EQ(status.code(), ErrorCode::DiskWrite) << status.toString();
  for (auto &entry : std::filesystem::directory_iterator(directory.path))
    EXPECT_EQ(entry.path().filename().string().find(".tmp"), std::string::npos) << entry.path();
}

} // namespace
} // namespace zp::rt
