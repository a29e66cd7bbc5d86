#include "frontends/accelerate/ConfigDocument.h"

#include "tests/unit/frontends/support.h"

using namespace zp;
using namespace zp::fe;

static ConfigDocument parsed(StatusOr<ConfigDocument> document) {
  EXPECT_TRUE(document.ok()) << document.status().toString();
  return document.ok() ? *document : ConfigDocument();
}

TEST(ConfigDocument, valuesRememberTheirLines) {
  ConfigDocument yaml = parsed(ConfigDocument::parseYaml("c.yaml", "a: 1\nb:\n  c: 'no'\n  d: [x, y]\ne:\n"));
  EXPECT_EQ(yaml.root().find("a")->text, "1");
  EXPECT_FALSE(yaml.root().find("a")->quoted);
  EXPECT_EQ(yaml.root().entries[1].value.entries[0].line, 3);
  EXPECT_TRUE(yaml.root().find("b")->find("c")->quoted);
  EXPECT_EQ(yaml.root().find("b")->find("d")->items[1].text, "y");
  EXPECT_EQ(yaml.root().find("e")->kind, ConfigNode::Kind::Null);
  EXPECT_EQ(yaml.root().find("f"), nullptr);
  EXPECT_EQ(yaml.place(3, "c"), "c.yaml:3: c");
}

// What DeepSpeed's parser takes beyond JSON.
TEST(ConfigDocument, jsonWithCommentsAndBareKeys) {
  ConfigDocument json = parsed(ConfigDocument::parseJson("ds.json", "// about\n{\n\t# more\n  bare: 5e8, /* a\n comment: 1 */\n"
                                                                    "\t\"url\": \"http://x#y\",\n  \"list\": [1, 2,],\n}\n"));
  EXPECT_EQ(json.root().entries.size(), 3u);
  EXPECT_EQ(json.root().find("bare")->text, "5e8");
  EXPECT_EQ(json.root().find("url")->text, "http://x#y");
  EXPECT_EQ(json.root().entries[1].line, 6);
  EXPECT_EQ(json.root().find("list")->items.size(), 2u);
}

TEST(ConfigDocument, errors) {
  EXPECT_ERROR(ConfigDocument::readYaml("/nowhere/c.yaml"), FileMissing, "/nowhere/c.yaml: cannot be read");
  EXPECT_ERROR(ConfigDocument::parseYaml("c.yaml", "a: 1\nb: [1\n"), Config, "c.yaml:");
  EXPECT_ERROR(ConfigDocument::parseYaml("c.yaml", "- 1\n- 2\n"), Config, "c.yaml:1: the file holds [1, 2], expected a YAML map");
  EXPECT_ERROR(ConfigDocument::parseYaml("c.yaml", ""), Config, "c.yaml:1: the file holds nothing");
  EXPECT_ERROR(ConfigDocument::parseYaml("c.yaml", "a: 1\nb: 2\na: 3\n"), Config, "c.yaml:3: the key a stands here for the second time");
  EXPECT_ERROR(ConfigDocument::parseJson("ds.json", "{\"a\": 1, \"a\": 2}"), Config, "ds.json:1: the key a stands");
  EXPECT_ERROR(ConfigDocument::parseJson("ds.json", "a: 1"), Config, "ds.json:1: the file doesn't open with {");
  EXPECT_ERROR(ConfigDocument::parseJson("ds.json", "{\"a\": 1"), Config, "ds.json:");
  EXPECT_ERROR(ConfigDocument::parseYaml("c.yaml", "? [1, 2]\n: 3\n"), Config, "c.yaml:1: a key is no word");
}

// Ten aliases of ten aliases of ... would be ten thousand million values.
TEST(ConfigDocument, sizeIsBounded) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 10; ++i) {
    std::string before = "*a" + std::to_string(i - 1), now = "a" + std::to_string(i);
    bomb += now + ": &" + now + " [" + before;
    for (int k = 1; k < 10; ++k)
      bomb += ", " + before;
    bomb += "]\n";
  }
  EXPECT_ERROR(ConfigDocument::parseYaml("c.yaml", bomb), Config, "too many values");
  EXPECT_ERROR(ConfigDocument::parseYaml("c.yaml", "a: " + std::string(50, '[') + std::string(50, ']')), Config, "too deep");
  EXPECT_ERROR(ConfigDocument::parseYaml("c.yaml", std::string(1 << 21, '#')), Config, "bytes");
  EXPECT_FALSE(ConfigDocument::parseYaml("c.yaml", "a: " + std::string(100000, '[')).ok());
}
