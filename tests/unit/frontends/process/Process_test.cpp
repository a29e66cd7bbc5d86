#include "frontends/process/Process.h"

#include <csignal>
#include <fcntl.h>
#include <thread>
#include <unistd.h>

#include "tests/unit/frontends/support.h"

using namespace zp;
using namespace zp::fe;

static Step shell(const std::string &script) {
  Step step;
  step.words = {"/bin/sh", "-c", script};
  return step;
}

static int codeOf(const Step &step, int output = -1) {
  StatusOr<int> code = runTool(step, output);
  EXPECT_TRUE(code.ok()) << code.status().toString();
  return code.ok() ? *code : -1;
}

TEST(Process, exitCodes) {
  EXPECT_EQ(codeOf(shell("exit 0")), 0);
  EXPECT_EQ(codeOf(shell("exit 75")), 75);
  EXPECT_EQ(codeOf(shell("kill -KILL $$")), 128 + SIGKILL);
  Step missing;
  missing.words = {"/nowhere/tool"};
  EXPECT_ERROR(runTool(missing), FileMissing, "/nowhere/tool: cannot be started (No such file or directory)");
}

// zp must not begin the next tool.
TEST(Process, aSignalThatComesAsAToolEndsIsNotLost) {
  EXPECT_EQ(codeOf(shell("trap '' TERM; kill -TERM $PPID; sleep 0.2; exit 0")), 128 + SIGTERM);
  EXPECT_EQ(codeOf(shell("exit 0")), 0) << "the next is another story";
}

TEST(Process, environmentAndOutput) {
  test::TemporaryFolder folder;
  std::string path = folder.write("out", "");
  int fd = ::open(path.c_str(), O_WRONLY);
  Step step = shell("echo $ZP_TEST_WORD");
  step.environment = {{"ZP_TEST_WORD", "two words"}};
  EXPECT_EQ(codeOf(step, fd), 0);
  ::close(fd);
  std::ifstream in(path);
  std::string line;
  std::getline(in, line);
  EXPECT_EQ(line, "two words");
}

TEST(Process, twoInAPipe) {
  test::TemporaryFolder folder;
  const std::string out = folder.path + "/out";
  auto codeOfBoth = [](const Step &writing, const Step &reading) {
    StatusOr<int> code = runPiped(writing, reading);
    EXPECT_TRUE(code.ok()) << code.status().toString();
    return code.ok() ? *code : -1;
  };
  EXPECT_EQ(codeOfBoth(shell("echo one; echo two"), shell("cat > " + out)), 0);
  std::ifstream in(out);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(in), {}), "one\ntwo\n");
  EXPECT_EQ(codeOfBoth(shell("exit 5"), shell("cat")), 5);
  EXPECT_EQ(codeOfBoth(shell("exit 0"), shell("cat; exit 4")), 4);
  EXPECT_EQ(codeOfBoth(shell("while :; do echo on || exit 9; done"), shell("exit 4")), 4);
  // A line arrives while the writer still runs: it waits for what the reader makes of it.
  EXPECT_EQ(codeOfBoth(shell("echo go; until [ -e " + folder.path + "/seen ]; do sleep 0.01; done"),
                       shell("read word && [ $word = go ] && touch " + folder.path + "/seen")),
            0);
  Step missing;
  missing.words = {"/nowhere/tool"};
  EXPECT_ERROR(runPiped(missing, shell("cat")), FileMissing, "/nowhere/tool: cannot be started");
  EXPECT_ERROR(runPiped(shell("exit 0"), missing), FileMissing, "/nowhere/tool: cannot be started");
}

TEST(Process, sigtermGoesOnToTheTool) {
  test::TemporaryFolder folder;
  std::thread other([&] {
    while (!std::filesystem::exists(folder.path + "/ready"))
      ::usleep(1000);
    ::kill(::getpid(), SIGTERM);
  });
  EXPECT_EQ(codeOf(shell("trap 'exit 75' TERM; touch " + folder.path + "/ready; while :; do sleep 0.01; done")), 75);
  other.join();
}
