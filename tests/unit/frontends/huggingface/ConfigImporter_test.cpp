#include "frontends/huggingface/ConfigImporter.h"

#include "frontends/huggingface/ModuleTable.h"
#include "frontends/huggingface/architectures/Family.h"
#include "tests/unit/frontends/huggingface/imported_config.h"

using namespace zp;
using namespace zp::fe;
using namespace zp::fe::test;

TEST(ConfigImporter, absentKeysTakeTheClassDefaults) {
  ModelSpec llama = *importedConfig(R"({"architectures": ["LlamaForCausalLM"]})");
  EXPECT_EQ(llama.vocabulary, 32000);
  EXPECT_EQ(llama.hidden, 4096);
  EXPECT_EQ(llama.intermediate, 11008);
  EXPECT_EQ(llama.layers, 32);
  EXPECT_EQ(llama.heads, 32);
  EXPECT_EQ(llama.kvHeads, 32);
  EXPECT_EQ(llama.headDim, 128);
  EXPECT_EQ(llama.maxPositions, 2048);
  EXPECT_EQ(llama.normEpsilon, 1e-6);
  EXPECT_FALSE(llama.tiedHead);
  EXPECT_FALSE(llama.queryKeyValueBias || llama.outputBias || llama.mlpBias);
  EXPECT_EQ(llama.windows, std::vector<int64_t>(32, 0));

  ModelSpec mistral = *importedConfig(R"({"model_type": "mistral"})");
  EXPECT_EQ(mistral.intermediate, 14336);
  EXPECT_EQ(mistral.kvHeads, 8);
  EXPECT_EQ(mistral.maxPositions, 131072);
  EXPECT_EQ(mistral.windows, std::vector<int64_t>(32, 4096));

  ModelSpec qwen2 = *importedConfig(R"({"model_type": "qwen2"})");
  EXPECT_EQ(qwen2.vocabulary, 151936);
  EXPECT_EQ(qwen2.intermediate, 22016);
  EXPECT_EQ(qwen2.maxPositions, 32768);
  EXPECT_TRUE(qwen2.queryKeyValueBias);
  EXPECT_FALSE(qwen2.outputBias);
  EXPECT_EQ(qwen2.windows, std::vector<int64_t>(32, 0));

  ModelSpec qwen3 = *importedConfig(R"({"model_type": "qwen3", "hidden_size": 1024, "num_attention_heads": 16})");
  EXPECT_EQ(qwen3.headDim, 128); // not hidden / heads
  EXPECT_FALSE(qwen3.queryKeyValueBias);
}

TEST(ConfigImporter, nullIsAbsentExceptWhereItMeansNone) {
  EXPECT_EQ(importedConfig(R"({"model_type": "qwen2", "num_attention_heads": 16, "num_key_value_heads": null})")->kvHeads, 16);
  EXPECT_EQ(importedConfig(R"({"model_type": "mistral", "head_dim": null})")->headDim, 128);
  EXPECT_EQ(importedConfig(R"({"model_type": "mistral", "sliding_window": null})")->windows, std::vector<int64_t>(32, 0));
  EXPECT_EQ(importedConfig(R"({"model_type": "mistral", "sliding_window": 7, "num_hidden_layers": 2})")->windows, (std::vector<int64_t>{7, 7}));
}

TEST(ConfigImporter, biases) {
  ModelSpec llama = *importedConfig(R"({"model_type": "llama", "attention_bias": true, "mlp_bias": true})");
  EXPECT_TRUE(llama.queryKeyValueBias && llama.outputBias && llama.mlpBias);
  ModelSpec qwen3 = *importedConfig(R"({"model_type": "qwen3", "attention_bias": true, "mlp_bias": true})");
  EXPECT_TRUE(qwen3.queryKeyValueBias && qwen3.outputBias);
  EXPECT_FALSE(qwen3.mlpBias);
}

TEST(ConfigImporter, windowsOfQwen) {
  auto windows = [](const std::string &keys) { return importedConfig(R"({"model_type": "qwen2", "num_hidden_layers": 3, )" + keys + "}")->windows; };
  using Windows = std::vector<int64_t>;
  // As transformers 4 wrote it: a window that use_sliding_window makes void.
  EXPECT_EQ(windows(R"("sliding_window": 4096, "use_sliding_window": false, "max_window_layers": 0)"), (Windows{0, 0, 0}));
  EXPECT_EQ(windows(R"("sliding_window": 16, "use_sliding_window": true, "max_window_layers": 1)"), (Windows{0, 16, 16}));
  EXPECT_EQ(windows(R"("sliding_window": 16, "use_sliding_window": true)"), (Windows{0, 0, 0})); // max_window_layers 28
  EXPECT_EQ(windows(R"("sliding_window": null, "use_sliding_window": true, "max_window_layers": 0)"), (Windows{0, 0, 0}));
  // As transformers 5 writes it.
  EXPECT_EQ(windows(R"("sliding_window": 16, "use_sliding_window": true, "max_window_layers": 0,
                       "layer_types": ["sliding_attention", "full_attention", "sliding_attention"])"),
            (Windows{16, 0, 16}));
  EXPECT_ERROR(importedConfig(R"({"model_type": "qwen2", "use_sliding_window": true, "num_hidden_layers": 3, "layer_types": ["full_attention"]})"),
               Json, "layer_types: has 1 entries");
  EXPECT_ERROR(importedConfig(R"({"model_type": "qwen2", "use_sliding_window": true, "num_hidden_layers": 1, "layer_types": ["linear_attention"]})"),
               UnknownArchitecture, "layer_types: holds \"linear_attention\"");
}

// transformers takes a mistral with layer_types for a Ministral.
TEST(ConfigImporter, windowsOfMistral) {
  auto windows = [](const std::string &keys) {
    return importedConfig(R"({"model_type": "mistral", "num_hidden_layers": 3, "sliding_window": 16, )" + keys + "}")->windows;
  };
  using Windows = std::vector<int64_t>;
  EXPECT_EQ(windows(R"("layer_types": ["sliding_attention", "full_attention", "sliding_attention"])"), (Windows{16, 0, 16}));
  EXPECT_EQ(windows(R"("layer_types": null)"), (Windows{16, 16, 16}));
}

// transformers makes what model_type says, whatever class the weights were saved from.
TEST(ConfigImporter, modelTypeDecides) {
  auto read = [](const std::string &architecture, const std::string &type) {
    return *importedConfig(R"({"num_hidden_layers": 1, "attention_bias": true, "architectures": [")" + architecture + R"("], "model_type": ")" +
                           type + "\"}");
  };
  const ModelSpec window = read("LlamaForCausalLM", "mistral");
  EXPECT_EQ(window.architecture, "MistralForCausalLM");
  EXPECT_EQ(window.windows, std::vector<int64_t>{4096});
  EXPECT_EQ(window.notes, std::vector<std::string>{"note: config.json:1: architectures: is LlamaForCausalLM, and model_type \"mistral\": read as "
                                                   "MistralForCausalLM, as transformers does"});
  EXPECT_TRUE(read("MistralForCausalLM", "llama").queryKeyValueBias);
  EXPECT_EQ(read("MT5ForConditionalGeneration", "t5").modelType, "t5");
  EXPECT_EQ(read("T5ForConditionalGeneration", "mt5").modelType, "mt5");
  EXPECT_TRUE(read("LlamaForCausalLM", "llama").notes.empty());
  EXPECT_TRUE(read("LlamaModel", "llama").notes.empty());
  EXPECT_EQ(read("LlamaForCausalLM", "Yi").modelType, "llama"); // of no family: the class alone is known
}

// It is the padding_idx of PyTorch's table, whose row gets no gradient.
TEST(ConfigImporter, paddingTokens) {
  auto token = [](const std::string &keys) { return importedConfig("{\"vocab_size\": 100, " + keys + "}")->paddingToken; };
  for (const char *type : {"llama", "mistral", "qwen2", "qwen3"}) {
    const std::string model = std::string("\"model_type\": \"") + type + "\"";
    EXPECT_EQ(token(model), -1) << type;
    EXPECT_EQ(token(model + R"(, "pad_token_id": 7)"), 7) << type;
    EXPECT_EQ(token(model + R"(, "pad_token_id": -1)"), 99) << type;
    EXPECT_EQ(token(model + R"(, "pad_token_id": 100)"), -1) << type;
  }
  EXPECT_EQ(token(R"("model_type": "bart")"), 1);
  EXPECT_EQ(token(R"("model_type": "bart", "pad_token_id": null)"), -1);
  for (const char *type : {"falcon", "bloom", "t5"})
    EXPECT_EQ(token(std::string("\"model_type\": \"") + type + R"(", "pad_token_id": 7)"), -1) << type;
}

TEST(ConfigImporter, unknownArchitectures) {
  EXPECT_ERROR(importedConfig("{\n\"architectures\": [\"GPT2LMHeadModel\"], \"model_type\": \"llama\"}"), UnknownArchitecture,
               "config.json:2: architectures: is GPT2LMHeadModel, expected one of "
               "LlamaForCausalLM, MistralForCausalLM, Qwen2ForCausalLM, Qwen3ForCausalLM");
  EXPECT_ERROR(importedConfig(R"({"architectures": ["LlamaForSequenceClassification"], "model_type": "llama"})"), UnknownArchitecture,
               "is LlamaForSequenceClassification");
  EXPECT_ERROR(importedConfig(R"({"model_type": "gpt2"})"), UnknownArchitecture, "model_type: is \"gpt2\"");
  EXPECT_ERROR(importedConfig("{}"), UnknownArchitecture, "expected one of");
}

TEST(ConfigImporter, refusesWhatWouldChangeTheMathematics) {
  auto withKey = [](const std::string &key) { return importedConfig("{\"model_type\": \"llama\",\n" + key + "}"); };
  EXPECT_ERROR(withKey(R"("hidden_act": "quick_gelu")"), UnknownArchitecture, "config.json:2: hidden_act: is \"quick_gelu\"");
  EXPECT_ERROR(withKey(R"("attention_dropout": 1.5)"), Json, "config.json:2: attention_dropout: is 1.5");
  EXPECT_ERROR(withKey(R"("partial_rotary_factor": 0.5)"), UnknownArchitecture, "config.json:2: partial_rotary_factor");
}

TEST(ConfigImporter, readsDropoutOfProbabilities) {
  for (const char *family : {"llama", "mistral", "qwen2", "qwen3"}) {
    EXPECT_EQ(importedConfig(std::string("{\"model_type\": \"") + family + "\"}")->probabilityDropout, 0) << family;
    EXPECT_EQ(importedConfig(std::string("{\"model_type\": \"") + family + "\", \"attention_dropout\": 0.1}")->probabilityDropout, 0.1) << family;
  }
}

TEST(ConfigImporter, refusesUnusableSizes) {
  auto withKey = [](const std::string &key) { return importedConfig("{\"model_type\": \"llama\",\n" + key + "}"); };
  EXPECT_ERROR(withKey(R"("hidden_size": 0)"), Json, "config.json:2: hidden_size: is 0");
  EXPECT_ERROR(withKey(R"("num_hidden_layers": -1)"), Json, "config.json:2: num_hidden_layers: is -1");
  EXPECT_ERROR(withKey(R"("num_hidden_layers": 100000000)"), Json, "config.json:2: num_hidden_layers");
  EXPECT_ERROR(withKey(R"("vocab_size": "32000")"), Json, "config.json:2: vocab_size: is \"32000\", expected a whole number");
  EXPECT_ERROR(withKey(R"("hidden_size": 100, "num_attention_heads": 3)"), Json, "config.json:2: hidden_size: is 100 with 3 heads");
  EXPECT_ERROR(importedConfig("{\"model_type\": \"bloom\",\n\"n_head\": 8, \"num_attention_heads\": 4}"), Json,
               "config.json:2: num_attention_heads: is 4 and n_head 8, expected one size under both names");
}

// The names that a Llama checkpoint has (two layers, all biases, GQA).
TEST(ModuleTable, modulesAndTensorsOfLlama) {
  ModelSpec spec = *importedConfig(
      R"({"model_type": "llama", "vocab_size": 10, "hidden_size": 8, "intermediate_size": 12, "num_hidden_layers": 1,
      "num_attention_heads": 4, "num_key_value_heads": 2, "attention_bias": true})");
  makeModules(spec);
  std::vector<std::string> paths, tensors;
  for (const ModuleSpec &module : spec.modules) {
    paths.push_back(module.path);
    for (const auto *slot : {&module.weight, &module.bias})
      if (*slot) {
        std::string shape;
        for (int64_t extent : (*slot)->shape)
          shape += " " + std::to_string(extent);
        tensors.push_back((*slot)->name + shape + " @" + std::to_string(module.unit));
      }
  }
  // list(dict(LlamaForCausalLM(config).named_modules()))[1:]
  EXPECT_EQ(paths, (std::vector<std::string>{
                       "model", "model.embed_tokens", "model.layers", "model.layers.0", "model.layers.0.self_attn", "model.layers.0.self_attn.q_proj",
                       "model.layers.0.self_attn.k_proj", "model.layers.0.self_attn.v_proj", "model.layers.0.self_attn.o_proj", "model.layers.0.mlp",
                       "model.layers.0.mlp.gate_proj", "model.layers.0.mlp.up_proj", "model.layers.0.mlp.down_proj", "model.layers.0.mlp.act_fn",
                       "model.layers.0.input_layernorm", "model.layers.0.post_attention_layernorm", "model.norm", "model.rotary_emb", "lm_head"}));
  EXPECT_EQ(tensors, (std::vector<std::string>{"model.embed_tokens.weight 10 8 @0", "model.layers.0.self_attn.q_proj.weight 8 8 @1",
                                               "model.layers.0.self_attn.q_proj.bias 8 @1", "model.layers.0.self_attn.k_proj.weight 4 8 @1",
                                               "model.layers.0.self_attn.k_proj.bias 4 @1", "model.layers.0.self_attn.v_proj.weight 4 8 @1",
                                               "model.layers.0.self_attn.v_proj.bias 4 @1", "model.layers.0.self_attn.o_proj.weight 8 8 @1",
                                               "model.layers.0.self_attn.o_proj.bias 8 @1", "model.layers.0.mlp.gate_proj.weight 12 8 @1",
                                               "model.layers.0.mlp.up_proj.weight 12 8 @1", "model.layers.0.mlp.down_proj.weight 8 12 @1",
                                               "model.layers.0.input_layernorm.weight 8 @1", "model.layers.0.post_attention_layernorm.weight 8 @1",
                                               "model.norm.weight 8 @2", "lm_head.weight 10 8 @2"}));
}
