#include "frontends/huggingface/WeightIndex.h"

#include <functional>

#include "frontends/huggingface/ConfigImporter.h"
#include "frontends/huggingface/ModelImporter.h"
#include "frontends/huggingface/ModuleTable.h"
#include "tests/unit/frontends/support.h"

using namespace zp;
using namespace zp::fe;
using namespace zp::fe::test;

namespace {

constexpr const char *kConfig =
    R"({"model_type": "llama", "vocab_size": 6, "hidden_size": 4, "intermediate_size": 5, "num_hidden_layers": 1,
                                   "num_attention_heads": 2, "num_key_value_heads": 1, "max_position_embeddings": 2048, "tie_word_embeddings": TIED})";

struct Tensor {
  std::string dtype = "F32";
  std::vector<int64_t> shape;
  char fill = 0;
};
using Tensors = std::map<std::string, Tensor>;

/// A safetensors file byte by byte, not by the project's own writer.
std::string safetensors(const Tensors &tensors) {
  nlohmann::ordered_json header;
  std::string data;
  for (const auto &[name, tensor] : tensors) {
    int64_t bytes = tensor.dtype == "F32" || tensor.dtype == "I32" ? 4 : 2;
    for (int64_t extent : tensor.shape)
      bytes *= extent;
    header[name] = {{"dtype", tensor.dtype},
                    {"shape", tensor.shape},
                    {"data_offsets", {data.size(), data.size() + size_t(bytes)}}};
    data.append(size_t(bytes), tensor.fill);
  }
  std::string text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');
  uint64_t size = text.size();
  return std::string(reinterpret_cast<const char *>(&size), 8) + text + data;
}

class Weights : public ::testing::Test {
protected:
  Tensors whole() const {
    return {{"model.embed_tokens.weight", {"F32", {6, 4}}},
            {"lm_head.weight", {"F32", {6, 4}}},
            {"model.norm.weight", {"F32", {4}}},
            {"model.layers.0.self_attn.q_proj.weight", {"BF16", {4, 4}}},
            {"model.layers.0.self_attn.k_proj.weight", {"F16", {2, 4}}},
            {"model.layers.0.self_attn.v_proj.weight", {"F32", {2, 4}}},
            {"model.layers.0.self_attn.o_proj.weight", {"F32", {4, 4}}},
            {"model.layers.0.mlp.gate_proj.weight", {"F32", {5, 4}}},
            {"model.layers.0.mlp.up_proj.weight", {"F32", {5, 4}}},
            {"model.layers.0.mlp.down_proj.weight", {"F32", {4, 5}}},
            {"model.layers.0.input_layernorm.weight", {"F32", {4}}},
            {"model.layers.0.post_attention_layernorm.weight", {"F32", {4}}}};
  }
  StatusOr<ImportedModel> imported(const std::function<void(Tensors &)> &change = nullptr,
                                   bool tied = false) {
    Tensors tensors = whole();
    if (change)
      change(tensors);
    folder.write("model.safetensors", safetensors(tensors));
    return import(tied);
  }
  StatusOr<ImportedModel> import(bool tied = false) {
    std::string config = kConfig;
    config.replace(config.find("TIED"), 4, tied ? "true" : "false");
    folder.write("config.json", config);
    return importModel({folder.path, "", JobSettings()});
  }
  TemporaryFolder folder;
};

} // namespace

TEST_F(Weights, soundOnesPass) {
  EXPECT_TRUE(imported().ok()) << imported().status().toString();
  // Buffers that old files stored, and anything else that isn't asked for.
  EXPECT_TRUE(imported([](Tensors &t) {
                t["model.layers.0.self_attn.rotary_emb.inv_freq"] = {"F32", {1}};
              }).ok());
}

TEST_F(Weights, missingWrongShapeWrongDtype) {
  EXPECT_ERROR(imported([](Tensors &t) { t.erase("model.norm.weight"); }), TensorMissing,
               "model.safetensors: tensor model.norm.weight is missing, expected [4] by ");
  EXPECT_ERROR(
      imported([](Tensors &t) {
        t["model.layers.0.mlp.up_proj.weight"].shape = {4, 5};
      }),
      TensorShape,
      "model.safetensors: tensor model.layers.0.mlp.up_proj.weight is [4, 5], expected [5, 4] by ");
  EXPECT_ERROR(imported([](Tensors &t) { t["model.norm.weight"].dtype = "I32"; }), TensorDtype,
               "tensor model.norm.weight is I32, expected F32, BF16 or F16");
  EXPECT_ERROR(imported([](Tensors &t) { t.erase("lm_head.weight"); }), TensorMissing,
               "lm_head.weight");
}

TEST_F(Weights, aTruncatedFileIsRefused) {
  std::string bytes = safetensors(whole());
  folder.write("model.safetensors", bytes.substr(0, bytes.size() - 1));
  EXPECT_ERROR(import(), Safetensors, "model.safetensors");
}

TEST_F(Weights, tiesByWhatIsStored) {
  StatusOr<ImportedModel> without =
      imported([](Tensors &t) { t.erase("lm_head.weight"); }, /*tied=*/true);
  ASSERT_TRUE(without.ok()) << without.status().toString();
  EXPECT_TRUE(without->spec.tiedHead);
  StatusOr<ImportedModel> equal = imported(nullptr, true);
  EXPECT_TRUE(equal->spec.tiedHead);
  EXPECT_TRUE(equal->warnings.empty());
  StatusOr<ImportedModel> differing =
      imported([](Tensors &t) { t["lm_head.weight"].fill = 1; }, true);
  ASSERT_TRUE(differing.ok());
  EXPECT_FALSE(differing->spec.tiedHead);
  EXPECT_EQ(differing->spec.modules.back().weight->checkpoint, "lm_head.weight");
  EXPECT_EQ(differing->warnings.size(), 1u);
}

TEST_F(Weights, shardsByTheIndex) {
  Tensors all = whole(), first, second;
  nlohmann::json map;
  for (const auto &[name, tensor] : all) {
    bool early = name < "model.layers.0.mlp.up_proj.weight";
    (early ? first : second)[name] = tensor;
    map[name] = early ? "one.safetensors" : "two.safetensors";
  }
  folder.write("one.safetensors", safetensors(first));
  folder.write("two.safetensors", safetensors(second));
  auto index = [&](const nlohmann::json &map) {
    folder.write("model.safetensors.index.json", nlohmann::json({{"weight_map", map}}).dump(1));
  };
  index(map);
  EXPECT_TRUE(import().ok()) << import().status().toString();
  nlohmann::json wrong = map;
  wrong["model.norm.weight"] = "three.safetensors";
  index(wrong);
  EXPECT_ERROR(import(), FileMissing,
               "weight_map.model.norm.weight: names three.safetensors, which isn't there");
  wrong["model.norm.weight"] = "../two.safetensors";
  index(wrong);
  EXPECT_ERROR(import(), Json, "expected a file of the same directory");
  wrong["model.norm.weight"] = 3;
  index(wrong);
  EXPECT_ERROR(import(), Json, "weight_map.model.norm.weight: is 3");
  folder.write("model.safetensors.index.json", "{}");
  EXPECT_ERROR(import(), Json, "weight_map: is missing");
}
