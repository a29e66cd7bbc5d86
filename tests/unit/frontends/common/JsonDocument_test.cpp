#include "frontends/common/JsonDocument.h"

#include "tests/unit/frontends/support.h"

using namespace zp;
using namespace zp::fe;
using namespace zp::fe::test;

TEST(JsonDocument, placesAKeyByItsLine) {
  JsonDocument config = document("{\n \"a\": {\"b\": [1, {\"deep\": 2}],\n  \"deep\": 3},\n "
                                 "\"text\": \"x\\\"}{\",\n \"deep\": 4\n}");
  EXPECT_EQ(config.place("a"), "config.json:2: a");
  EXPECT_EQ(config.place({"a", "deep"}), "config.json:3: a.deep");
  EXPECT_EQ(config.place("text"), "config.json:4: text");
  EXPECT_EQ(config.place("deep"), "config.json:5: deep"); // not the ones inside a
  EXPECT_EQ(config.place("absent"), "config.json: absent");
  EXPECT_EQ(config.place({"text", "x"}), "config.json: text.x");
}

TEST(JsonDocument, refusesWhatIsNoObject) {
  EXPECT_ERROR(JsonDocument::parse("c.json", "{\n\"a\": 1,\n}"), Json, "c.json:3: ");
  EXPECT_ERROR(JsonDocument::parse("c.json", "[1]"), Json, "c.json:1: the file holds array");
  EXPECT_ERROR(JsonDocument::parse("c.json", ""), Json, "c.json:1: ");
  EXPECT_ERROR(JsonDocument::parse("c.json", "{\"a\": \"\xff\"}"), Json, "c.json:1: ");
  EXPECT_ERROR(JsonDocument::parse("c.json", std::string(200000, '[')), Json, "c.json: nests deeper than 100 levels");
  EXPECT_ERROR(JsonDocument::parse("c.json", "{\"a\": " + std::string(101, '[') + std::string(101, ']') + "}"), Json, "nests deeper");
  EXPECT_TRUE(JsonDocument::parse("c.json", "{\"[[\\\"[[\": " + std::string(99, '[') + std::string(99, ']') + "}").ok());
}

TEST(JsonDocument, saysWhyAFileCannotBeRead) {
  TemporaryFolder folder;
  EXPECT_ERROR(JsonDocument::read(folder.path + "/none.json"), FileMissing, "none.json: cannot be read (No such file");
  EXPECT_ERROR(JsonDocument::read(folder.path), FileMissing, "cannot be read");
}

TEST(JsonReader, readsValuesAndTakesNullForAbsent) {
  JsonDocument config = document(R"({"i": 7, "whole": 32768.0, "f": 1e-5, "b": true, "s": "x", "n": null, "l": ["a", "b"], "o": {"k": 3}})");
  JsonReader reader(config);
  EXPECT_EQ(reader.integer("i", 0), 7);
  EXPECT_EQ(reader.integer("whole", 0), 32768);
  EXPECT_EQ(reader.integer("n", 5), 5);
  EXPECT_EQ(reader.integer("absent", 6), 6);
  EXPECT_EQ(reader.integer({"o", "k"}, 0), 3);
  EXPECT_EQ(reader.number("f", 0), 1e-5);
  EXPECT_EQ(reader.number("i", 0), 7.0);
  EXPECT_TRUE(reader.boolean("b", false));
  EXPECT_EQ(reader.text("s", ""), "x");
  EXPECT_EQ(reader.texts("l"), (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(reader.contains("n"));
  EXPECT_FALSE(reader.has("n"));
  EXPECT_TRUE(reader.status().ok()) << reader.status().toString();
}

TEST(JsonReader, keepsTheFirstError) {
  JsonDocument config = document("{\"i\": \"7\",\n\"half\": 1.5,\n\"big\": 18446744073709551615}");
  JsonReader reader(config);
  EXPECT_EQ(reader.integer("half", 3), 3);
  reader.integer("i", 0);
  EXPECT_ERROR(reader.status(), Json, "config.json:2: half: is 1.5, expected a whole number");
  JsonReader other(config);
  other.integer("big", 0);
  EXPECT_ERROR(other.status(), Json, "big: is 18446744073709551615");
}
