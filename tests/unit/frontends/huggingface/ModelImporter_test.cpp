#include "frontends/huggingface/ModelImporter.h"

#include <cmath>
#include <random>

#include "frontends/cli/ImportFlags.h"
#include "runtime/io/safetensors_writer.h"
#include "tests/unit/frontends/support.h"

using namespace zp;
using namespace zp::fe;
using namespace zp::fe::test;

namespace {

// fixtures/lora_cases.json is what PEFT makes of the same settings.
class AgainstPeft : public ::testing::Test {
protected:
  ImportRequest request(const nlohmann::json &reference) {
    folder.write("model/config.json", reference["config"]);
    std::vector<std::string> words = {"--max_length", "16"};
    for (const auto &word : reference["flags"])
      words.push_back(word);
    StatusOr<ImportOptions> options = parseImportFlags(words);
    EXPECT_TRUE(options.ok()) << options.status().toString();
    return {folder.path + "/model", "", options->settings};
  }
  /// The same settings by way of the file that PEFT wrote.
  ImportRequest requestByFile(const nlohmann::json &reference) {
    ImportRequest byFile = request(reference);
    byFile.settings = JobSettings();
    byFile.settings.max_length = 16;
    byFile.adapterDirectory = folder.path + "/adapter";
    folder.write("adapter/adapter_config.json", reference["adapter_config"]);
    return byFile;
  }

  static nlohmann::json targetsOf(const ModelSpec &spec) {
    nlohmann::json targets = nlohmann::json::array();
    int64_t site = 0;
    for (const ModuleSpec &module : spec.modules)
      if (module.adapter) {
        EXPECT_EQ(module.adapter->site, ++site);
        targets.push_back({{"path", module.path},
                           {"rank", module.adapter->rank},
                           {"scaling", module.adapter->scaling},
                           {"generator_offset", module.adapter->generatorOffset}});
      }
    return targets;
  }
  /// Saved name to whether weight decay applies.
  static nlohmann::json wholeOf(const ModelSpec &spec) {
    nlohmann::json whole = nlohmann::json::object();
    for (const ModuleSpec &module : spec.modules)
      for (const auto *slot : {&module.weight, &module.bias})
        if (*slot && (*slot)->trained)
          whole[(*slot)->savedAs] = (*slot)->decayed;
    return whole;
  }
  static std::string withBase(std::string text, const std::string &base) {
    const std::string from = "\"base_model_name_or_path\": \"model\"";
    if (size_t at = text.find(from); at != std::string::npos)
      text.replace(at, from.size(), "\"base_model_name_or_path\": \"" + base + "\"");
    return text;
  }

  TemporaryFolder folder;
};

} // namespace

TEST_F(AgainstPeft, targetsRanksScalingsDrawsAndCounts) {
  for (const auto &reference : fixture("lora_cases.json")) {
    StatusOr<ImportedModel> imported = importModel(request(reference));
    ASSERT_TRUE(imported.ok()) << reference["name"] << imported.status().toString();
    EXPECT_EQ(targetsOf(imported->spec).dump(1), reference["targets"].dump(1)) << reference["name"];
    EXPECT_EQ(wholeOf(imported->spec), reference["whole"]) << reference["name"];
    EXPECT_EQ(imported->counts.trained, reference["trained"].get<int64_t>()) << reference["name"];
    EXPECT_EQ(imported->counts.all, reference["all"].get<int64_t>()) << reference["name"];
  }
}

TEST_F(AgainstPeft, savedSettingsAreTheSameText) {
  for (const auto &reference : fixture("lora_cases.json")) {
    if (reference["name"] == "overlapping_patterns") // the next test
      continue;
    StatusOr<ImportedModel> imported = importModel(request(reference));
    ASSERT_TRUE(imported.ok()) << reference["name"] << imported.status().toString();
    EXPECT_EQ(imported->adapterConfig, withBase(reference["adapter_config"], folder.path + "/model")) << reference["name"];
    StatusOr<ImportedModel> byFile = importModel(requestByFile(reference));
    ASSERT_TRUE(byFile.ok()) << reference["name"] << byFile.status().toString();
    EXPECT_EQ(byFile->adapterConfig, reference["adapter_config"]) << reference["name"];
    EXPECT_EQ(targetsOf(byFile->spec).dump(1), reference["targets"].dump(1)) << reference["name"];
  }
}

// PEFT sorts the patterns when it saves, and would read ranks 2 and 2 again where it trained 7
// and 7.
TEST_F(AgainstPeft, overlappingPatternsKeepTheirMeaning) {
  for (const auto &reference : fixture("lora_cases.json")) {
    if (reference["name"] != "overlapping_patterns")
      continue;
    StatusOr<ImportedModel> imported = importModel(request(reference));
    ASSERT_TRUE(imported.ok()) << imported.status().toString();
    nlohmann::json again = reference;
    again["adapter_config"] = imported->adapterConfig;
    StatusOr<ImportedModel> byFile = importModel(requestByFile(again));
    ASSERT_TRUE(byFile.ok()) << byFile.status().toString();
    EXPECT_EQ(targetsOf(byFile->spec).dump(1), reference["targets"].dump(1));
  }
}

// The seeded adapters of a golden run, drawn by PEFT: each A from its generator offset on.
TEST(GeneratorOffset, givesTheAdaptersThatPeftDraws) {
  for (auto [name, seed, lora] :
       {std::tuple("llama_trainer", 1234, std::pair("8", "all-linear")), std::tuple("llama_qlora_trainer", 99, std::pair("8", "all-linear")),
        std::tuple("llama_trainer_tail", 7, std::pair("4", "q_proj,v_proj,up_proj"))}) {
    std::string folder = std::string(ZP_TESTS) + "/golden/cases/" + name;
    auto options = parseImportFlags({"--lora_r", lora.first, "--lora_target_modules", lora.second, "--max_length", "24"});
    StatusOr<ImportedModel> imported = importModel({folder + "/model", "", options->settings});
    ASSERT_TRUE(imported.ok()) << imported.status().toString();
    auto initial = rt::SafetensorsFile::open(folder + "/initial.safetensors");
    ASSERT_TRUE(initial.ok()) << initial.status().toString();
    int compared = 0;
    for (const ModuleSpec &module : imported->spec.modules) {
      if (!module.adapter)
        continue;
      const auto *info = (*initial)->find("base_model.model." + module.path + ".lora_A.weight");
      ASSERT_TRUE(info) << module.path;
      std::vector<float> drawn(info->elements());
      std::memcpy(drawn.data(), (*initial)->data(*info), info->bytes);
      std::mt19937 generator(static_cast<uint32_t>(seed));
      generator.discard(uint64_t(module.adapter->generatorOffset));
      float bound = float(std::sqrt(3.0) * (std::sqrt(1.0 / 3.0) / std::sqrt(double(info->shape[1]))));
      for (float value : drawn)
        ASSERT_EQ(value, std::fmaf(float(generator() & 0xffffff) * 0x1p-24f, 2 * bound, -bound)) << module.path;
      ++compared;
    }
    EXPECT_EQ(compared, lora.second == std::string("all-linear") ? 14 : 6);
  }
}

TEST(ModelImporter, fullTrainingTrainsAndDecaysWhatTheTrainerDoes) {
  std::string folder = std::string(ZP_TESTS) + "/golden/cases/llama_full_tied";
  JobSettings settings;
  settings.max_length = 24;
  settings.use_peft_lora = false;
  StatusOr<ImportedModel> imported = importModel({folder + "/model", "", settings});
  ASSERT_TRUE(imported.ok()) << imported.status().toString();
  EXPECT_TRUE(imported->adapterConfig.empty());
  EXPECT_TRUE(imported->spec.tiedHead);
  EXPECT_EQ(imported->counts.trained, imported->counts.all);
  auto reference = rt::SafetensorsFile::open(folder + "/expected.safetensors");
  ASSERT_TRUE(reference.ok());
  std::set<std::string> expected, saved;
  for (const auto &[name, info] : (*reference)->tensors())
    expected.insert(name);
  for (const ModuleSpec &module : imported->spec.modules)
    if (module.weight) {
      saved.insert(module.weight->savedAs);
      EXPECT_EQ(module.weight->decayed, module.kind != ModuleKind::RmsNorm) << module.path;
    }
  EXPECT_EQ(saved, expected);
}

TEST(ModelImporter, brokenTieReadsTheEmbeddingsTensor) {
  JobSettings settings;
  settings.max_length = 24;
  settings.lora_modules_to_save = "lm_head";
  StatusOr<ImportedModel> imported = importModel({std::string(ZP_TESTS) + "/golden/cases/llama_tied_modules_to_save/model", "", settings});
  ASSERT_TRUE(imported.ok()) << imported.status().toString();
  const ModuleSpec &head = imported->spec.modules.back();
  EXPECT_EQ(head.weight->name, "lm_head.weight");
  EXPECT_EQ(head.weight->checkpoint, "model.embed_tokens.weight");
  EXPECT_TRUE(head.weight->trained);
  EXPECT_FALSE(imported->spec.modules[1].weight->trained);
}

TEST(ModelImporter, everyGoldenCaseAdapterIsWrittenAsItWasRead) {
  int compared = 0;
  for (const auto &entry : std::filesystem::directory_iterator(std::string(ZP_TESTS) + "/golden/cases")) {
    std::string adapter = entry.path().string() + "/adapter";
    if (!std::filesystem::exists(adapter + "/adapter_config.json"))
      continue;
    JobSettings settings;
    settings.max_length = settings.max_source_length = settings.max_target_length = 24;
    StatusOr<ImportedModel> imported = importModel({entry.path().string() + "/model", adapter, settings});
    ASSERT_TRUE(imported.ok()) << imported.status().toString();
    EXPECT_EQ(imported->adapterConfig, JsonDocument::read(adapter + "/adapter_config.json")->text()) << adapter;
    ++compared;
  }
  EXPECT_GE(compared, 14);
}

// An adapter that took embeddings and head along, as PEFT saves them when the vocabulary has grown.
class GrownAdapter : public ::testing::Test {
protected:
  static constexpr uint64_t kHidden = 40; // of the golden cases, whose vocabulary has 101 tokens
  using Tensors = std::vector<std::pair<std::string, std::vector<uint64_t>>>;

  /// Zeros of these shapes, but for `odd`, whose first byte is one.
  StatusOr<ImportedModel> importWith(const std::string &name, const Tensors &tensors, const std::string &odd = "") {
    const std::string place = std::string(ZP_TESTS) + "/golden/cases/" + name;
    const std::string config = JsonDocument::read(place + "/adapter/adapter_config.json")->text();
    folder.write("adapter/adapter_config.json", config);
    std::vector<rt::SafetensorsEntry> entries;
    for (const auto &[tensor, shape] : tensors)
      entries.push_back({"base_model.model." + tensor, rt::SafetensorsDtype::F32, shape});
    auto writer = rt::SafetensorsWriter::create(folder.path + "/adapter/adapter_model.safetensors", entries, nullptr);
    EXPECT_TRUE(writer.ok()) << writer.status().toString();
    for (const rt::SafetensorsEntry &entry : entries) {
      std::string bytes(rt::bytesOf(entry), '\0');
      bytes[0] = entry.name == odd ? 1 : 0;
      EXPECT_TRUE(writer->write(entry.name, 0, bytes.data(), bytes.size()).ok());
    }
    EXPECT_TRUE(writer->finish().ok());
    JobSettings settings;
    settings.max_length = settings.max_source_length = settings.max_target_length = 24;
    return importModel({place + "/model", folder.path + "/adapter", settings});
  }
  static const ModuleSpec &moduleOf(const ImportedModel &imported, Role role) {
    for (const ModuleSpec &module : imported.spec.modules)
      if (module.role == role)
        return module;
    ADD_FAILURE() << "no such module";
    return imported.spec.modules[0];
  }
  TemporaryFolder folder;
};

TEST_F(GrownAdapter, bringsTheRowsOfItsTokens) {
  auto imported = importWith("llama_gqa_fp32", {{"model.embed_tokens.weight", {104, kHidden}}, {"lm_head.weight", {104, kHidden}}});
  ASSERT_TRUE(imported.ok()) << imported.status().toString();
  EXPECT_EQ(imported->spec.vocabulary, 104);
  EXPECT_FALSE(imported->spec.tiedHead);
  for (Role role : {Role::Embedding, Role::Head}) {
    EXPECT_EQ(moduleOf(*imported, role).weight->shape, (std::vector<int64_t>{104, int64_t(kHidden)}));
    EXPECT_TRUE(moduleOf(*imported, role).weight->ofAdapter);
  }
  EXPECT_NE(imported->warnings.back().find("has embeddings of 104 tokens"), std::string::npos);
}

TEST_F(GrownAdapter, ofATiedModelHoldsTheSameTwice) {
  auto same = importWith("bloom_norms", {{"transformer.word_embeddings.weight", {104, kHidden}}, {"lm_head.weight", {104, kHidden}}});
  ASSERT_TRUE(same.ok()) << same.status().toString();
  EXPECT_TRUE(same->spec.tiedHead);
  EXPECT_EQ(moduleOf(*same, Role::Head).weight->name, "transformer.word_embeddings.weight");
  auto other = importWith("bloom_norms", {{"transformer.word_embeddings.weight", {104, kHidden}}, {"lm_head.weight", {104, kHidden}}},
                          "base_model.model.lm_head.weight");
  ASSERT_TRUE(other.ok()) << other.status().toString();
  EXPECT_FALSE(other->spec.tiedHead);
  EXPECT_EQ(moduleOf(*other, Role::Head).weight->name, "lm_head.weight");
  auto alone = importWith("t5_all_linear", {{"shared.weight", {104, kHidden}}});
  ASSERT_TRUE(alone.ok()) << alone.status().toString();
  EXPECT_EQ(moduleOf(*alone, Role::EmbeddingAlias).weight->shape, (std::vector<int64_t>{104, int64_t(kHidden)}));
}

TEST_F(GrownAdapter, withAsManyRowsChangesNothing) {
  auto imported = importWith("llama_gqa_fp32", {{"model.embed_tokens.weight", {101, kHidden}}});
  ASSERT_TRUE(imported.ok()) << imported.status().toString();
  EXPECT_EQ(imported->spec.vocabulary, 101);
  EXPECT_FALSE(moduleOf(*imported, Role::Embedding).weight->ofAdapter);
}

TEST_F(GrownAdapter, ofAnotherModelIsRefused) {
  EXPECT_ERROR(importWith("llama_gqa_fp32", {{"model.embed_tokens.weight", {104, 48}}, {"lm_head.weight", {104, 48}}}), AdapterMismatch,
               "shape is [104, 48], expected rows of 40 elements");
  EXPECT_ERROR(importWith("llama_gqa_fp32", {{"model.embed_tokens.weight", {104, kHidden}}, {"lm_head.weight", {101, kHidden}}}), AdapterMismatch,
               "lm_head.weight: shape is [101, 40], expected [104, 40]");
  EXPECT_ERROR(importWith("llama_gqa_fp32", {{"model.embed_tokens.weight", {104, kHidden}}}), AdapterMismatch, "lm_head.weight: is missing");
  EXPECT_ERROR(importWith("llama_gqa_fp32", {{"model.embed_tokens.weight", {104 * kHidden}}}), AdapterMismatch, "shape is [4160]");
}

TEST(ModelImporter, rowsLongerThanThePositions) {
  TemporaryFolder folder;
  folder.write("config.json", R"({"model_type": "llama", "max_position_embeddings": 64})");
  JobSettings settings;
  settings.max_length = 65;
  EXPECT_ERROR(importModel({folder.path, "", settings}), RopeLimit, "--max_length: is 65, expected at most 64");
  settings.max_length = 64;
  EXPECT_TRUE(importModel({folder.path, "", settings}).ok());
}

TEST(ModelImporter, roomForTheBeamsThatTheModelsFileAsksFor) {
  TemporaryFolder folder;
  folder.write("config.json", R"({"model_type": "llama", "num_beams": 3})");
  JobSettings settings;
  settings.max_length = 8;
  EXPECT_EQ(importModel({folder.path, "", settings})->settings.num_beams, 1); // it trains
  settings.generate = true;
  EXPECT_EQ(importModel({folder.path, "", settings})->settings.num_beams, 3);
  folder.write("generation_config.json", R"({"num_beams": 4})");
  EXPECT_EQ(importModel({folder.path, "", settings})->settings.num_beams, 4);
  ImportRequest flagged = {folder.path, "", settings};
  flagged.settings.num_beams = 2;
  flagged.given = {"num_beams"};
  EXPECT_EQ(importModel(flagged)->settings.num_beams, 2);
  folder.write("generation_config.json", R"({"num_beams": 0})");
  EXPECT_ERROR(importModel({folder.path, "", settings}), Config, "--num_beams: is 0, expected 1 or more beams");
  folder.write("generation_config.json", R"({"num_beams": "many"})");
  EXPECT_ERROR(importModel({folder.path, "", settings}), Json, "num_beams");
}

TEST(ModelImporter, unusableShapes) {
  TemporaryFolder folder;
  JobSettings settings;
  settings.max_length = 8;
  auto imported = [&](const std::string &keys) {
    folder.write("config.json", R"({"model_type": "llama", )" + keys + "}");
    return importModel({folder.path, "", settings});
  };
  EXPECT_ERROR(imported(R"("num_attention_heads": 4, "num_key_value_heads": 3)"), UnknownArchitecture,
               "num_attention_heads: is 4, expected a multiple of the 3");
  EXPECT_ERROR(imported(R"("head_dim": 7)"), UnknownArchitecture, "head_dim: is 7, expected an even number");
  EXPECT_ERROR(imported(R"("rms_norm_eps": 0)"), UnknownArchitecture, "rms_norm_eps: is 0");
  EXPECT_ERROR(importModel({folder.path + "/none", "", settings}), FileMissing, "none/config.json");
  folder.write("config.json", R"({"model_type": "llama"})");
  EXPECT_ERROR(importModel({folder.path, folder.path + "/none", settings}), FileMissing, "none/adapter_config.json");
}
