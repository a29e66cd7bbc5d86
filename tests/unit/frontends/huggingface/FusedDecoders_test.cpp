// Falcon and BLOOM: what their config.json say, and the modules that transformers 5.23 makes of them.
#include "frontends/common/SpecVerifier.h"
#include "frontends/huggingface/AlibiSlopes.h"
#include "frontends/huggingface/ConfigImporter.h"
#include "frontends/huggingface/ModuleTable.h"
#include "tests/unit/frontends/huggingface/imported_config.h"

using namespace zp;
using namespace zp::fe;
using namespace zp::fe::test;

namespace {

StatusOr<ModelSpec> importedType(const std::string &type, const std::string &keys = "") {
  return importedConfig("{\"model_type\": \"" + type + "\"" + (keys.empty() ? "" : ",\n" + keys) + "}");
}

/// Of a model of one block, hidden 8 and 4 heads: the block's modules, and "name shape" of its tensors.
struct Listing {
  std::vector<std::string> modules, tensors;
};
Listing listing(const std::string &type, const std::string &keys = "") {
  ModelSpec spec = *importedType(type, R"("vocab_size": 10, "n_embed": 8, "n_layer": 1, "n_head": 4)" + (keys.empty() ? "" : ", " + keys));
  makeModules(spec);
  Listing result;
  for (const ModuleSpec &module : spec.modules) {
    if (module.path.starts_with("transformer.h.0."))
      result.modules.push_back(module.path.substr(16));
    for (const auto *slot : {&module.weight, &module.bias})
      if (*slot && module.path.starts_with("transformer.h.0.")) {
        std::string shape;
        for (int64_t extent : (*slot)->shape)
          shape += " " + std::to_string(extent);
        result.tensors.push_back((*slot)->name.substr(16) + shape);
      }
  }
  return result;
}
using Names = std::vector<std::string>;

} // namespace

TEST(Falcon, absentKeysTakeTheClassDefaults) {
  ModelSpec falcon = *importedType("falcon");
  EXPECT_EQ(falcon.vocabulary, 65024);
  EXPECT_EQ(falcon.hidden, 4544);
  EXPECT_EQ(falcon.intermediate, 4 * 4544);
  EXPECT_EQ(falcon.layers, 32);
  EXPECT_EQ(falcon.heads, 71);
  EXPECT_EQ(falcon.kvHeads, 1);
  EXPECT_EQ(falcon.headDim, 64);
  EXPECT_EQ(falcon.maxPositions, 2048);
  EXPECT_EQ(falcon.normEpsilon, 1e-5);
  EXPECT_EQ(falcon.activation, Activation::Gelu);
  EXPECT_TRUE(falcon.tiedHead && falcon.parallelBlocks);
  EXPECT_FALSE(falcon.separateNorms || falcon.queryKeyValueBias || falcon.outputBias || falcon.mlpBias);
  EXPECT_EQ(falcon.rope.inverseFrequencies.size(), 32u);
  EXPECT_TRUE(falcon.alibi.slopes.empty());
  EXPECT_EQ(falcon.defaultTargets, Names{"query_key_value"});
}

TEST(Falcon, kvHeads) {
  auto kvHeads = [](const std::string &keys) { return importedType("falcon", R"("num_attention_heads": 8, "hidden_size": 32, )" + keys)->kvHeads; };
  // Multi-query: what the file says is often as many as heads, and ignored.
  EXPECT_EQ(kvHeads(R"("multi_query": true, "num_kv_heads": 8)"), 1);
  EXPECT_EQ(kvHeads(R"("multi_query": false)"), 8);
  EXPECT_EQ(kvHeads(R"("new_decoder_architecture": true, "multi_query": true, "num_kv_heads": 2)"), 2);
  EXPECT_EQ(kvHeads(R"("new_decoder_architecture": true, "n_head_kv": 4)"), 4);
  EXPECT_ERROR(importedType("falcon", R"("num_attention_heads": 8, "hidden_size": 32, "multi_query": false, "num_kv_heads": 2)"), UnknownArchitecture,
               "num_kv_heads: is 2 without multi_query");
}

TEST(Falcon, modulesOfEveryBlock) {
  // list(dict(FalconForCausalLM(config).named_modules())), and the shapes of its parameters
  Listing groups = listing("falcon", R"("new_decoder_architecture": true, "num_kv_heads": 2)");
  EXPECT_EQ(groups.modules, (Names{"self_attention", "self_attention.query_key_value", "self_attention.dense", "self_attention.attention_dropout",
                                   "mlp", "mlp.dense_h_to_4h", "mlp.act", "mlp.dense_4h_to_h", "ln_attn", "ln_mlp"}));
  EXPECT_EQ(groups.tensors, (Names{"self_attention.query_key_value.weight 16 8", "self_attention.dense.weight 8 8", "mlp.dense_h_to_4h.weight 32 8",
                                   "mlp.dense_4h_to_h.weight 8 32", "ln_attn.weight 8", "ln_attn.bias 8", "ln_mlp.weight 8", "ln_mlp.bias 8"}));
  Listing sequential = listing("falcon", R"("parallel_attn": false, "bias": true)");
  EXPECT_EQ(sequential.modules.back(), "input_layernorm");
  EXPECT_EQ(sequential.modules[sequential.modules.size() - 2], "post_attention_layernorm");
  EXPECT_EQ(sequential.tensors[0], "self_attention.query_key_value.weight 12 8");
  EXPECT_EQ(sequential.tensors[1], "self_attention.query_key_value.bias 12");
  Listing parallel = listing("falcon");
  EXPECT_EQ(parallel.modules.back(), "input_layernorm");
  EXPECT_EQ(parallel.modules.size(), 9u);
  // One norm for both halves of the new decoder's block.
  EXPECT_EQ(listing("falcon", R"("new_decoder_architecture": true, "num_ln_in_parallel_attn": 1)").modules, parallel.modules);
  // Parallel whatever the key says.
  EXPECT_EQ(listing("falcon", R"("new_decoder_architecture": true, "parallel_attn": false)").modules, groups.modules);
}

TEST(Falcon, refusesWhatNoModelIs) {
  EXPECT_ERROR(importedType("falcon", R"("num_ln_in_parallel_attn": 2)"), UnknownArchitecture,
               "config.json:2: num_ln_in_parallel_attn: is 2, expected 1, or 2 with new_decoder_architecture");
  EXPECT_ERROR(importedType("falcon", R"("activation": "silu")"), UnknownArchitecture, "activation: is \"silu\", expected relu, gelu or gelu_new");
  EXPECT_ERROR(importedType("falcon", R"("hidden_size": 70)"), Json, "hidden_size: is 70 with 71 heads");
  EXPECT_ERROR(importedType("falcon", R"("hidden_dropout": 1.0)"), Json, "hidden_dropout: is 1.0");
  EXPECT_ERROR(importedType("falcon", R"("layer_norm_epsilon": 0)"), UnknownArchitecture, "layer_norm_epsilon: is 0");
  EXPECT_ERROR(importedType("falcon", R"("apply_residual_connection_post_layernorm": true)"), UnknownArchitecture, "is true, expected false");
}

TEST(Falcon, alibiRoundsAndScales) {
  ModelSpec falcon = *importedType("falcon", R"("alibi": true, "num_attention_heads": 4, "hidden_size": 64)");
  EXPECT_EQ(falcon.alibi.slopes.size(), 4u);
  EXPECT_TRUE(falcon.alibi.roundBf16);
  EXPECT_EQ(falcon.alibi.scale, 0.25);
  EXPECT_TRUE(falcon.rope.inverseFrequencies.empty());
  // No table of positions ends anywhere.
  JobSettings settings;
  settings.max_length = 100000;
  EXPECT_TRUE(verifySpec(falcon, settings).ok());
  EXPECT_FALSE(verifySpec(*importedType("falcon"), settings).ok());
}

// As 40B and 7B were first published, with code of their own: another name for the same tensors.
TEST(Falcon, olderLayoutIsReadAndSaid) {
  auto older = [](const std::string &type) {
    return importConfig(document(R"({"architectures": ["RWForCausalLM"], "model_type": ")" + type +
                                 R"(", "hidden_size": 64, "n_layer": 3, "n_head": 8, "n_head_kv": 2, "multi_query": true, "parallel_attn": true})"));
  };
  ModelSpec forty = *older("RefinedWeb");
  EXPECT_EQ(forty.layers, 3);
  EXPECT_EQ(forty.heads, 8);
  EXPECT_EQ(forty.kvHeads, 2);
  EXPECT_TRUE(forty.separateNorms);
  ASSERT_EQ(forty.notes.size(), 1u);
  EXPECT_NE(forty.notes[0].find("model_type"), std::string::npos);
  EXPECT_NE(forty.notes[0].find("read as falcon with new_decoder_architecture"), std::string::npos);
  ModelSpec seven = *older("RefinedWebModel");
  EXPECT_EQ(seven.kvHeads, 1);
  EXPECT_FALSE(seven.separateNorms);
  makeModules(seven);
  EXPECT_EQ(seven.modules[1].path, "transformer.word_embeddings");
  EXPECT_ERROR(older("RefinedCobweb"), UnknownArchitecture, "model_type: is \"RefinedCobweb\" of RWForCausalLM");
}

TEST(Bloom, absentKeysTakeTheClassDefaults) {
  ModelSpec bloom = *importedType("bloom");
  EXPECT_EQ(bloom.vocabulary, 250880);
  EXPECT_EQ(bloom.hidden, 64);
  EXPECT_EQ(bloom.intermediate, 256);
  EXPECT_EQ(bloom.layers, 2);
  EXPECT_EQ(bloom.heads, 8);
  EXPECT_EQ(bloom.kvHeads, 8);
  EXPECT_EQ(bloom.normEpsilon, 1e-5);
  EXPECT_EQ(bloom.activation, Activation::GeluTanh);
  EXPECT_TRUE(bloom.tiedHead && bloom.queryKeyValueBias && bloom.outputBias && bloom.mlpBias);
  EXPECT_FALSE(bloom.residualAfterNorm || bloom.parallelBlocks || bloom.alibi.roundBf16);
  EXPECT_EQ(bloom.alibi.scale, 1);
  EXPECT_EQ(bloom.alibi.slopes, alibiSlopes(8));
  EXPECT_EQ(bloom.defaultTargets, Names{"query_key_value"});
  EXPECT_EQ(importedType("bloom", R"("hidden_size": 32, "num_attention_heads": 4, "num_hidden_layers": 5)")->layers, 5);
  // Where both stand, as on the hub, n_embed counts.
  EXPECT_EQ(importedType("bloom", R"("hidden_size": 64, "n_embed": 128)")->hidden, 128);
}

TEST(Bloom, modulesOfABlock) {
  Listing bloom = listing("bloom");
  EXPECT_EQ(bloom.modules,
            (Names{"input_layernorm", "self_attention", "self_attention.query_key_value", "self_attention.dense", "self_attention.attention_dropout",
                   "post_attention_layernorm", "mlp", "mlp.dense_h_to_4h", "mlp.gelu_impl", "mlp.dense_4h_to_h"}));
  EXPECT_EQ(bloom.tensors, (Names{"input_layernorm.weight 8", "input_layernorm.bias 8", "self_attention.query_key_value.weight 24 8",
                                  "self_attention.query_key_value.bias 24", "self_attention.dense.weight 8 8", "self_attention.dense.bias 8",
                                  "post_attention_layernorm.weight 8", "post_attention_layernorm.bias 8", "mlp.dense_h_to_4h.weight 32 8",
                                  "mlp.dense_h_to_4h.bias 32", "mlp.dense_4h_to_h.weight 8 32", "mlp.dense_4h_to_h.bias 8"}));
}

TEST(Falcon, dropsProbabilitiesWithAlibiAlone) {
  EXPECT_EQ(importedType("falcon", R"("alibi": true, "attention_dropout": 0.1)")->probabilityDropout, 0.1);
  ModelSpec rotated = *importedType("falcon", R"("attention_dropout": 0.1)");
  EXPECT_EQ(rotated.probabilityDropout, 0);
  EXPECT_EQ(rotated.attentionDropout, 0.1);
}

TEST(Bloom, hasADropoutForEachPlace) {
  EXPECT_TRUE(importedType("bloom")->notes.empty());
  ModelSpec bloom = *importedType("bloom", R"("attention_dropout": 0.1, "hidden_dropout": 0.2)");
  EXPECT_TRUE(bloom.notes.empty());
  EXPECT_EQ(bloom.probabilityDropout, 0.1);
  EXPECT_EQ(bloom.attentionDropout, 0.2);
  EXPECT_EQ(bloom.hiddenDropout, 0.2);
}
