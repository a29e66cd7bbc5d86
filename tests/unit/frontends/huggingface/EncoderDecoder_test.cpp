// BART and T5 as transformers and PEFT have them (fixtures/encoder_decoders.py), and what is refused of them.
#include "frontends/huggingface/ModelImporter.h"

#include <map>

#include "frontends/huggingface/ConfigImporter.h"
#include "frontends/huggingface/ModuleTable.h"
#include "frontends/huggingface/architectures/Family.h"
#include "tests/unit/frontends/huggingface/imported_config.h"

using namespace zp;
using namespace zp::fe;
using namespace zp::fe::test;

namespace {

class EncoderDecoder : public testing::Test {
protected:
  StatusOr<ImportedModel> import(const std::string &config, const std::map<std::string, int64_t> &lengths = {}, const std::string &targets = "q_proj",
                                 bool fourBit = false) {
    folder.write("model/config.json", config);
    folder.write("model/generation_config.json", generation);
    ImportRequest request{folder.path + "/model", "", {}, {"max_source_length", "max_target_length"}};
    request.settings.max_source_length = 24;
    request.settings.max_target_length = 8;
    request.settings.lora_target_modules = targets;
    request.settings.use_4bit_quantization = fourBit;
    for (const auto &[name, value] : lengths) {
      request.given.insert(name);
      request.settings.forEach([&](const char *key, auto &setting, const char *) {
        if constexpr (std::is_same_v<std::decay_t<decltype(setting)>, int64_t>)
          if (name == key)
            setting = value;
      });
    }
    return importModel(request);
  }
  TemporaryFolder folder;
  std::string generation = R"({"decoder_start_token_id": 0})"; ///< generation_config.json; T5's class has no such token
};

std::vector<std::string> pathsWhere(const ModelSpec &spec, bool (*chosen)(const ModuleSpec &)) {
  std::vector<std::string> paths;
  for (const ModuleSpec &module : spec.modules)
    if (chosen(module))
      paths.push_back(module.path);
  return paths;
}

} // namespace

TEST_F(EncoderDecoder, modulesAndTensorsAreTheReferences) {
  for (const auto &reference : fixture("encoder_decoder_cases.json")) {
    StatusOr<ImportedModel> model = import(reference["config"], {}, "all-linear");
    ASSERT_TRUE(model.ok()) << reference["name"] << model.status().toString();
    EXPECT_EQ(pathsWhere(model->spec, [](const ModuleSpec &) { return true; }), reference["modules"]) << reference["name"];
    nlohmann::json parameters = nlohmann::json::object();
    for (const ModuleSpec &module : model->spec.modules)
      for (const auto *slot : {&module.weight, &module.bias})
        if (*slot)
          parameters[(*slot)->name] = (*slot)->shape;
    EXPECT_EQ(parameters, reference["parameters"]) << reference["name"];
  }
}

TEST_F(EncoderDecoder, adaptersAndCountsArePefts) {
  for (const auto &reference : fixture("encoder_decoder_cases.json"))
    for (bool all : {false, true}) {
      const auto &expected = reference[all ? "all_linear" : "default_targets"];
      std::vector<std::string> defaults = importedConfig(reference["config"])->defaultTargets;
      StatusOr<ImportedModel> model = import(reference["config"], {}, all ? "all-linear" : defaults[0] + "," + defaults[1]);
      ASSERT_TRUE(model.ok()) << reference["name"] << model.status().toString();
      EXPECT_EQ(pathsWhere(model->spec, [](const ModuleSpec &module) { return module.adapter.has_value(); }), expected["modules"]);
      EXPECT_EQ(model->counts.trained, expected["trained"].get<int64_t>()) << reference["name"];
      EXPECT_EQ(model->counts.all, expected["all"].get<int64_t>()) << reference["name"];
      auto config = nlohmann::json::parse(model->adapterConfig);
      EXPECT_EQ(config["task_type"], "SEQ_2_SEQ_LM");
      EXPECT_EQ(config["target_modules"], expected["targets"]) << reference["name"];
      EXPECT_TRUE(all || nlohmann::json(defaults) == expected["targets"]) << reference["name"];
    }
}

TEST_F(EncoderDecoder, woStaysInFloats) {
  for (const auto &reference : fixture("encoder_decoder_cases.json")) {
    StatusOr<ImportedModel> model = import(reference["config"], {}, "all-linear", /*fourBit=*/true);
    ASSERT_TRUE(model.ok()) << reference["name"] << model.status().toString();
    EXPECT_EQ(pathsWhere(model->spec, [](const ModuleSpec &module) { return module.fourBit; }), reference["four_bit"]) << reference["name"];
  }
}

TEST_F(EncoderDecoder, unitsFollowTheStacks) {
  ModelSpec t5 = *importedConfig(R"({"model_type": "t5", "num_layers": 2, "num_decoder_layers": 3})");
  makeModules(t5);
  auto unitOf = [&](const std::string &path) {
    for (const ModuleSpec &module : t5.modules)
      if (module.path == path)
        return module.unit;
    return int64_t(-1);
  };
  EXPECT_EQ(unitOf("shared"), 0);
  EXPECT_EQ(unitOf("encoder.block.0.layer.0.SelfAttention.q"), 1);
  EXPECT_EQ(unitOf("encoder.block.0.layer.0.SelfAttention.relative_attention_bias"), 0) << "every block uses it";
  EXPECT_EQ(unitOf("encoder.block.1.layer.0.SelfAttention.relative_attention_bias"), -1);
  EXPECT_EQ(unitOf("encoder.final_layer_norm"), 2);
  EXPECT_EQ(unitOf("decoder.block.0.layer.0.SelfAttention.q"), 3);
  EXPECT_EQ(unitOf("decoder.block.2.layer.1.EncDecAttention.k"), 5);
  EXPECT_EQ(unitOf("decoder.final_layer_norm"), 6);
}

TEST(EncoderDecoderConfig, absentKeysTakeTheClassDefaults) {
  ModelSpec bart = *importedConfig(R"({"architectures": ["BartModel"], "model_type": "bart"})");
  EXPECT_EQ(bart.architecture, "BartForConditionalGeneration") << "the hub's bart-large names the model without its head";
  EXPECT_EQ(bart.vocabulary, 50265);
  EXPECT_EQ(bart.encoderLayers, 12);
  EXPECT_EQ(bart.layers, 12);
  EXPECT_EQ(bart.headDim, 64);
  EXPECT_EQ(bart.intermediate, 4096);
  EXPECT_EQ(bart.maxPositions, 1024);
  EXPECT_EQ(bart.hiddenDropout, 0.1);
  EXPECT_EQ(bart.activationDropout, 0);
  EXPECT_EQ(bart.embeddingScale, 1);
  EXPECT_TRUE(bart.tiedHead && bart.normAfter);
  EXPECT_TRUE(bart.notes.empty());
  EXPECT_EQ(importedConfig(R"({"model_type": "bart", "scale_embedding": true})")->embeddingScale, 32);
  EXPECT_EQ(bart.probabilityDropout, 0);
  EXPECT_EQ(bart.halfClamps, HalfClamps::EncoderBlocks);
  EXPECT_FALSE(bart.downInFloats);
  EXPECT_EQ(importedConfig(R"({"model_type": "bart", "attention_dropout": 0.2})")->probabilityDropout, 0.2);

  ModelSpec t5 = *importedConfig(R"({"model_type": "t5"})");
  EXPECT_EQ(t5.vocabulary, 32128);
  EXPECT_EQ(t5.hidden, 512);
  EXPECT_EQ(t5.layers, 6);
  EXPECT_EQ(t5.encoderLayers, 6);
  EXPECT_EQ(t5.activation, Activation::Relu);
  EXPECT_FALSE(t5.gatedMlp);
  EXPECT_EQ(t5.maxPositions, 0) << "any length";
  EXPECT_EQ(t5.scoreScale, 1);
  EXPECT_EQ(t5.hiddenDropout, 0.1);
  EXPECT_EQ(t5.probabilityDropout, 0.1) << "one rate for all";
  EXPECT_EQ(t5.halfClamps, HalfClamps::Halves);
  EXPECT_TRUE(t5.downInFloats);

  ModelSpec mt5 = *importedConfig(R"({"model_type": "mt5"})");
  EXPECT_EQ(mt5.vocabulary, 250112);
  EXPECT_EQ(mt5.intermediate, 1024);
  EXPECT_EQ(mt5.activation, Activation::GeluTanh);
  EXPECT_TRUE(mt5.gatedMlp);
  EXPECT_FALSE(mt5.tiedHead);
  EXPECT_EQ(importedConfig(R"({"model_type": "mt5", "dense_act_fn": "relu"})")->activation, Activation::Relu);
}

// transformers' ACT2FN: several names for the same function.
TEST(EncoderDecoderConfig, activationsByEveryName) {
  for (auto [name, kind] : {std::pair("relu", Activation::Relu),
                            {"gelu", Activation::Gelu},
                            {"gelu_python", Activation::Gelu},
                            {"gelu_new", Activation::GeluTanh},
                            {"gelu_fast", Activation::GeluTanh},
                            {"gelu_accurate", Activation::GeluTanh},
                            {"gelu_pytorch_tanh", Activation::GeluTanh},
                            {"gelu_python_tanh", Activation::GeluTanh}}) {
    const std::string word = std::string("\"") + name + "\"}";
    EXPECT_EQ(importedConfig(R"({"model_type": "bart", "activation_function": )" + word)->activation, kind) << name;
    EXPECT_EQ(importedConfig(R"({"model_type": "t5", "feed_forward_proj": )" + word)->activation, kind) << name;
    EXPECT_EQ(importedConfig(R"({"model_type": "llama", "hidden_act": )" + word)->activation, kind) << name;
  }
  // transformers makes gelu_new of gated-gelu, and of no other name.
  EXPECT_EQ(importedConfig(R"({"model_type": "t5", "feed_forward_proj": "gated-gelu"})")->activation, Activation::GeluTanh);
  EXPECT_EQ(importedConfig(R"({"model_type": "t5", "feed_forward_proj": "gated-gelu_python"})")->activation, Activation::Gelu);
  for (const char *silu : {"silu", "swish"}) {
    const std::string word = silu + std::string("\"}");
    EXPECT_EQ(importedConfig(R"({"model_type": "t5", "feed_forward_proj": "gated-)" + word)->activation, Activation::Silu);
    EXPECT_ERROR(importedConfig(R"({"model_type": "t5", "feed_forward_proj": ")" + word), UnknownArchitecture, "of a gate silu too");
    EXPECT_EQ(importedConfig(R"({"model_type": "llama", "hidden_act": ")" + word)->activation, Activation::Silu);
  }
  for (const std::string other : {"quick_gelu", "gelu_10", "tanh"})
    EXPECT_ERROR(importedConfig(R"({"model_type": "t5", "feed_forward_proj": "gated-)" + other + "\"}"), UnknownArchitecture, other);
}

TEST(EncoderDecoderConfig, theHeadIsScaledAsTheFileSays) {
  const double scaled = 1 / std::sqrt(512.0);
  EXPECT_EQ(importedConfig(R"({"model_type": "t5"})")->hiddenScale, scaled);
  EXPECT_EQ(importedConfig(R"({"model_type": "t5", "tie_word_embeddings": false})")->hiddenScale, 1) << "T5 1.1 and FLAN of version 4";
  EXPECT_EQ(importedConfig(R"({"model_type": "t5", "tie_word_embeddings": true, "scale_decoder_outputs": false})")->hiddenScale, 1);
  EXPECT_EQ(importedConfig(R"({"model_type": "mt5", "tie_word_embeddings": true})")->hiddenScale, 1) << "never";
}

TEST(EncoderDecoderConfig, whatIsNotBuiltIsRefused) {
  EXPECT_ERROR(importedConfig(R"({"model_type": "bart", "decoder_attention_heads": 8})"), UnknownArchitecture, "decoder_attention_heads");
  EXPECT_ERROR(importedConfig(R"({"model_type": "bart", "encoder_layerdrop": 0.1})"), UnknownArchitecture, "encoder_layerdrop");
  EXPECT_ERROR(importedConfig(R"({"model_type": "bart", "normalize_before": true})"), UnknownArchitecture, "normalize_before");
  EXPECT_ERROR(importedConfig(R"({"model_type": "bart", "activation_function": "swish"})"), UnknownArchitecture, "activation_function");
  EXPECT_ERROR(importedConfig(R"({"model_type": "t5", "feed_forward_proj": "silu"})"), UnknownArchitecture, "feed_forward_proj");
  EXPECT_ERROR(importedConfig(R"({"model_type": "t5", "relative_attention_num_buckets": 30})"), UnknownArchitecture, "multiple of 4");
  EXPECT_ERROR(importedConfig(R"({"model_type": "t5", "is_encoder_decoder": false})"), UnknownArchitecture, "is_encoder_decoder");
}

TEST_F(EncoderDecoder, lengthsHaveAFlagASide) {
  const std::string bart = R"({"model_type": "bart", "d_model": 32, "max_position_embeddings": 30})";
  StatusOr<ImportedModel> model = import(bart);
  ASSERT_TRUE(model.ok()) << model.status().toString();
  EXPECT_EQ(model->settings.max_length, 8) << "the decoder's";
  EXPECT_ERROR(import(bart, {{"max_length", 8}}), Config, "expected --max_source_length and --max_target_length");
  EXPECT_ERROR(import(bart, {{"max_source_length", 31}}), RopeLimit, "--max_source_length: is 31, expected at most 30");
  EXPECT_ERROR(import(bart, {{"max_target_length", 31}}), RopeLimit, "--max_target_length: is 31, expected at most 30");
  EXPECT_ERROR(import(bart, {{"length_buckets", 3}}), Config, "--length_buckets: is 3");
  EXPECT_TRUE(import(R"({"model_type": "t5"})", {{"max_source_length", 5000}}, "q").ok()) << "distances have no end";
  EXPECT_ERROR(import(R"({"model_type": "llama"})"), Config, "a decoder alone, expected --max_length");
}

// T5's class has no default in transformers 5; mT5's is 0 and BART's 2.
TEST_F(EncoderDecoder, aDecoderHasATokenToBeginWith) {
  auto of = [&](const std::string &type, const std::string &keys = "") {
    const std::string more = keys.empty() ? "" : ",\n" + keys;
    return import("{\"model_type\": \"" + type + "\", \"vocab_size\": 64" + more + "}", {}, "all-linear");
  };
  EXPECT_TRUE(of("t5").ok()) << "generation_config.json says it";
  generation = R"({"decoder_start_token_id": 64})";
  EXPECT_ERROR(of("t5"), Config, "generation_config.json:1: decoder_start_token_id: is 64, expected a token from 0 to 63");
  EXPECT_TRUE(of("t5", R"("decoder_start_token_id": 63)").ok()) << "config.json comes first";
  generation = R"({"decoder_start_token_id": null})";
  for (const char *absent : {"", R"("decoder_start_token_id": null)"}) {
    EXPECT_ERROR(of("t5", absent), Config, "decoder_start_token_id: is missing, also from generation_config.json");
    EXPECT_TRUE(of("mt5", absent).ok());
    EXPECT_TRUE(of("bart", absent).ok());
  }
  EXPECT_ERROR(import(R"({"model_type": "bart", "vocab_size": 2})"), Config, "has 2, beyond vocab_size");
}

TEST_F(EncoderDecoder, tokensAreOfTheVocabulary) {
  auto bart = [&](const std::string &keys) { return import("{\"model_type\": \"bart\", \"vocab_size\": 64,\n" + keys + "}"); };
  for (const std::string key : {"decoder_start_token_id", "pad_token_id", "eos_token_id"}) {
    for (const char *wrong : {"-1", "64"})
      EXPECT_ERROR(bart("\"" + key + "\": " + wrong), Config, "config.json:2: " + key + ": is " + wrong + ", expected a token from 0 to 63");
    for (const char *wrong : {"\"two\"", "true", "1.5"})
      EXPECT_ERROR(bart("\"" + key + "\": " + wrong), Json, "config.json:2: " + key + ": is " + wrong);
    for (const char *sound : {"0", "63", "null"})
      EXPECT_TRUE(bart("\"" + key + "\": " + sound).ok()) << key << sound;
  }
  EXPECT_TRUE(bart(R"("eos_token_id": [2, 3])").ok());
  EXPECT_ERROR(bart(R"("eos_token_id": [2, 64])"), Config, "eos_token_id: is 64");
  EXPECT_ERROR(bart(R"("eos_token_id": [2, "three"])"), Json, "eos_token_id: is [2,\"three\"]");
}

// --max_target_length becomes max_length only when the model is known: rules about max_length are held then, too.
TEST_F(EncoderDecoder, rulesHoldForTheLengthsOfBothSides) {
  const std::string t5 = R"({"model_type": "t5"})";
  const int64_t quarter = int64_t(1) << 28;
  const std::string makes = "--per_device_train_batch_size: makes 2147483648 tokens ";
  EXPECT_ERROR(import(t5, {{"max_target_length", quarter}}, "q"), Config, makes + "of a micro-batch");
  EXPECT_ERROR(import(t5, {{"max_source_length", quarter}}, "q"), Config, makes + "for the encoder");
  EXPECT_TRUE(import(t5, {{"max_target_length", quarter / 2}}, "q").ok());
  ImportRequest request{folder.path + "/model", "", {}, {}};
  request.settings.generate = true;
  request.settings.per_device_train_batch_size = 1;
  request.settings.max_target_length = quarter;
  EXPECT_ERROR(importModel(request), Config, "--generation_batch_size: makes a cache of 2147483648 tokens");
  request.settings.max_target_length = 8;
  request.settings.max_source_length = quarter;
  EXPECT_ERROR(importModel(request), Config, "--generation_batch_size: makes 2147483648 tokens for the encoder");
}

// What isn't tied would be trained by itself in each stack. An adapter leaves it as it is.
TEST_F(EncoderDecoder, tablesOfEachStackAreNotTrained) {
  const std::string untied = "{\"model_type\": \"bart\",\n\"tie_word_embeddings\": false}";
  EXPECT_TRUE(import(untied).ok());
  ImportRequest request{folder.path + "/model", "", {}, {}};
  request.settings.use_peft_lora = false;
  EXPECT_ERROR(importModel(request), UnknownArchitecture, "config.json:2: tie_word_embeddings: is false");
  folder.write("model/config.json", R"({"model_type": "bart"})");
  EXPECT_TRUE(importModel(request).ok());
}

TEST_F(EncoderDecoder, whatBothStacksShareIsNotSavedByItself) {
  folder.write("model/config.json", R"({"model_type": "t5", "decoder_start_token_id": 0})");
  ImportRequest request{folder.path + "/model", "", {}, {}};
  request.settings.lora_target_modules = "q";
  request.settings.lora_modules_to_save = "shared";
  EXPECT_ERROR(importModel(request), Config, "which encoder and decoder share");
}
