// Every byte where it belongs and its hash, whatever the sizes and addresses that it came in; nothing but a whole file.
#include "runtime/io/streamed_file.h"

#include <csignal>
#include <cstring>
#include <numeric>
#include <sys/resource.h>
#include <vector>

#include <gtest/gtest.h>
#include <xxhash.h>

#include "tests/unit/runtime/io/temporary_directory.h"

namespace zp::rt {
namespace {

constexpr uint64_t kMegabyte = 1 << 20;

/// Bytes in memory that begins at a page.
struct Bytes {
  explicit Bytes(uint64_t size) : storage(size + 8192), at(storage.data() + (4096 - reinterpret_cast<uintptr_t>(storage.data()) % 4096) % 4096) {
    for (uint64_t i = 0; i < size + 1; ++i)
      at[i] = static_cast<char>((i * 2654435761u) >> 13);
  }
  std::vector<char> storage;
  char *at;
};

class Streamed : public testing::Test {
protected:
  void holds(const std::string &expected, const StatusOr<ManifestFile> &written) {
    ASSERT_TRUE(written.ok()) << written.status().toString();
    EXPECT_EQ(written->name, "x");
    EXPECT_EQ(written->bytes, expected.size());
    EXPECT_EQ(written->checksum, XXH64(expected.data(), expected.size(), 0));
    EXPECT_TRUE(directory.read("x") == expected);
    EXPECT_EQ(directory.files(), 1u);
  }
  zp::test::TemporaryDirectory directory;
};

TEST_F(Streamed, InOnePieceFromAnyAddress) {
  for (uint64_t size : {uint64_t{0}, uint64_t{1}, uint64_t{4095}, uint64_t{4096}, uint64_t{4097}, kMegabyte, 5 * kMegabyte + 4096 + 3})
    for (uint64_t shift : {0, 1}) {
      Bytes bytes(size);
      auto file = StreamedFile::create(directory.path, "x", size);
      ASSERT_TRUE(file.ok()) << file.status().toString();
      ASSERT_TRUE(file->append(bytes.at + shift, size).ok());
      holds(std::string(bytes.at + shift, size), file->commit());
    }
}

TEST_F(Streamed, InManyPieces) {
  Bytes bytes(9 * kMegabyte);
  const uint64_t sizes[] = {8, 4096, 3, 2 * kMegabyte, kMegabyte - 4107, 4096, 5000, 3 * kMegabyte, 1};
  const uint64_t size = std::accumulate(std::begin(sizes), std::end(sizes), uint64_t{0});
  auto file = StreamedFile::create(directory.path, "x", size);
  ASSERT_TRUE(file.ok());
  std::string expected;
  for (uint64_t piece : sizes) {
    expected.append(bytes.at, piece);
    ASSERT_TRUE(file->append(bytes.at, piece).ok());
  }
  holds(expected, file->commit());
}

TEST_F(Streamed, FilledInPlace) {
  const uint64_t size = 3 * kMegabyte + 12;
  Bytes bytes(size);
  auto file = StreamedFile::create(directory.path, "x", 8 + size);
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE(file->append(bytes.at, 8).ok());
  Status status = file->append(size, 4, [&](std::byte *target, uint64_t done, uint64_t n) {
    EXPECT_EQ(n % 4, 0u);
    std::memcpy(target, bytes.at + done, n);
    return Status();
  });
  ASSERT_TRUE(status.ok()) << status.toString();
  holds(std::string(bytes.at, 8) + std::string(bytes.at, size), file->commit());
}

TEST_F(Streamed, SaysTheChecksumThatItWasTold) {
  const uint64_t size = 2 * kMegabyte + 5;
  Bytes bytes(size);
  const uint64_t checksum = XXH64(bytes.at, size, 0);
  for (uint64_t told : {checksum, checksum + 1}) { // nobody looks
    auto file = StreamedFile::create(directory.path, "x", size, told);
    ASSERT_TRUE(file.ok()) << file.status().toString();
    ASSERT_TRUE(file->append(bytes.at, size).ok());
    auto written = file->commit();
    ASSERT_TRUE(written.ok()) << written.status().toString();
    EXPECT_EQ(written->checksum, told);
    EXPECT_TRUE(directory.read("x") == std::string(bytes.at, size));
  }
}

TEST_F(Streamed, AppearsWholeOrNotAtAll) {
  Bytes bytes(2 * kMegabyte);
  {
    auto file = StreamedFile::create(directory.path, "x", 2 * kMegabyte);
    ASSERT_TRUE(file->append(bytes.at, 2 * kMegabyte - 1).ok());
    EXPECT_EQ(file->commit().status().code(), ErrorCode::Internal);
  }
  EXPECT_EQ(directory.files(), 0u);
  {
    auto file = StreamedFile::create(directory.path, "x", 2 * kMegabyte);
    Status status = file->append(kMegabyte, 4, [](std::byte *, uint64_t, uint64_t) { return Status(ErrorCode::Checkpoint, "x"); });
    EXPECT_EQ(status.code(), ErrorCode::Checkpoint);
  }
  EXPECT_EQ(directory.files(), 0u);
}

TEST_F(Streamed, AFullDiskIsToldAtOnce) {
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{}, now{};
  getrlimit(RLIMIT_FSIZE, &before);
  now = {kMegabyte, before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &now);
  Status status = StreamedFile::create(directory.path, "x", 2 * kMegabyte).status();
  setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_EQ(status.code(), ErrorCode::DiskFull) << status.toString();
  EXPECT_EQ(directory.files(), 0u);
}

} // namespace
} // namespace zp::rt
