#include "frontends/accelerate/KeyTable.h"

#include <set>

#include "frontends/accelerate/AccelerateConfig.h"
#include "frontends/accelerate/DsConfig.h"
#include "runtime/schema/settings.h"
#include "tests/unit/frontends/sft/known_names.h"
#include "tests/unit/frontends/support.h"

using namespace zp;
using namespace zp::fe;

static void expectKnown(const KeyTable &table, const std::string &file) {
  for (const std::string &name : test::knownNames(file))
    EXPECT_NE(table.find(name), nullptr) << file << ": " << name;
}

TEST(KeyTable, knowsEveryKeyOfTheReference) {
  expectKnown(accelerateKeys(), "accelerate/keys/accelerate.txt");
  expectKnown(deepspeedKeys(), "accelerate/keys/deepspeed.txt");
  expectKnown(dsConfigKeys(), "accelerate/keys/ds_config.txt");
}

static bool isSetting(const std::string &name) {
  bool found = false;
  JobSettings().forEach([&](const char *setting, const auto &, const char *) { found |= name == setting; });
  return found;
}

TEST(KeyTable, rowsAreSound) {
  for (const KeyTable *table : {&accelerateKeys(), &deepspeedKeys(), &dsConfigKeys()}) {
    std::set<std::string> seen;
    for (const ConfigKey &key : table->all()) {
      EXPECT_TRUE(seen.insert(key.name).second) << key.name << " has two rows";
      if (key.use == KeyUse::NoEffect || key.use == KeyUse::Off) {
        EXPECT_NE(std::string(key.note), "") << key.name << ": a user is told why";
      }
      if (key.use == KeyUse::Setting || key.use == KeyUse::Match) {
        EXPECT_TRUE(isSetting(key.targetName())) << key.name << " becomes " << key.targetName();
      }
    }
  }
}

TEST(KeyTable, words) {
  ConfigKey number{"n", ValueKind::Int, KeyUse::Setting, "", "auto", ""};
  EXPECT_EQ(checkWord(number, "5e8").value, "500000000");
  EXPECT_EQ(checkWord(number, "9007199254740993").value, "9007199254740993");
  EXPECT_EQ(checkWord(number, "auto").value, "auto");
  EXPECT_EQ(checkWord(number, "1.5").expected, "a whole number or auto");
  EXPECT_EQ(checkWord(number, "nan").expected, "a whole number or auto");
  ConfigKey choice{"c", ValueKind::Text, KeyUse::Setting, "", "none|cpu", ""};
  EXPECT_EQ(checkWord(choice, "cpu").value, "cpu");
  EXPECT_EQ(checkWord(choice, "gpu").expected, "none or cpu");
  ConfigKey flag{"f", ValueKind::Bool, KeyUse::Setting, "", "", ""};
  for (const char *yes : {"True", "yes", "on", "1", "T"})
    EXPECT_EQ(checkWord(flag, yes).value, "true") << yes;
  for (const char *no : {"False", "no", "OFF", "0", "n"})
    EXPECT_EQ(checkWord(flag, no).value, "false") << no;
  EXPECT_EQ(checkWord(flag, "maybe").expected, "true or false");
}
