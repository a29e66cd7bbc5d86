// Directories of weights: one file, shards, and what is wrong with them.
#include "runtime/io/model_weights.h"

#include <cstring>

#include <gtest/gtest.h>

#include "runtime/io/safetensors_writer.h"
#include "tests/unit/runtime/io/temporary_directory.h"

namespace zp::rt {
namespace {

void writeTensor(const std::string &path, const std::string &name, float value) {
  auto writer = SafetensorsWriter::create(path, {{name, SafetensorsDtype::F32, {1}}}, nullptr);
  ASSERT_TRUE(writer.ok() && writer->write(name, 0, &value, 4).ok() && writer->finish().ok());
}

float valueOf(const WeightTensor &tensor) {
  float value;
  std::memcpy(&value, tensor.data(), 4);
  return value;
}

TEST(ModelWeights, ReadsOneFile) {
  zp::test::TemporaryDirectory directory;
  writeTensor(directory.file("model.safetensors"), "a", 3);
  auto checkpoint = ModelWeights::open(directory.path);
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.status().toString();
  auto a = checkpoint->find("a");
  ASSERT_TRUE(a.ok());
  EXPECT_EQ(valueOf(*a), 3);
  auto b = checkpoint->find("b");
  ASSERT_FALSE(b.ok());
  EXPECT_EQ(b.status().code(), ErrorCode::TensorMissing);
  EXPECT_NE(b.status().message().find("model.safetensors: has no tensor b"), std::string::npos);
}

class Sharded : public testing::Test {
protected:
  void SetUp() override {
    writeTensor(directory.file("model-00001-of-00002.safetensors"), "a", 3);
    writeTensor(directory.file("model-00002-of-00002.safetensors"), "b", 4);
    directory.write("model.safetensors.index.json", R"({"metadata":{"total_size":8},"weight_map":{
      "a":"model-00001-of-00002.safetensors","b":"model-00002-of-00002.safetensors","c":"model-00002-of-00002.safetensors",
      "d":"model-00003-of-00002.safetensors"}})");
  }
  zp::test::TemporaryDirectory directory;
};

TEST_F(Sharded, ReadsAcrossFiles) {
  auto checkpoint = ModelWeights::open(directory.path);
  ASSERT_TRUE(checkpoint.ok());
  EXPECT_TRUE(checkpoint->contains("b"));
  EXPECT_FALSE(checkpoint->contains("e"));
  EXPECT_EQ(valueOf(*checkpoint->find("b")), 4);
  EXPECT_EQ(valueOf(*checkpoint->find("a")), 3);
}

TEST_F(Sharded, NamesTheShardThatLacksATensor) {
  auto checkpoint = ModelWeights::open(directory.path);
  auto c = checkpoint->find("c");
  ASSERT_FALSE(c.ok());
  EXPECT_EQ(c.status().code(), ErrorCode::TensorMissing);
  EXPECT_NE(c.status().message().find("model-00002-of-00002.safetensors: has no tensor c"), std::string::npos);
}

TEST(ModelWeights, InPicklesAreNamed) {
  test::TemporaryDirectory directory;
  EXPECT_NE(ModelWeights::open(directory.path).status().message().find("has neither model.safetensors"), std::string::npos);
  directory.write("pytorch_model.bin", "PK");
  const Status status = ModelWeights::open(directory.path).status();
  EXPECT_EQ(status.code(), ErrorCode::FileMissing);
  EXPECT_NE(status.message().find("in pytorch_model.bin"), std::string::npos) << status.message();
}

TEST_F(Sharded, NamesAMissingShard) {
  auto d = ModelWeights::open(directory.path)->find("d");
  ASSERT_FALSE(d.ok());
  EXPECT_EQ(d.status().code(), ErrorCode::FileMissing);
  EXPECT_NE(d.status().message().find("model-00003-of-00002.safetensors"), std::string::npos);
}

// A base model saved alone lacks the prefix that it has in the whole one; a plan that was made by config.json alone can't know.
TEST(ModelWeights, FindsABaseModelsTensorsByBothNames) {
  zp::test::TemporaryDirectory directory;
  auto writer =
      SafetensorsWriter::create(directory.file("model.safetensors"),
                                {{"norm.weight", SafetensorsDtype::F32, {1}}, {"transformer.h.weight", SafetensorsDtype::F32, {1}}}, nullptr);
  const float one = 1, two = 2;
  ASSERT_TRUE(writer->write("norm.weight", 0, &one, 4).ok() && writer->write("transformer.h.weight", 0, &two, 4).ok() && writer->finish().ok());
  auto checkpoint = ModelWeights::open(directory.path);
  EXPECT_EQ(valueOf(*checkpoint->find("model.norm.weight")), 1);
  EXPECT_EQ(valueOf(*checkpoint->find("norm.weight")), 1);
  EXPECT_EQ(valueOf(*checkpoint->find("h.weight")), 2);
  EXPECT_TRUE(checkpoint->contains("model.norm.weight"));
  EXPECT_FALSE(checkpoint->contains("decoder.norm.weight"));
  EXPECT_NE(checkpoint->find("model.absent").status().message().find("no tensor model.absent"), std::string::npos);
  auto adapter = ModelWeights::openFile(directory.file("model.safetensors")); // its own names alone
  EXPECT_FALSE(adapter->contains("model.norm.weight"));
}

TEST(ModelWeights, RefusesDamagedIndexes) {
  for (const char *index :
       {"{", "[]", R"({"weight_map":[]})", R"({"weight_map":{"a":1}})", R"({"weight_map":{"a":"../x"}})", R"({"weight_map":{"a":"x\u0000"}})"}) {
    zp::test::TemporaryDirectory directory;
    directory.write("model.safetensors.index.json", index);
    auto checkpoint = ModelWeights::open(directory.path);
    ASSERT_FALSE(checkpoint.ok()) << index;
    EXPECT_EQ(checkpoint.status().code(), ErrorCode::Json) << index;
  }
}

TEST(ModelWeights, SaysThatADirectoryHasNoWeights) {
  zp::test::TemporaryDirectory directory;
  auto checkpoint = ModelWeights::open(directory.path);
  ASSERT_FALSE(checkpoint.ok());
  EXPECT_EQ(checkpoint.status().code(), ErrorCode::FileMissing);
}

} // namespace
} // namespace zp::rt
