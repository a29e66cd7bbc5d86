#include "frontends/accelerate/KeyTable.h"

#include <algorithm>
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

/// "a.b" with a value as a file of one key.
static StatusOr<ConfigDocument> fileOf(const std::string &name, const std::string &value) {
  std::string text;
  size_t depth = 0;
  for (size_t at = 0, dot; at != std::string::npos; at = dot == std::string::npos ? dot : dot + 1) {
    dot = name.find('.', at);
    text += std::string(2 * depth++, ' ') + name.substr(at, dot == std::string::npos ? dot : dot - at) + ":";
    text += dot == std::string::npos ? " " + value + "\n" : "\n";
  }
  return ConfigDocument::parseYaml("c.yaml", text);
}

static Status readOne(const KeyTable &table, const std::string &name, const std::string &value) {
  StatusOr<ConfigDocument> document = fileOf(name, value);
  if (!document.ok())
    return document.status();
  ReadKeys keys;
  return table.read(*document, document->root(), keys, /*numbersInQuotes=*/true);
}

// Whatever a key is for, a value that it can't have is an error that names file, line and key.
TEST(KeyTable, everyKeyRefusesWhatItCannotBe) {
  int tried = 0;
  for (const KeyTable *table : {&accelerateKeys(), &deepspeedKeys(), &dsConfigKeys()})
    for (const ConfigKey &key : table->all()) {
      const std::string name = key.name;
      const bool any = key.kind == ValueKind::Any || (key.kind == ValueKind::Text && !*key.accepted);
      const int line = 1 + static_cast<int>(std::count(name.begin(), name.end(), '.'));
      const std::string place = "c.yaml:" + std::to_string(line) + ": " + name + ": is ";
      if (key.use == KeyUse::Off) {
        EXPECT_ERROR(readOne(*table, name, "perhaps"), Config, place + "perhaps, expected it off; ");
        EXPECT_TRUE(readOne(*table, name, "null").ok()) << name;
      } else if (key.use == KeyUse::Section) {
        EXPECT_ERROR(readOne(*table, name, "perhaps"), Config, place + "perhaps, expected a map of keys; ");
        EXPECT_ERROR(readOne(*table, name, "[1, 2]"), Config, place + "[1, 2], expected a map of keys; ");
      } else if (!any) {
        EXPECT_ERROR(readOne(*table, name, "perhaps"), Config, place + "perhaps, expected ");
        EXPECT_ERROR(readOne(*table, name, "[1, 2]"), Config, place + "[1, 2], expected ");
        EXPECT_ERROR(readOne(*table, name, "{a: 1}"), Config, place + "{a: 1}, expected ");
        if (key.kind == ValueKind::Int || key.kind == ValueKind::Float) {
          EXPECT_ERROR(readOne(*table, name, "true"), Config, place + "true, expected ");
          EXPECT_ERROR(readOne(*table, name, ".nan"), Config, place + ".nan, expected ");
        }
        if (key.kind == ValueKind::Int) {
          EXPECT_ERROR(readOne(*table, name, "1.5"), Config, place + "1.5, expected ");
        }
      } else {
        continue;
      }
      ++tried;
    }
  EXPECT_GT(tried, 130);
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
