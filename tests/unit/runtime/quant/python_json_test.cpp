// JSON that Python wrote, read and written again.
#include "runtime/quant/python_json.h"

#include <filesystem>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

namespace zp::rt {
namespace {

TEST(PythonJson, FilesOfTheReferenceComeOutAsTheyWere) {
  size_t files = 0;
  for (const auto &entry : std::filesystem::recursive_directory_iterator("tests/golden/nf4/directories")) {
    if (entry.path().extension() != ".json" || entry.path().parent_path().filename() != "quantized")
      continue;
    std::ifstream in(entry.path(), std::ios::binary);
    std::string text(std::istreambuf_iterator<char>(in), {});
    EXPECT_EQ(pythonJson(nlohmann::json::parse(text)) + "\n", text) << entry.path();
    ++files;
  }
  EXPECT_GE(files, 13u);
}

TEST(PythonJson, WritesNumbersTextsAndEmptyThingsAsPythonDoes) {
  // json.dumps(…, indent=2, sort_keys=True) of Python 3.11.
  nlohmann::json value = {
      {"b", {1, -2, 1.0, 1e-05, 1e16, 0.1}}, {"a", {{"z", nlohmann::json::array()}, {"y", nlohmann::json::object()}}}, {"c", "\x7f\xc3\xa9\t"}};
  EXPECT_EQ(pythonJson(value), R"({
  "a": {
    "y": {},
    "z": []
  },
  "b": [
    1,
    -2,
    1.0,
    1e-05,
    1e+16,
    0.1
  ],
  "c": "\u007f\u00e9\t"
})");
  EXPECT_EQ(pythonJson(nullptr), "null");
  EXPECT_EQ(pythonJson(true), "true");
}

} // namespace
} // namespace zp::rt
