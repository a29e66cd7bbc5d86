// Files that appear whole, and places where none can.
#include "runtime/base/atomic_file.h"

#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "runtime/base/text_file.h"
#include "runtime/io/model_weights.h"
#include "tests/unit/runtime/io/temporary_directory.h"

namespace zp::rt {
namespace {

TEST(AtomicFile, aLinkStaysAndItsTargetIsReplaced) {
  zp::test::TemporaryDirectory folder;
  std::filesystem::create_directory(folder.file("far"));
  const std::string target = folder.file("far/file"), link = folder.file("link");
  std::filesystem::create_symlink("file", folder.file("far/near")); // to nothing yet
  std::filesystem::create_symlink("far/near", link);
  ASSERT_TRUE(writeFileAtomically(link, "one").ok());
  EXPECT_TRUE(std::filesystem::is_symlink(link));
  ASSERT_TRUE(writeFileAtomically(link, "two").ok());
  EXPECT_TRUE(std::filesystem::is_symlink(link));
  EXPECT_EQ(*readTextFile(target), "two");
  EXPECT_TRUE(std::filesystem::is_symlink(folder.file("far/near")));
  EXPECT_TRUE(checkWritable(link).ok());
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.file("far")), {}), 2) << "nothing is left behind";
}

TEST(AtomicFile, aPipeIsWrittenToAndStays) {
  zp::test::TemporaryDirectory folder;
  const std::string pipe = folder.file("pipe");
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const int reader = ::open(pipe.c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_GE(reader, 0);
  EXPECT_TRUE(writeFileAtomically(pipe, "text").ok());
  char read[8] = {};
  EXPECT_EQ(::read(reader, read, sizeof read), 4);
  EXPECT_STREQ(read, "text");
  const StatusOr<AtomicFile> file = AtomicFile::create(pipe);
  ASSERT_FALSE(file.ok());
  EXPECT_EQ(file.status().code(), ErrorCode::DiskWrite);
  EXPECT_NE(file.status().message().find("pipe: is a device or a pipe, expected the name of a file"), std::string::npos);
  EXPECT_TRUE(checkWritable(pipe).ok());
  EXPECT_TRUE(std::filesystem::is_fifo(pipe));
  ::close(reader);
}

} // namespace
} // namespace zp::rt
