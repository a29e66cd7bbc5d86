// Names come and go whole.
#include "runtime/io/checkpoint_directory.h"

#include <chrono>

#include <gtest/gtest.h>

#include "tests/unit/runtime/io/temporary_directory.h"

namespace zp::rt {
namespace {

namespace fs = std::filesystem;

class CheckpointDirectory : public testing::Test {
protected:
  void make(const std::string &name, const std::string &content, int age = 0) {
    fs::create_directory(directory.file(name));
    directory.write(name + "/file", content);
    fs::last_write_time(directory.file(name), fs::file_time_type::clock::now() - std::chrono::hours(age));
  }
  std::string content(const std::string &name) const { return directory.read(name + "/file"); }
  std::vector<std::string> names() const {
    std::vector<std::string> out;
    for (auto &entry : fs::directory_iterator(directory.path))
      out.push_back(entry.path().filename());
    std::sort(out.begin(), out.end());
    return out;
  }
  zp::test::TemporaryDirectory directory;
};

TEST_F(CheckpointDirectory, ListsFinalNamesOnly) {
  for (const char *name : {"checkpoint-9", "checkpoint-10", "checkpoint-0", "checkpoint-11.tmp", "checkpoint-012", "checkpoint-", "checkpoint-x",
                           "checkpoint-7.old", "other"})
    make(name, "");
  directory.write("checkpoint-5", "a file");
  EXPECT_EQ(checkpointsIn(directory.path), (std::vector<uint64_t>{0, 9, 10}));
  EXPECT_TRUE(checkpointsIn(directory.file("nowhere")).empty());
}

TEST_F(CheckpointDirectory, PublishesUnderAFreeName) {
  ASSERT_TRUE(makeUnfinished(directory.path, 3).ok());
  ASSERT_TRUE(makeUnfinished(directory.path, 3).ok()) << "another rank has made it";
  directory.write("checkpoint-3.tmp/file", "new");
  EXPECT_TRUE(checkpointsIn(directory.path).empty());
  ASSERT_TRUE(publishCheckpoint(directory.path, 3).ok());
  EXPECT_EQ(names(), (std::vector<std::string>{"checkpoint-3"}));
  EXPECT_EQ(content("checkpoint-3"), "new");
}

TEST_F(CheckpointDirectory, PublishesOverAnOlderOne) {
  make("checkpoint-3", "old");
  make("checkpoint-3.tmp", "new");
  ASSERT_TRUE(publishCheckpoint(directory.path, 3).ok());
  EXPECT_EQ(names(), (std::vector<std::string>{"checkpoint-3"}));
  EXPECT_EQ(content("checkpoint-3"), "new");
}

// Some file systems refuse to exchange before they look for the names.
TEST_F(CheckpointDirectory, PublishesWhereNamesCannotBeExchanged) {
  const ExchangeNames refused = [](const char *, const char *) { return errno = EINVAL, -1; };
  make("checkpoint-3.tmp", "first");
  ASSERT_TRUE(publishCheckpoint(directory.path, 3, refused).ok());
  EXPECT_EQ(content("checkpoint-3"), "first");
  make("checkpoint-3.tmp", "second");
  ASSERT_TRUE(publishCheckpoint(directory.path, 3, refused).ok());
  EXPECT_EQ(names(), (std::vector<std::string>{"checkpoint-3"}));
  EXPECT_EQ(content("checkpoint-3"), "second");
}

TEST_F(CheckpointDirectory, PublishingNothingIsAnErrorAndLeavesTheOlderOne) {
  make("checkpoint-3", "old");
  Status status = publishCheckpoint(directory.path, 3);
  EXPECT_EQ(status.code(), ErrorCode::DiskWrite);
  EXPECT_NE(status.message().find("checkpoint-3"), std::string::npos);
  EXPECT_EQ(content("checkpoint-3"), "old");
}

TEST_F(CheckpointDirectory, WhatCannotBeMadeIsNamed) {
  Status status = makeUnfinished(directory.file("nowhere"), 3);
  EXPECT_EQ(status.code(), ErrorCode::DiskWrite);
  EXPECT_EQ(status.message().find(directory.file("nowhere/checkpoint-3.tmp: ")), 0u);
}

TEST_F(CheckpointDirectory, RestoresWhatWasBeingReplaced) {
  make("checkpoint-2", "whole");
  make("checkpoint-2.old", "older");
  make("checkpoint-1.old", "the good");
  make("checkpoint-1.tmp", "half");
  restoreReplaced(directory.path);
  restoreReplaced(directory.path); // another rank
  EXPECT_EQ(content("checkpoint-1"), "the good");
  EXPECT_EQ(content("checkpoint-2"), "whole");
  EXPECT_EQ(names().size(), 4u) << "nothing is removed";
  restoreReplaced(directory.file("nowhere"));
}

TEST_F(CheckpointDirectory, CleansWhatKilledRunsLeft) {
  make("checkpoint-3.tmp", "half");
  make("checkpoint-2", "whole");
  make("checkpoint-2.old", "older");    // replaced already
  make("checkpoint-1.old", "the good"); // killed between two renames
  make("checkpoint-x.tmp", "not ours");
  removeUnfinished(directory.path);
  EXPECT_EQ(names(), (std::vector<std::string>{"checkpoint-1", "checkpoint-2", "checkpoint-x.tmp"}));
  EXPECT_EQ(content("checkpoint-1"), "the good");
  EXPECT_EQ(content("checkpoint-2"), "whole");
}

TEST_F(CheckpointDirectory, RotatesByAgeAndKeepsTheNewest) {
  make("checkpoint-500", "of an earlier run", 9);
  make("checkpoint-400", "of an earlier run", 10);
  make("checkpoint-20", "", 2);
  make("checkpoint-30", "", 1);
  rotateCheckpoints(directory.path, 0, 30, "");
  EXPECT_EQ(checkpointsIn(directory.path).size(), 4u);
  rotateCheckpoints(directory.path, 3, 30, directory.file("checkpoint-30"));
  EXPECT_EQ(checkpointsIn(directory.path), (std::vector<uint64_t>{20, 30, 500}));
  rotateCheckpoints(directory.path, 1, 20, "");
  EXPECT_EQ(names(), (std::vector<std::string>{"checkpoint-20"}));
}

TEST_F(CheckpointDirectory, KeepsTheBestBesideTheNewest) {
  for (int step : {10, 20, 30, 40})
    make("checkpoint-" + std::to_string(step), "", 50 - step);
  rotateCheckpoints(directory.path, 3, 40, directory.file("checkpoint-10"));
  EXPECT_EQ(checkpointsIn(directory.path), (std::vector<uint64_t>{10, 30, 40}));
  rotateCheckpoints(directory.path, 1, 40, directory.file("./checkpoint-10/"));
  EXPECT_EQ(checkpointsIn(directory.path), (std::vector<uint64_t>{10, 40})) << "as spelt by an earlier run";
  rotateCheckpoints(directory.path, 1, 40, "elsewhere/checkpoint-10");
  EXPECT_EQ(checkpointsIn(directory.path), (std::vector<uint64_t>{40}));
}

TEST_F(CheckpointDirectory, KeepsTheBestAlone) {
  for (int step : {10, 20, 30})
    make("checkpoint-" + std::to_string(step), "");
  for (const char *none : {"", "elsewhere/checkpoint-20"}) {
    removeAllBut(directory.path, none);
    EXPECT_EQ(checkpointsIn(directory.path).size(), 3u) << none;
  }
  removeAllBut(directory.path, directory.file("checkpoint-20"));
  EXPECT_EQ(names(), (std::vector<std::string>{"checkpoint-20"}));
}

} // namespace
} // namespace zp::rt
