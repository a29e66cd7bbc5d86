// What the frontends' tests share: a folder of their own, the reference fixtures, and short ways to
// read an error.
#ifndef ZP_TESTS_UNIT_FRONTENDS_SUPPORT_H
#define ZP_TESTS_UNIT_FRONTENDS_SUPPORT_H

#include <filesystem>
#include <fstream>
#include <string>
#include <unistd.h>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "frontends/common/JsonDocument.h"

namespace zp::fe::test {

class TemporaryFolder {
public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "zp-frontends-XXXXXX").string();
    path = ::mkdtemp(pattern.data());
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  std::string write(const std::string &name, const std::string &text) const {
    std::filesystem::create_directories(std::filesystem::path(path + "/" + name).parent_path());
    std::ofstream(path + "/" + name, std::ios::binary) << text;
    return path + "/" + name;
  }
  std::string path;
};

inline nlohmann::json fixture(const std::string &name) {
  std::ifstream in(std::string(ZP_TESTS) + "/unit/frontends/fixtures/" + name);
  return nlohmann::json::parse(in);
}

/// A document named config.json.
inline JsonDocument document(const std::string &text, const std::string &name = "config.json") {
  StatusOr<JsonDocument> parsed = JsonDocument::parse(name, text);
  EXPECT_TRUE(parsed.ok()) << parsed.status().toString();
  return *parsed;
}

template <typename T> Status statusOf(const StatusOr<T> &result) { return result.ok() ? Status() : result.status(); }
inline Status statusOf(const Status &status) { return status; }

} // namespace zp::fe::test

#define EXPECT_ERROR(expr, expectedCode, part)                                                                                                       \
  do {                                                                                                                                               \
    ::zp::Status zpError = ::zp::fe::test::statusOf(expr);                                                                                           \
    EXPECT_EQ(zpError.code(), ::zp::ErrorCode::expectedCode) << zpError.toString();                                                                  \
    if (!zpError.ok()) {                                                                                                                             \
      EXPECT_NE(zpError.message().find(part), std::string::npos) << zpError.toString();                                                              \
      EXPECT_EQ(zpError.message().find('\n'), std::string::npos) << zpError.toString();                                                              \
    }                                                                                                                                                \
  } while (false)

#endif // ZP_TESTS_UNIT_FRONTENDS_SUPPORT_H
