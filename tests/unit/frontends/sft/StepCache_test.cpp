#include "frontends/sft/StepCache.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "tests/unit/frontends/support.h"

using namespace zp;
using namespace zp::fe;

namespace {

class StepCacheTest : public testing::Test {
protected:
  StepCacheTest() {
    step.name = "a step";
    step.words = {folder.write("tool", "#!/bin/sh\n"), "--flag", "1"};
    step.inputs = {{folder.write("in/a.txt", "one")}, {folder.path + "/in"}, {folder.path + "/absent"}};
    step.outputs = {folder.path + "/made"};
  }
  std::string key() {
    StatusOr<StepCache> cache = StepCache::open(folder.path + "/cache");
    EXPECT_TRUE(cache.ok()) << cache.status().toString();
    StatusOr<std::string> key = cache->keyOf(step);
    EXPECT_TRUE(key.ok()) << key.status().toString();
    return key.ok() ? *key : "";
  }
  bool isDone() {
    StatusOr<StepCache> cache = StepCache::open(folder.path + "/cache");
    StatusOr<std::string> key = cache->keyOf(step);
    return key.ok() && cache->isDone(step, *key);
  }
  void finish() {
    StatusOr<StepCache> cache = StepCache::open(folder.path + "/cache");
    EXPECT_TRUE(cache->finish(step, *cache->keyOf(step)).ok());
  }
  test::TemporaryFolder folder;
  Step step;
};

} // namespace

TEST_F(StepCacheTest, theKeyFollowsWhatTheStepDependsOn) {
  const std::string first = key();
  EXPECT_EQ(key(), first);
  folder.write("in/a.txt", "two");
  EXPECT_NE(key(), first) << "content";
  folder.write("in/a.txt", "one");
  EXPECT_EQ(key(), first) << "content alone, not its time";
  folder.write("in/b.txt", "");
  EXPECT_NE(key(), first) << "another file in a directory";
  std::filesystem::remove(folder.path + "/in/b.txt");
  folder.write("absent", "");
  EXPECT_NE(key(), first) << "a file that wasn't there";
  std::filesystem::remove(folder.path + "/absent");
  folder.write("tool", "#!/bin/sh\n#\n");
  EXPECT_NE(key(), first) << "another build of the tool";
  folder.write("tool", "#!/bin/sh\n");
  step.words[2] = "2";
  EXPECT_NE(key(), first) << "a flag";
  step.words = {step.words[0], "--flag 1"};
  EXPECT_NE(key(), first) << "other words with the same letters";
}

TEST_F(StepCacheTest, headersOnly) {
  std::string header = "{\"a\":1}", length(8, '\0');
  length[0] = char(header.size());
  step.inputs = {{folder.path + "/weights", /*headersOnly=*/true}};
  folder.write("weights/w.safetensors", length + header + "data");
  const std::string first = key();
  folder.write("weights/w.safetensors", length + header + "DATA");
  EXPECT_EQ(key(), first);
  folder.write("weights/w.safetensors", length + "{\"a\":2}" + "data");
  EXPECT_NE(key(), first);
  folder.write("weights/w.safetensors", "cut");
  EXPECT_NE(key(), first);
}

TEST_F(StepCacheTest, doneWhileItsOutputsAreTheSame) {
  EXPECT_FALSE(isDone());
  folder.write("made", "result");
  EXPECT_FALSE(isDone()) << "made by someone else";
  finish();
  EXPECT_TRUE(isDone());
  folder.write("made", "changed");
  EXPECT_FALSE(isDone());
  folder.write("made", "result");
  EXPECT_TRUE(isDone());
  std::filesystem::remove(folder.path + "/made");
  EXPECT_FALSE(isDone());
}

TEST_F(StepCacheTest, forgottenBeforeItRunsAgain) {
  folder.write("made", "result");
  finish();
  StepCache::open(folder.path + "/cache")->forget(step);
  EXPECT_FALSE(isDone());
}

TEST_F(StepCacheTest, damageOfTheStampsCostsTimeOnly) {
  folder.write("made", "result");
  finish();
  for (const char *damage : {"", "{", "[]", "{\"key\": 3}", "{\"key\": \"x\", \"outputs\": []}"}) {
    folder.write("cache/a-step.done", damage);
    EXPECT_FALSE(isDone()) << damage;
    folder.write("cache/files.json", damage);
    finish();
    EXPECT_TRUE(isDone()) << damage;
  }
}

// A hash that is remembered goes with size, times and number of the file: a file put in its place is read again.
TEST_F(StepCacheTest, rememberedHashes) {
  auto age = [&](const std::string &path) {
    struct timespec times[2] = {{1000000000, 0}, {1000000000, 0}};
    EXPECT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
  };
  age(folder.path + "/in/a.txt");
  const std::string first = key();
  EXPECT_EQ(key(), first);
  folder.write("in/a.txt", "two"); // as long as before
  age(folder.path + "/in/a.txt");
  EXPECT_NE(key(), first);
}

TEST_F(StepCacheTest, oneProcessAtATime) {
  StatusOr<StepCache> held = StepCache::open(folder.path + "/cache");
  ASSERT_TRUE(held.ok());
  EXPECT_ERROR(StepCache::open(folder.path + "/cache"), Config, "is in use by another zp sft");
  EXPECT_ERROR(StepCache::open("/proc/nowhere/cache"), DiskWrite, "/proc/nowhere/cache: cannot be made");
}
