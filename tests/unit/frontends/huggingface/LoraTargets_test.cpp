#include "frontends/huggingface/LoraTargets.h"

#include "frontends/huggingface/ConfigImporter.h"
#include "frontends/huggingface/ModuleMatcher.h"
#include "frontends/huggingface/ModuleTable.h"
#include "frontends/huggingface/TrainedParameters.h"
#include "tests/unit/frontends/support.h"

using namespace zp;
using namespace zp::fe;
using namespace zp::fe::test;

// What PEFT makes of sound settings is held in ModelImporter_test; here are the rules one by one
// and the errors.

static ModelSpec llama() {
  ModelSpec spec = *importConfig(document(R"({"model_type": "llama", "num_hidden_layers": 2, "hidden_size": 8, "num_attention_heads": 2})"));
  makeModules(spec);
  return spec;
}

static StatusOr<LoraSettings> attached(const std::function<void(JobSettings &)> &set, ModelSpec spec = llama()) {
  JobSettings settings;
  set(settings);
  StatusOr<LoraSettings> lora = loraFromFlags(settings);
  if (!lora.ok())
    return lora.status();
  StatusOr<LoraSettings> resolved = attachAdapters(spec, *lora);
  if (!resolved.ok())
    return resolved;
  if (StatusOr<ParameterCounts> counts = trainAdapters(spec, *resolved); !counts.ok())
    return counts.status();
  return resolved;
}
#define ATTACHED(...) attached([](JobSettings &s) { __VA_ARGS__; })

TEST(ModuleMatcher, judgesAsPeftDoes) {
  LoraSettings lora;
  lora.targets = ModuleChoice::fromText("proj,a.b");
  lora.excluded = ModuleChoice::fromText("skip.proj");
  lora.modulesToSave = std::vector<std::string>{"head"};
  ModuleMatcher matcher = *ModuleMatcher::create(lora);
  using Verdict = ModuleMatcher::Verdict;
  EXPECT_EQ(matcher.judge("proj"), Verdict::Targeted);
  EXPECT_EQ(matcher.judge("x.proj"), Verdict::Targeted);
  EXPECT_EQ(matcher.judge("x.q_proj"), Verdict::Unmatched); // a suffix begins after a dot
  EXPECT_EQ(matcher.judge("x.a.b"), Verdict::Targeted);
  EXPECT_EQ(matcher.judge("x.skip.proj"), Verdict::Excluded);
  EXPECT_EQ(matcher.judge("head"), Verdict::Excluded);
  EXPECT_EQ(matcher.judge("head.proj"), Verdict::Excluded);
  EXPECT_EQ(matcher.judge("x.head.proj"), Verdict::Excluded);
  EXPECT_EQ(matcher.judge("x.ahead.proj"), Verdict::Targeted);
}

TEST(ModuleMatcher, layerIsTheFirstNumber) {
  LoraSettings lora;
  lora.targets = ModuleChoice::fromText("proj");
  lora.layers = std::vector<int64_t>{1};
  ModuleMatcher matcher = *ModuleMatcher::create(lora);
  using Verdict = ModuleMatcher::Verdict;
  EXPECT_EQ(matcher.judge("m.layers.1.experts.0.proj"), Verdict::Targeted);
  EXPECT_EQ(matcher.judge("m.layers.0.experts.1.proj"), Verdict::Unmatched);
  EXPECT_EQ(matcher.judge("m.layers.11.proj"), Verdict::Unmatched);
  EXPECT_EQ(matcher.judge("m.proj"), Verdict::Unmatched);
  lora.layersPattern = {"blocks", "experts"};
  ModuleMatcher patterned = *ModuleMatcher::create(lora);
  EXPECT_EQ(patterned.judge("m.layers.0.experts.1.proj"), Verdict::Targeted);
  EXPECT_EQ(patterned.judge("m.layers.1.proj"), Verdict::Unmatched);
}

TEST(ModuleMatcher, patternsMatchATail) {
  LoraSettings lora;
  lora.targets = ModuleChoice::fromText("q_proj");
  lora.rank = 8;
  lora.rankPattern = {{"q_proj", 2}, {"layers\\.1\\.k_proj", 3}, {"^m.v_proj", 4}};
  ModuleMatcher matcher = *ModuleMatcher::create(lora);
  EXPECT_EQ(matcher.rankOf("m.q_proj"), 2);
  EXPECT_EQ(matcher.rankOf("m.xq_proj"), 8);
  EXPECT_EQ(matcher.rankOf("m.q_proj.x"), 8);
  EXPECT_EQ(matcher.rankOf("m.layers.1.k_proj"), 3);
  EXPECT_EQ(matcher.rankOf("m.layers.11.k_proj"), 8);
  EXPECT_EQ(matcher.rankOf("m.v_proj"), 4);
}

TEST(ModuleChoice, tellsListsFromExpressions) {
  EXPECT_EQ(ModuleChoice::fromText("q_proj").kind, ModuleChoice::Kind::Names);
  EXPECT_EQ(ModuleChoice::fromText("self_attn.q_proj, v_proj").names, (std::vector<std::string>{"self_attn.q_proj", "v_proj"}));
  EXPECT_EQ(ModuleChoice::fromText(".*q_proj").kind, ModuleChoice::Kind::Regex);
  EXPECT_EQ(ModuleChoice::fromText("ALL-linear").kind, ModuleChoice::Kind::AllLinear);
  EXPECT_EQ(ModuleChoice::fromText(" ").kind, ModuleChoice::Kind::None);
}

// peft.tuners.tuners_utils._find_minimal_target_modules, from its own description and on names made
// up here.
TEST(CondenseTargets, findsTheShortestSuffixes) {
  std::vector<std::string> targets, modules;
  for (int i = 0; i < 100; ++i)
    for (const char *name : {"q_proj", "v_proj"})
      targets.push_back("model.decoder.layers." + std::to_string(i) + ".self_attn." + name);
  modules = targets;
  for (int i = 0; i < 100; ++i)
    modules.push_back("model.encoder.layers." + std::to_string(i) + ".self_attn.k_proj");
  EXPECT_EQ(condenseTargets(targets, modules), (std::vector<std::string>{"q_proj", "v_proj"}));
  modules.push_back("model.encoder.q_proj"); // now q_proj alone would match too much
  EXPECT_EQ(condenseTargets(targets, modules), (std::vector<std::string>{"self_attn.q_proj", "v_proj"}));
  std::vector<std::string> few(targets.begin(), targets.begin() + 19);
  EXPECT_EQ(condenseTargets(few, modules).size(), 19u);
}

TEST(LoraTargets, unknownNamesAreNamedWithTheNearest) {
  EXPECT_ERROR(ATTACHED(s.lora_target_modules = "q_proj,v_porj"), UnknownTarget,
               "--lora_target_modules: 'v_porj' matches no module of LlamaForCausalLM, expected "
               "the end of a module's name; the nearest: v_proj");
  EXPECT_ERROR(ATTACHED(s.lora_target_modules = "query_key_value"), UnknownTarget,
               "the nearest: q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj, down_proj");
  EXPECT_ERROR(ATTACHED(s.lora_target_modules = ".*query"), UnknownTarget, "'.*query' matches no module");
  EXPECT_ERROR(ATTACHED(s.lora_modules_to_save = "lm_haed"), UnknownTarget,
               "--lora_modules_to_save: 'lm_haed' is no module of LlamaForCausalLM, expected the "
               "end of a module's name; try lm_head");
  EXPECT_ERROR(ATTACHED(s.lora_target_modules = "q_proj", s.lora_layers_to_transform = "2"), UnknownTarget,
               "--lora_layers_to_transform: names layer 2, expected 0 to 1");
  EXPECT_ERROR(ATTACHED(s.lora_target_modules = "q_proj", s.lora_exclude_modules = "q_proj"), UnknownTarget, "every target is excluded");
}

// PEFT complains when nothing matches, and has saved what matched in part.
TEST(LoraTargets, aSavedListMayMatchInPart) {
  ModelSpec spec = llama();
  LoraSettings lora;
  lora.saved = true;
  lora.targets = ModuleChoice::fromText("q_proj,query_key_value");
  lora.layers = std::vector<int64_t>{1, 7};
  StatusOr<LoraSettings> resolved = attachAdapters(spec, lora);
  ASSERT_TRUE(resolved.ok()) << resolved.status().toString();
  EXPECT_EQ(resolved->targets.names, lora.targets.names);
  int adapted = 0;
  for (const ModuleSpec &module : spec.modules)
    adapted += module.adapter.has_value();
  EXPECT_EQ(adapted, 1);
  ASSERT_EQ(spec.notes.size(), 2u);
  EXPECT_NE(spec.notes[0].find("'query_key_value' matches no module of LlamaForCausalLM"), std::string::npos) << spec.notes[0];
  EXPECT_NE(spec.notes[1].find("names layer 7, expected 0 to 1"), std::string::npos) << spec.notes[1];
  lora.targets = ModuleChoice::fromText("query_key_value,dense");
  EXPECT_ERROR(attachAdapters(spec = llama(), lora), UnknownTarget, "'query_key_value' matches no module");
  lora.targets = ModuleChoice::fromText("q_proj");
  lora.layers = std::vector<int64_t>{7};
  EXPECT_ERROR(attachAdapters(spec = llama(), lora), UnknownTarget, "every target is excluded");
}

TEST(LoraTargets, expressionsArePythons) {
  auto count = [](const std::string &expression) {
    ModelSpec spec = llama();
    LoraSettings lora;
    lora.targets.kind = ModuleChoice::Kind::Regex;
    lora.targets.regex = expression;
    EXPECT_TRUE(attachAdapters(spec, lora).ok()) << expression;
    return std::count_if(spec.modules.begin(), spec.modules.end(), [](const ModuleSpec &module) { return module.adapter.has_value(); });
  };
  EXPECT_EQ(count(R"((?i).*\.[QV]_PROJ)"), 4);
  EXPECT_EQ(count(R"(.*self_attn\..*(?<!k)_proj\Z)"), 6);
  EXPECT_EQ(count(R"(.*\.(?P<side>gate|up)_proj)"), 4);
}

TEST(LoraTargets, refusesWhatIsNoLinear) {
  EXPECT_ERROR(ATTACHED(s.lora_target_modules = "lm_head"), Config, "targets lm_head, expected no adapter there");
  EXPECT_ERROR(ATTACHED(s.lora_target_modules = "q_proj,embed_tokens"), Config, "targets model.embed_tokens, an embedding");
  EXPECT_ERROR(ATTACHED(s.lora_target_modules = "mlp"), UnknownTarget, "matches model.layers.0.mlp, which is no linear");
  EXPECT_ERROR(ATTACHED(s.lora_target_modules = ".*norm"), UnknownTarget, "matches model.layers.0.input_layernorm, which is no linear");
  EXPECT_ERROR(ATTACHED(s.lora_modules_to_save = "attn"), Config,
               "--lora_modules_to_save: holds model.layers.0.self_attn.q_proj, which is adapted too");
}

TEST(LoraTargets, refusesWrongSettings) {
  EXPECT_ERROR(ATTACHED(s.lora_r = 0), Config, "--lora_r: is 0");
  EXPECT_ERROR(ATTACHED(s.lora_dropout = 1), Config, "--lora_dropout: is 1.0");
  EXPECT_ERROR(ATTACHED(s.lora_dropout = -0.1), Config, "--lora_dropout: is -0.1");
  EXPECT_ERROR(ATTACHED(s.lora_bias = "some"), Config, "--lora_bias: is \"some\"");
  EXPECT_ERROR(ATTACHED(s.init_lora_weights = "pissa"), Config, "--init_lora_weights: is \"pissa\"");
  EXPECT_ERROR(ATTACHED(s.lora_rank_pattern = "{"), Config, "--lora_rank_pattern: is '{'");
  EXPECT_ERROR(ATTACHED(s.lora_rank_pattern = R"({"q_proj": 1.5})"), Config, "--lora_rank_pattern: is");
  EXPECT_ERROR(ATTACHED(s.lora_rank_pattern = R"({"q_proj": -1})"), Config, "--lora_rank_pattern: gives \"q_proj\" the rank -1");
  EXPECT_ERROR(ATTACHED(s.lora_alpha_pattern = R"({"q_proj": "x"})"), Config, "--lora_alpha_pattern: is");
  EXPECT_ERROR(ATTACHED(s.lora_target_modules = "(q_proj"), Config, "--lora_target_modules: '(q_proj' is no regular expression");
  EXPECT_ERROR(ATTACHED(s.lora_rank_pattern = R"({"(": 3})"), Config, "--lora_rank_pattern: ");
  EXPECT_ERROR(ATTACHED(s.lora_target_modules = ""), Config, "--lora_target_modules: is empty");
  EXPECT_ERROR(ATTACHED(s.lora_target_modules = ".*q_proj", s.lora_layers_to_transform = "0"), Config,
               "--lora_layers_to_transform: is set beside a regular expression");
  EXPECT_ERROR(ATTACHED(s.lora_target_modules = "all-linear", s.lora_layers_to_transform = "0"), Config,
               "--lora_layers_to_transform: is set beside all-linear");
  EXPECT_ERROR(ATTACHED(s.init_lora_weights = "orthogonal"), Config, "--init_lora_weights: is \"orthogonal\"");
  EXPECT_ERROR(ATTACHED(s.lora_layers_to_transform = "one"), Config, "--lora_layers_to_transform: holds 'one'");
  EXPECT_ERROR(ATTACHED(s.lora_layers_pattern = "layers"), Config, "--lora_layers_pattern: is set without");
}
