#include "frontends/huggingface/AdapterConfigWriter.h"

#include <set>

#include "tests/unit/frontends/support.h"

using namespace zp::fe;
using namespace zp::fe::test;

// The bytes themselves are held to PEFT's in ModelImporter_test.
TEST(AdapterConfigWriter, hasTheKeysThatPeftWrites) {
  nlohmann::json written = nlohmann::json::parse(writeAdapterConfig(LoraSettings(), "base"));
  nlohmann::json reference = nlohmann::json::parse(fixture("lora_cases.json")[0]["adapter_config"].get<std::string>());
  std::set<std::string> keys, expected;
  for (const auto &[key, value] : written.items())
    keys.insert(key);
  for (const auto &[key, value] : reference.items())
    expected.insert(key);
  EXPECT_EQ(keys, expected);
  EXPECT_EQ(keys.size(), 41u);
}

TEST(AdapterConfigWriter, namesAreSortedAndEscapedAsPythonDoes) {
  LoraSettings lora;
  lora.targets.kind = ModuleChoice::Kind::Names;
  lora.targets.names = {"v_proj", "q_proj", "v_proj"};
  lora.alpha = {16, false};
  lora.dropout = {1e-5, false};
  std::string text = writeAdapterConfig(lora, "mod\xc3\xa8le \"x\"");
  EXPECT_NE(text.find("\"target_modules\": [\n    \"q_proj\",\n    \"v_proj\"\n  ]"), std::string::npos) << text;
  EXPECT_NE(text.find("\"lora_alpha\": 16.0,"), std::string::npos) << text;
  EXPECT_NE(text.find("\"lora_dropout\": 1e-05,"), std::string::npos) << text;
  EXPECT_NE(text.find("\"mod\\u00e8le \\\"x\\\"\""), std::string::npos) << text; // json.dumps("modèle \"x\"")
  EXPECT_EQ(text, writeAdapterConfig(lora, "mod\xc3\xa8le \"x\""));
}
