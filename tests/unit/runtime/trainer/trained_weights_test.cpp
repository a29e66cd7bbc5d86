// Adapter and model files out of sections' state, whole and in slices.
#include "runtime/trainer/trained_weights.h"

#include <bit>
#include <numeric>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "runtime/io/safetensors.h"
#include "runtime/io/safetensors_writer.h"
#include "tests/unit/runtime/io/temporary_directory.h"
#include "tests/unit/runtime/lone_rank.h"
#include "tests/unit/runtime/trainer/recording_executor.h"

namespace zp::rt {
namespace {

/// A trainable section of 128 elements: a [2, 3] at 0 and b [5] at 64; `c` at 70 is trained but not saved. `ranks` share it.
std::vector<uint8_t> planBytes(uint32_t ranks, const char *adapterConfig, const char *modelConfig) {
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
  b.Finish(fbs::CreatePlanDirect(b, ranks, "cpu", nullptr, adapterConfig, modelConfig, 8, 0, nullptr, nullptr, &tensors, &sections));
  return {b.GetBufferPointer(), b.GetBufferPointer() + b.GetSize()};
}

class TrainedWeights : public testing::Test {
protected:
  Status write(uint32_t ranks, const char *adapterConfig, int rank = 0, uint64_t maxShard = 1 << 20) {
    bytes = planBytes(ranks, adapterConfig, modelConfig.c_str());
    const fbs::Plan &plan = *flatbuffers::GetRoot<fbs::Plan>(bytes.data());
    test::RecordingExecutor executor(plan);
    auto *values = executor.view(0).as<float>();
    std::iota(values, values + executor.view(0).elements(), 100.0f);
    test::LoneRank communicator(rank, static_cast<int>(ranks));
    where.directory = directory.path;
    where.baseName = "some/base";
    where.maxShardBytes = maxShard;
    return writeTrainedWeights(plan, executor, communicator, where);
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
  SavedModel where;
  std::string modelConfig = R"({"hidden_size": 3})";
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

TEST_F(TrainedWeights, HaveFilesBesideThem) {
  directory.write("tokenizer.json", "other words");
  directory.write("chat_template.jinja", "another's");
  where.texts = {{"tokenizer.json", "words"}, {"generation_config.json", "{}"}};
  where.strangers = {"chat_template.jinja", "merges.txt"};
  where.modelConfig = R"({"hidden_size": 3, "eos_token_id": 5})";
  ASSERT_TRUE(write(1, "").ok());
  EXPECT_EQ(directory.read("tokenizer.json") + directory.read("generation_config.json"), "words{}");
  EXPECT_FALSE(std::filesystem::exists(directory.file("chat_template.jinja")));
  EXPECT_EQ(directory.read("config.json"), where.modelConfig);
}

/// bf16's bits of small whole numbers: the upper half of f32's.
std::vector<uint16_t> halves(const std::vector<float> &values) {
  std::vector<uint16_t> out;
  for (float value : values)
    out.push_back(static_cast<uint16_t>(std::bit_cast<uint32_t>(value) >> 16));
  return out;
}

TEST_F(TrainedWeights, OfAWholeModelHaveItsDtype) {
  where.dtype = DType::BF16;
  ASSERT_TRUE(write(1, "").ok());
  auto file = SafetensorsFile::open(directory.file("model.safetensors"));
  ASSERT_TRUE(file.ok()) << file.status().toString();
  const SafetensorsInfo *info = (*file)->find("saved.b");
  ASSERT_EQ(info->dtype, SafetensorsDtype::BF16);
  std::vector<uint16_t> stored(5);
  ASSERT_EQ(info->bytes, stored.size() * 2);
  std::memcpy(stored.data(), (*file)->data(*info), info->bytes);
  EXPECT_EQ(stored, halves({164, 165, 166, 167, 168}));
  auto config = nlohmann::json::parse(directory.read("config.json"));
  EXPECT_EQ(config["torch_dtype"], "bfloat16");
  EXPECT_EQ(config["hidden_size"], 3);
  where.dtype = DType::F32;
}

/// What the base says of its dtype may be null, in either spelling; the newer one goes before the older.
TEST_F(TrainedWeights, SayTheirDtypeWhateverTheBaseSays) {
  struct Case {
    const char *base, *key;
  };
  where.dtype = DType::BF16;
  for (const Case &c : {Case{R"({"torch_dtype": null})", "torch_dtype"}, Case{R"({"dtype": null})", "dtype"}, Case{R"({"dtype": 4})", "dtype"},
                        Case{R"({"torch_dtype": "bfloat16", "dtype": "float16"})", "dtype"}}) {
    modelConfig = c.base;
    ASSERT_TRUE(write(1, "").ok()) << c.base;
    EXPECT_EQ(nlohmann::json::parse(directory.read("config.json"))[c.key], "bfloat16") << c.base;
  }
  modelConfig = R"({"torch_dtype": "float32", "dtype": "bfloat16"})"; // says so already: not a byte is changed
  ASSERT_TRUE(write(1, "").ok());
  EXPECT_EQ(directory.read("config.json"), modelConfig);
  where.dtype = DType::F32;
  modelConfig = R"({"torch_dtype": null})"; // no word is f32
  ASSERT_TRUE(write(1, "").ok());
  EXPECT_EQ(directory.read("config.json"), modelConfig);
}

TEST_F(TrainedWeights, OfACheckpointAreTheSameBytes) {
  for (const char *adapter : {kConfig, ""})
    for (DType dtype : {DType::F32, DType::BF16, DType::F16}) {
      where.dtype = dtype;
      ASSERT_TRUE(write(1, adapter, 0, 24).ok());
      const std::vector<std::string> names = adapter[0] ? std::vector<std::string>{"adapter_model.safetensors"}
                                             : dtype == DType::F32
                                                 ? std::vector<std::string>{"model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"}
                                                 : std::vector<std::string>{"model.safetensors"};
      std::vector<std::string> gathered;
      for (const std::string &name : names)
        gathered.push_back(directory.read(name));
      const fbs::Plan &plan = *flatbuffers::GetRoot<fbs::Plan>(bytes.data());
      std::vector<float> values(128);
      std::iota(values.begin(), values.end(), 100.0f);
      TensorView view{values.data(), DType::F32, 1, {128}};
      auto pieces = piecesOf(
          plan, 0, [&](uint32_t) { return view; }, true);
      ASSERT_TRUE(pieces.ok()) << pieces.status().toString();
      ASSERT_TRUE(writeShard(directory.path, "masters", layoutOf(*pieces)).ok());
      auto shards = StateShards::open(directory.path, {"masters"});
      ASSERT_TRUE(shards.ok()) << shards.status().toString();
      auto written = writeTrainedWeights(plan, *shards, where);
      ASSERT_TRUE(written.ok()) << written.status().toString();
      ASSERT_EQ(written->size(), names.size());
      for (size_t i = 0; i < names.size(); ++i) {
        EXPECT_EQ((*written)[i].name, names[i]);
        EXPECT_EQ((*written)[i].checksum, describeFile(directory.path, names[i])->checksum);
        EXPECT_TRUE(directory.read(names[i]) == gathered[i]) << names[i];
      }
    }
}

TEST_F(TrainedWeights, OfAnAdapterTakeTensorsOfTheBaseAlong) {
  auto writer = SafetensorsWriter::create(directory.file("base.safetensors"), {{"e", SafetensorsDtype::BF16, {3, 1}}}, nullptr);
  const std::vector<uint16_t> rows = halves({1, 2, 3});
  ASSERT_TRUE(writer->write("e", 0, rows.data(), 6).ok());
  ASSERT_TRUE(writer->finish().ok());
  auto base = ModelWeights::openFile(directory.file("base.safetensors"));
  where.copies = {{"base.e", *base->find("e")}, {"saved.a", *base->find("e")}};
  ASSERT_TRUE(write(1, kConfig).ok());
  EXPECT_EQ(tensor("adapter_model.safetensors", "saved.a").size(), 6u) << "what is trained goes before what is copied";
  auto file = SafetensorsFile::open(directory.file("adapter_model.safetensors"));
  const SafetensorsInfo *info = (*file)->find("base.e");
  ASSERT_NE(info, nullptr);
  EXPECT_EQ(info->dtype, SafetensorsDtype::BF16);
  EXPECT_EQ(std::memcmp((*file)->data(*info), rows.data(), 6), 0);
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
