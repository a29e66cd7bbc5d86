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
    static const std::map<std::string, int64_t> kBytes = {{"U8", 1}, {"I8", 1}, {"BF16", 2}, {"F16", 2}, {"I32", 4}, {"F32", 4}, {"F64", 8}};
    int64_t bytes = kBytes.at(tensor.dtype);
    for (int64_t extent : tensor.shape)
      bytes *= extent;
    header[name] = {{"dtype", tensor.dtype}, {"shape", tensor.shape}, {"data_offsets", {data.size(), data.size() + size_t(bytes)}}};
    data.append(size_t(bytes), tensor.fill);
  }
  std::string text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');
  uint64_t size = text.size();
  return std::string(reinterpret_cast<const char *>(&size), 8) + text + data;
}

/// What transformers saves of a linear in 4 bits (names, dtypes and shapes as in a file of its own).
void pack(Tensors &tensors, const std::string &module, bool nested, const std::string &type = "nf4") {
  std::string name = module + ".weight";
  int64_t count = 1;
  for (int64_t extent : tensors.at(name).shape)
    count *= extent;
  int64_t blocks = (count + 63) / 64;
  tensors[name] = {"U8", {(count + 1) / 2, 1}};
  tensors[name + ".absmax"] = {nested ? "U8" : "F32", {blocks}};
  tensors[name + ".quant_map"] = {"F32", {16}};
  tensors[name + ".quant_state.bitsandbytes__" + type] = {"U8", {90}};
  if (nested) {
    tensors[name + ".nested_absmax"] = {"F32", {(blocks + 255) / 256}};
    tensors[name + ".nested_quant_map"] = {"F32", {256}};
  }
}

const std::vector<std::string> kLinears = {"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj",
                                           "mlp.gate_proj",    "mlp.up_proj",      "mlp.down_proj"};

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
  StatusOr<ImportedModel> imported(const std::function<void(Tensors &)> &change = nullptr, bool tied = false) {
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
  /// A checkpoint in 4 bits whose up_proj is skipped.
  StatusOr<ImportedModel> packed(bool nested, const std::function<void(Tensors &)> &change = nullptr, const std::string &type = "nf4") {
    Tensors tensors = whole();
    for (const std::string &module : kLinears)
      if (module != "mlp.up_proj")
        pack(tensors, "model.layers.0." + module, nested, type);
    if (change)
      change(tensors);
    folder.write("model.safetensors", safetensors(tensors));
    std::string config = kConfig;
    config.replace(config.find("TIED"), 4, "false");
    config.replace(config.rfind('}'), 1,
                   std::string(R"(, "quantization_config": {"quant_method": "bitsandbytes", "load_in_4bit": true,
                    "bnb_4bit_quant_type": "nf4", "llm_int8_skip_modules": ["lm_head", "up_proj"],
                    "bnb_4bit_use_double_quant": )") +
                       (nested ? "true" : "false") + "}}");
    folder.write("config.json", config);
    return importModel({folder.path, "", JobSettings()});
  }
  TemporaryFolder folder;
};

} // namespace

TEST_F(Weights, soundOnesPass) {
  EXPECT_TRUE(imported().ok()) << imported().status().toString();
  // Buffers that old files stored, and anything else that isn't asked for.
  EXPECT_TRUE(imported([](Tensors &t) { t["model.layers.0.self_attn.rotary_emb.inv_freq"] = {"F32", {1}}; }).ok());
}

TEST_F(Weights, missingWrongShapeWrongDtype) {
  EXPECT_ERROR(imported([](Tensors &t) { t.erase("model.norm.weight"); }), TensorMissing,
               "model.safetensors: tensor model.norm.weight is missing, expected [4] by ");
  EXPECT_ERROR(imported([](Tensors &t) {
                 t["model.layers.0.mlp.up_proj.weight"].shape = {4, 5};
               }),
               TensorShape, "model.safetensors: tensor model.layers.0.mlp.up_proj.weight is [4, 5], expected [5, 4] by ");
  EXPECT_ERROR(imported([](Tensors &t) { t["model.norm.weight"].dtype = "I32"; }), TensorDtype,
               "tensor model.norm.weight is I32, expected F32, BF16 or F16");
  EXPECT_ERROR(imported([](Tensors &t) { t.erase("lm_head.weight"); }), TensorMissing, "lm_head.weight");
}

TEST_F(Weights, aTruncatedFileIsRefused) {
  std::string bytes = safetensors(whole());
  folder.write("model.safetensors", bytes.substr(0, bytes.size() - 1));
  EXPECT_ERROR(import(), Safetensors, "model.safetensors");
}

TEST_F(Weights, tiesByWhatIsStored) {
  StatusOr<ImportedModel> without = imported([](Tensors &t) { t.erase("lm_head.weight"); }, /*tied=*/true);
  ASSERT_TRUE(without.ok()) << without.status().toString();
  EXPECT_TRUE(without->spec.tiedHead);
  StatusOr<ImportedModel> equal = imported(nullptr, true);
  EXPECT_TRUE(equal->spec.tiedHead);
  EXPECT_TRUE(equal->warnings.empty());
  StatusOr<ImportedModel> differing = imported([](Tensors &t) { t["lm_head.weight"].fill = 1; }, true);
  ASSERT_TRUE(differing.ok());
  EXPECT_FALSE(differing->spec.tiedHead);
  EXPECT_EQ(differing->spec.modules.back().weight->checkpoint, "lm_head.weight");
  EXPECT_EQ(differing->warnings.size(), 1u);
  StatusOr<ImportedModel> alone = imported([](Tensors &t) { t.erase("model.embed_tokens.weight"); }, true);
  ASSERT_TRUE(alone.ok()) << alone.status().toString();
  EXPECT_TRUE(alone->spec.tiedHead);
  EXPECT_EQ(alone->spec.modules[1].weight->checkpoint, "lm_head.weight") << alone->spec.modules[1].path;
}

// BART's tie_word_embeddings false unties encoder and decoder, too: then their tables may differ from the shared one.
TEST_F(Weights, refusesEmbeddingsOfEncoderAndDecoder) {
  Tensors tensors = {{"model.shared.weight", {"F32", {6, 4}}}, {"lm_head.weight", {"F32", {6, 4}}}};
  auto norm = [&](const std::string &path) { tensors[path + ".weight"] = tensors[path + ".bias"] = {"F32", {4}}; };
  auto linear = [&](const std::string &path, int64_t out, int64_t in) {
    tensors[path + ".weight"] = {"F32", {out, in}};
    tensors[path + ".bias"] = {"F32", {out}};
  };
  for (std::string stack : {"model.encoder", "model.decoder"}) {
    const std::string block = stack + ".layers.0.";
    tensors[stack + ".embed_positions.weight"] = {"F32", {10, 4}};
    for (const char *name : {"self_attn", "encoder_attn"}) {
      if (std::string(name) == "encoder_attn" && stack == "model.encoder")
        continue;
      for (const char *part : {"k_proj", "v_proj", "q_proj", "out_proj"})
        linear(block + name + "." + part, 4, 4);
      norm(block + name + "_layer_norm");
    }
    linear(block + "fc1", 5, 4);
    linear(block + "fc2", 4, 5);
    norm(block + "final_layer_norm");
    norm(stack + ".layernorm_embedding");
  }
  auto load = [&](const char *tied, char encoder) {
    folder.write("config.json", std::string(R"({"model_type": "bart", "vocab_size": 6, "d_model": 4, "encoder_layers": 1, "decoder_layers": 1,
      "encoder_attention_heads": 2, "decoder_attention_heads": 2, "encoder_ffn_dim": 5, "decoder_ffn_dim": 5, "max_position_embeddings": 8,
      "tie_word_embeddings": )") + tied +
                                    "}");
    Tensors stored = tensors;
    stored["model.encoder.embed_tokens.weight"] = {"F32", {6, 4}, encoder};
    folder.write("model.safetensors", safetensors(stored));
    JobSettings settings;
    settings.max_source_length = settings.max_target_length = 8;
    return importModel({folder.path, "", settings}).status();
  };
  EXPECT_TRUE(load("false", 0).ok()) << load("false", 0).toString();
  EXPECT_TRUE(load("true", 1).ok()) << load("true", 1).toString();
  EXPECT_ERROR(load("false", 1), UnknownArchitecture, "model.safetensors: tensor model.encoder.embed_tokens.weight has values of its own");
}

// BLOOM's files on the hub are of the model without its head: no "transformer." in front. Those that save_pretrained writes have it.
TEST_F(Weights, namesWithAndWithoutTheBasePrefix) {
  Tensors tensors = {{"word_embeddings.weight", {"F32", {6, 4}}}};
  for (const char *norm : {"word_embeddings_layernorm", "h.0.input_layernorm", "h.0.post_attention_layernorm", "ln_f"})
    for (const char *kind : {".weight", ".bias"})
      tensors[std::string(norm) + kind] = {"F32", {4}};
  auto linear = [&](const std::string &name, int64_t out, int64_t in) {
    tensors["h.0." + name + ".weight"] = {"F32", {out, in}};
    tensors["h.0." + name + ".bias"] = {"F32", {out}};
  };
  linear("self_attention.query_key_value", 12, 4);
  linear("self_attention.dense", 4, 4);
  linear("mlp.dense_h_to_4h", 16, 4);
  linear("mlp.dense_4h_to_h", 4, 16);
  auto load = [&](const Tensors &stored) {
    folder.write("model.safetensors", safetensors(stored));
    return importModel({folder.path, "", JobSettings()});
  };
  folder.write("config.json", R"({"model_type": "bloom", "vocab_size": 6, "hidden_size": 4, "n_layer": 1, "n_head": 2})");
  StatusOr<ImportedModel> bare = load(tensors);
  ASSERT_TRUE(bare.ok()) << bare.status().toString();
  EXPECT_TRUE(bare->spec.tiedHead);
  EXPECT_EQ(bare->spec.modules[1].weight->name, "transformer.word_embeddings.weight");
  EXPECT_EQ(bare->spec.modules[1].weight->checkpoint, "word_embeddings.weight");
  EXPECT_EQ(bare->spec.modules.back().weight->checkpoint, "word_embeddings.weight");

  Tensors prefixed;
  for (const auto &[name, tensor] : tensors)
    prefixed["transformer." + name] = tensor;
  StatusOr<ImportedModel> whole = load(prefixed);
  ASSERT_TRUE(whole.ok()) << whole.status().toString();
  EXPECT_EQ(whole->spec.modules[1].weight->checkpoint, "transformer.word_embeddings.weight");
  // A head of its own unties, whichever way the embedding is called.
  tensors["lm_head.weight"] = {"F32", {6, 4}, 1};
  EXPECT_FALSE(load(tensors)->spec.tiedHead);
}

// transformers 5 ties an encoder-decoder's head whatever config.json says (mT5's class and its hub files say false), unless the
// file has one of its own.
TEST_F(Weights, tiesAnEncoderDecodersHeadByWhatIsStored) {
  Tensors tensors = {
      {"shared.weight", {"F32", {6, 4}}}, {"encoder.final_layer_norm.weight", {"F32", {4}}}, {"decoder.final_layer_norm.weight", {"F32", {4}}}};
  auto attention = [&](const std::string &path) {
    for (const char *linear : {"q", "k", "v", "o"})
      tensors[path + "." + linear + ".weight"] = {"F32", {4, 4}};
  };
  for (std::string stack : {"encoder", "decoder"}) {
    const std::string block = stack + ".block.0.", last = block + (stack == "encoder" ? "layer.1" : "layer.2");
    attention(block + "layer.0.SelfAttention");
    tensors[block + "layer.0.SelfAttention.relative_attention_bias.weight"] = {"F32", {4, 2}};
    for (const std::string &layer : {block + "layer.0", block + "layer.1", last})
      tensors[layer + ".layer_norm.weight"] = {"F32", {4}};
    for (const char *linear : {"wi_0", "wi_1"})
      tensors[last + ".DenseReluDense." + linear + ".weight"] = {"F32", {5, 4}};
    tensors[last + ".DenseReluDense.wo.weight"] = {"F32", {4, 5}};
  }
  attention("decoder.block.0.layer.1.EncDecAttention");
  auto load = [&](const char *said, std::optional<char> head) {
    folder.write("config.json", std::string(R"({"model_type": "mt5", "vocab_size": 6, "d_model": 4, "d_kv": 2, "num_heads": 2,
      "d_ff": 5, "num_layers": 1, "relative_attention_num_buckets": 4, "relative_attention_max_distance": 8, "dropout_rate": 0,
      "tie_word_embeddings": )") + said +
                                    "}");
    Tensors stored = tensors;
    if (head)
      stored["lm_head.weight"] = {"F32", {6, 4}, *head};
    folder.write("model.safetensors", safetensors(stored));
    return importModel({folder.path, "", JobSettings()});
  };
  struct Case {
    const char *said;
    std::optional<char> head; ///< what its bytes are; the embedding's are 0
    bool tied;
    size_t warnings;
  };
  constexpr char kEqual = 0, kOther = 1;
  for (const Case &one : {Case{"false", {}, true, 0}, Case{"false", kEqual, true, 0}, Case{"false", kOther, false, 0}, Case{"true", {}, true, 0},
                          Case{"true", kOther, false, 1}}) {
    StatusOr<ImportedModel> model = load(one.said, one.head);
    ASSERT_TRUE(model.ok()) << model.status().toString();
    EXPECT_EQ(model->spec.tiedHead, one.tied) << one.said << int(one.head.value_or(-1));
    EXPECT_EQ(model->spec.modules.back().weight->checkpoint, one.tied ? "shared.weight" : "lm_head.weight");
    EXPECT_EQ(model->warnings.size(), one.warnings) << one.said << int(one.head.value_or(-1));
  }
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
  auto index = [&](const nlohmann::json &map) { folder.write("model.safetensors.index.json", nlohmann::json({{"weight_map", map}}).dump(1)); };
  index(map);
  EXPECT_TRUE(import().ok()) << import().status().toString();
  nlohmann::json wrong = map;
  wrong["model.norm.weight"] = "three.safetensors";
  index(wrong);
  EXPECT_ERROR(import(), FileMissing, "weight_map.model.norm.weight: names three.safetensors, which isn't there");
  wrong["model.norm.weight"] = "../two.safetensors";
  index(wrong);
  EXPECT_ERROR(import(), Json, "expected a file of the same directory");
  wrong["model.norm.weight"] = 3;
  index(wrong);
  EXPECT_ERROR(import(), Json, "weight_map.model.norm.weight: is 3");
  folder.write("model.safetensors.index.json", "{}");
  EXPECT_ERROR(import(), Json, "weight_map: is missing");
}

TEST_F(Weights, packedOnesPass) {
  for (bool nested : {false, true}) {
    EXPECT_TRUE(packed(nested).ok()) << packed(nested).status().toString();
    // 16 weights are 8 bytes under any name.
    for (auto [storage, items] : {std::pair("I8", 8), {"BF16", 4}, {"F16", 4}, {"F32", 2}, {"F64", 1}})
      EXPECT_TRUE(packed(nested, [&](Tensors &t) { t["model.layers.0.self_attn.q_proj.weight"] = {storage, {items, 1}}; }).ok()) << storage;
  }
}

TEST_F(Weights, packedCodes) {
  const std::string name = "model.layers.0.self_attn.q_proj.weight";
  EXPECT_ERROR(packed(false,
                      [&](Tensors &t) {
                        t[name].shape = {9, 1};
                      }),
               TensorShape, "model.safetensors: tensor " + name + " is [9, 1] U8, expected 8 bytes of 4-bit codes, two of the 16 weights");
  EXPECT_ERROR(packed(false, [&](Tensors &t) { t[name].shape = {8}; }), TensorShape, name + " is [8] U8");
  EXPECT_ERROR(packed(false, [&](Tensors &t) { t[name] = {"BF16", {8, 1}}; }), TensorShape, name + " is [8, 1] BF16");
  EXPECT_ERROR(packed(false, [&](Tensors &t) { t[name] = {"I32", {2, 1}}; }), TensorDtype, name + " is I32, expected 4-bit codes by ");
  // A linear that was left in floats, though config.json doesn't skip it.
  EXPECT_ERROR(packed(false,
                      [&](Tensors &t) {
                        t[name] = {"F32", {4, 4}};
                        for (const char *part : {".absmax", ".quant_map", ".quant_state.bitsandbytes__nf4"})
                          t.erase(name + part);
                      }),
               TensorDtype, name + " is F32 without scales, expected 4-bit codes by ");
  EXPECT_ERROR(packed(false, [&](Tensors &t) { t.erase(name); }), TensorMissing, "tensor " + name + " is missing");
}

TEST_F(Weights, packedScales) {
  const std::string name = "model.layers.0.self_attn.q_proj.weight";
  EXPECT_ERROR(packed(false, [&](Tensors &t) { t[name + ".absmax"].shape = {2}; }), TensorShape,
               name + ".absmax is [2], expected [1] for blocks of 64 weights");
  EXPECT_ERROR(packed(true, [&](Tensors &t) { t[name + ".absmax"].dtype = "F32"; }), TensorDtype, name + ".absmax is F32, expected U8 by ");
  EXPECT_ERROR(packed(true, [&](Tensors &t) { t.erase(name + ".nested_absmax"); }), TensorMissing,
               "tensor " + name + ".nested_absmax is missing, expected it beside the 4-bit codes by ");
  EXPECT_ERROR(packed(true, [&](Tensors &t) { t[name + ".nested_quant_map"].shape = {255}; }), TensorShape,
               name + ".nested_quant_map is [255], expected [256]");
  EXPECT_ERROR(packed(false,
                      [&](Tensors &t) {
                        t[name + ".nested_absmax"] = {"F32", {1}};
                      }),
               QuantState, name + ".nested_absmax is there, expected none by ");
  EXPECT_ERROR(packed(false, nullptr, "fp4"), QuantState, "quant_state.bitsandbytes__fp4 is there, expected nf4 by ");
  EXPECT_ERROR(packed(false, [&](Tensors &t) { t.erase(name + ".quant_state.bitsandbytes__nf4"); }), TensorMissing,
               name + ".quant_state.bitsandbytes__nf4 is missing");
  EXPECT_ERROR(packed(false, [&](Tensors &t) { t[name + ".quant_state.bitsandbytes__nf4"].dtype = "F32"; }), QuantState,
               name + ".quant_state.bitsandbytes__nf4 is F32 [90], expected the bytes of a JSON text");
}

TEST_F(Weights, packedWhereFloatsAreExpected) {
  EXPECT_ERROR(packed(false, [](Tensors &t) { pack(t, "lm_head", false); }), TensorDtype,
               "tensor lm_head.weight is in 4 bits, expected F32, BF16 or F16 by ");
  EXPECT_ERROR(packed(false, [](Tensors &t) { pack(t, "model.layers.0.mlp.up_proj", false); }), TensorDtype,
               "tensor model.layers.0.mlp.up_proj.weight is in 4 bits");
  EXPECT_ERROR(imported([](Tensors &t) { pack(t, "model.layers.0.mlp.up_proj", false); }), TensorDtype,
               ", which has no quantization_config; use the config.json that belongs to the weights");
}
