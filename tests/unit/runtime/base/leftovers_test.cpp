// Temporary names: what a killed process left goes, what a living one holds stays.
#include "runtime/base/leftovers.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "runtime/base/atomic_file.h"
#include "tests/unit/runtime/io/temporary_directory.h"

namespace zp {
namespace {

/// A process that has what `make` gives until it is killed.
class Maker {
public:
  template <typename Make> explicit Maker(Make make) {
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    pid = ::fork();
    if (pid == 0) {
      [[maybe_unused]] auto made = make();
      if (::write(ends[1], "m", 1) == 1)
        while (true)
          ::pause();
      ::_exit(1);
    }
    char said = 0;
    EXPECT_EQ(::read(ends[0], &said, 1), 1);
    ::close(ends[0]);
    ::close(ends[1]);
  }
  ~Maker() { kill(); }
  void kill() {
    if (pid > 0)
      ::kill(pid, SIGKILL);
    if (pid > 0)
      ::waitpid(pid, nullptr, 0);
    pid = -1;
  }

private:
  pid_t pid = -1;
};

TEST(Leftovers, aFileHalfWrittenGoesWithTheNextOneOnceItsWriterIsDead) {
  test::TemporaryDirectory folder;
  const std::string path = folder.write("weights", "old");
  Maker maker([&] {
    StatusOr<AtomicFile> file = AtomicFile::create(path);
    return file.ok() && file->write(0, "half", 4).ok() ? std::move(file) : StatusOr<AtomicFile>(Status(ErrorCode::DiskWrite, "not written"));
  });
  ASSERT_EQ(folder.files(), 2u);
  ASSERT_TRUE(writeFileAtomically(path, "new").ok());
  EXPECT_EQ(folder.files(), 2u) << "its writer lives";
  EXPECT_EQ(folder.read("weights"), "new");
  maker.kill();
  EXPECT_EQ(folder.files(), 2u);
  ASSERT_TRUE(writeFileAtomically(path, "newer").ok());
  EXPECT_EQ(folder.files(), 1u);
  EXPECT_EQ(folder.read("weights"), "newer");
}

TEST(Leftovers, aFolderGoesWithAllThatIsInIt) {
  test::TemporaryDirectory folder;
  const std::string prefix = folder.file(".stage");
  Maker maker([&] {
    const Held held = makeHeldFolder(prefix);
    return writeFileAtomically(held.path + "/weights", "half").ok();
  });
  ASSERT_EQ(folder.files(), 1u);
  removeLeftovers(prefix);
  EXPECT_EQ(folder.files(), 1u) << "its maker lives";
  maker.kill();
  removeLeftovers(prefix);
  EXPECT_EQ(folder.files(), 0u);
}

TEST(Leftovers, twoOfOneProcessHaveTwoNames) {
  test::TemporaryDirectory folder;
  const Held one = makeHeldFile(folder.file("x")), two = makeHeldFile(folder.file("x")), place = makeHeldFolder(folder.file("x"));
  ASSERT_GE(std::min({one.fd, two.fd, place.fd}), 0);
  EXPECT_EQ(folder.files(), 3u);
  removeLeftovers(folder.file("x"));
  EXPECT_EQ(folder.files(), 3u) << "held by this process itself";
  for (const Held &held : {one, two, place})
    ::close(held.fd);
  removeLeftovers(folder.file("x"));
  EXPECT_EQ(folder.files(), 0u);
}

TEST(Leftovers, otherNamesAndLinksStay) {
  test::TemporaryDirectory folder;
  for (const char *name : {"x", "x.tmp", "x.tmp1a", "x.tmp1.bak", "y.tmp1", "ax.tmp1"})
    folder.write(name, "mine");
  std::filesystem::create_symlink("y.tmp1", folder.file("x.tmp2"));
  folder.write("x.tmp3", "left");
  removeLeftovers(folder.file("x.tmp"));
  EXPECT_EQ(folder.files(), 7u);
  EXPECT_FALSE(std::filesystem::exists(folder.file("x.tmp3")));
  EXPECT_TRUE(std::filesystem::is_symlink(folder.file("x.tmp2")));
}

TEST(Leftovers, whereNothingCanBeMadeItSaysWhy) {
  const Held file = makeHeldFile("/nonexistent/x");
  EXPECT_LT(file.fd, 0);
  EXPECT_EQ(errno, ENOENT);
  EXPECT_LT(makeHeldFolder("/nonexistent/x").fd, 0);
  removeLeftovers("/nonexistent/x");
}

} // namespace
} // namespace zp
