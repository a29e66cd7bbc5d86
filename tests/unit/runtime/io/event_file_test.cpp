// TensorBoard's files: checksums by the CRC catalogue and RFC 3720, records and events byte by byte as its own writer makes them.
#include "runtime/io/event_file.h"

#include <filesystem>

#include <gtest/gtest.h>

#include "tests/unit/runtime/io/temporary_directory.h"

namespace zp::rt {
namespace {

std::string bytes(std::initializer_list<int> values) {
  std::string out;
  for (int value : values)
    out += static_cast<char>(value);
  return out;
}

TEST(EventFile, ChecksumsAreCastagnolis) {
  EXPECT_EQ(crc32c(""), 0u);
  EXPECT_EQ(crc32c("123456789"), 0xe3069283u);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aau);
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43u);
}

TEST(EventFile, ARecordHasItsLengthAndTwoMaskedChecksums) {
  const std::string record = eventRecord("123456789");
  ASSERT_EQ(record.size(), 8 + 4 + 9 + 4u);
  EXPECT_EQ(record.substr(0, 8), bytes({9, 0, 0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(record.substr(12, 9), "123456789");
  // rotate right by 15, add 0xa282ead8
  EXPECT_EQ(record.substr(21), bytes({0xe5, 0xb0, 0x8a, 0xc7}));
}

TEST(EventFile, ScalarsAreAProtocolBuffer) {
  const Scalar scalars[] = {{"a", 1.5}};
  EXPECT_EQ(scalarsEvent(2.0, 300, scalars), bytes({0x09, 0,    0,    0,    0,   0, 0, 0, 0x40, // wall time 2.0
                                                    0x10, 0xac, 0x02,                           // step 300
                                                    0x2a, 0x0a, 0x0a, 0x08,                     // summary of ten bytes, a value of eight
                                                    0x0a, 0x01, 'a',                            // tag
                                                    0x15, 0,    0,    0xc0, 0x3f}));            // 1.5f
}

TEST(EventFile, EachRecordIsOutAtOnce) {
  zp::test::TemporaryDirectory directory;
  auto events = EventFile::create(directory.file("a/b"));
  ASSERT_TRUE(events.ok()) << events.status().toString();
  const Scalar scalars[] = {{"loss", 2}};
  std::string path;
  for (const auto &entry : std::filesystem::directory_iterator(directory.file("a/b")))
    path = entry.path();
  EXPECT_NE(path.find("events.out.tfevents."), std::string::npos);
  const auto size = std::filesystem::file_size(path);
  ASSERT_TRUE(events->add(7, scalars).ok());
  EXPECT_GT(std::filesystem::file_size(path), size);
  EXPECT_EQ(EventFile::create("/proc/nowhere").status().code(), ErrorCode::DiskWrite);
}

} // namespace
} // namespace zp::rt
