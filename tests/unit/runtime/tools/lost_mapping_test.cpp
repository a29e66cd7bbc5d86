#include "runtime/tools/zprun/lost_mapping.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include "runtime/base/status.h"
#include "tests/unit/runtime/io/temporary_directory.h"

namespace zp::rt {
namespace {

TEST(LostMapping, IsALineAndACode) {
  zp::test::TemporaryDirectory directory;
  directory.write("file", std::string(8192, 'x'));
  const int file = ::open(directory.file("file").c_str(), O_RDWR);
  auto *pages = static_cast<volatile char *>(::mmap(nullptr, 8192, PROT_READ, MAP_PRIVATE, file, 0));
  ASSERT_NE(pages, MAP_FAILED);
  EXPECT_EXIT(
      {
        reportLostMappings();
        if (::ftruncate(file, 0) == 0)
          (void)pages[4096];
      },
      testing::ExitedWithCode(exitCodeOf(ErrorCode::FileMissing)), "^error.ZP3001. zprun: a page of a file that is in use cannot be read");
  ::munmap(const_cast<char *>(pages), 8192);
  ::close(file);
}

} // namespace
} // namespace zp::rt
