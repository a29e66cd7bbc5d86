#include "runtime/base/json_depth.h"

#include <string>

#include <gtest/gtest.h>

using namespace zp;

TEST(JsonDepth, CountsWhatLiesInside) {
  EXPECT_FALSE(nestsTooDeep(std::string(100, '[') + std::string(100, ']')));
  EXPECT_TRUE(nestsTooDeep(std::string(101, '[')));
  std::string objects = "1";
  for (int i = 0; i < 101; ++i)
    objects = "{\"a\": " + objects + "}";
  EXPECT_TRUE(nestsTooDeep(objects));
  std::string row = "[";
  for (int i = 0; i < 1000; ++i)
    row += "[],{},";
  EXPECT_FALSE(nestsTooDeep(row));
}

TEST(JsonDepth, TextsNestNothing) {
  EXPECT_FALSE(nestsTooDeep("{\"" + std::string(200, '[') + "\": \"\\\"" + std::string(200, '{') + "\"}"));
  EXPECT_FALSE(nestsTooDeep(std::string(200, ']')));
}
