// A model's files change places with those of an older one.
#include "runtime/tools/zprun/staged_directory.h"

#include <filesystem>
#include <fstream>
#include <set>

#include <gtest/gtest.h>

#include "tests/unit/runtime/io/temporary_directory.h"

namespace zp::rt {
namespace {

namespace fs = std::filesystem;

class Staged : public testing::Test {
protected:
  std::set<std::string> names(const std::string &folder) const {
    std::set<std::string> out;
    for (const auto &entry : fs::directory_iterator(folder))
      out.insert(entry.path().filename());
    return out;
  }
  static void write(const std::string &path, const std::string &text) { std::ofstream(path) << text; }
  zp::test::TemporaryDirectory directory;
};

TEST_F(Staged, AWholeModelTakesTheOlderOnesPlace) {
  const std::string out = directory.file("out");
  fs::create_directory(out);
  for (const char *name : {"model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors", "model.safetensors.index.json", "notes.txt"})
    write(out + "/" + name, "old");
  {
    auto staged = StagedDirectory::create(out);
    ASSERT_TRUE(staged.ok());
    write(staged->path() + "/model.safetensors", "new");
    write(staged->path() + "/config.json", "new");
    ASSERT_TRUE(staged->commit("config.json").ok());
  }
  EXPECT_EQ(names(out), (std::set<std::string>{"model.safetensors", "config.json", "notes.txt"}));
  EXPECT_EQ(directory.read("out/model.safetensors"), "new");
}

TEST_F(Staged, WhatComesLastHasToBeThere) {
  auto staged = StagedDirectory::create(directory.file("out"));
  write(staged->path() + "/model.safetensors", "new");
  EXPECT_EQ(staged->commit("config.json").code(), ErrorCode::DiskWrite);
}

// A failure leaves the older model, and nothing else.
TEST_F(Staged, WhatCannotMoveTakesNothingAway) {
  const std::string out = directory.file("out");
  fs::create_directories(out + "/a.json/in the way");
  write(out + "/model.safetensors", "old");
  {
    auto staged = StagedDirectory::create(out);
    write(staged->path() + "/a.json", "new");
    write(staged->path() + "/model-00001-of-00001.safetensors", "new");
    const Status status = staged->commit("model.safetensors.index.json");
    EXPECT_EQ(status.code(), ErrorCode::DiskWrite);
    EXPECT_NE(status.message().find("a.json: cannot be moved into place"), std::string::npos) << status.message();
  }
  EXPECT_EQ(directory.read("out/model.safetensors"), "old");
  EXPECT_EQ(names(out), (std::set<std::string>{"model.safetensors", "a.json"}));
}

TEST_F(Staged, WithoutCommitNothingIsThere) {
  { ASSERT_TRUE(StagedDirectory::create(directory.file("new")).ok()); }
  EXPECT_FALSE(fs::exists(directory.file("new")));
}

} // namespace
} // namespace zp::rt
