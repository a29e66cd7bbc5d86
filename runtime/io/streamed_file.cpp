#include "runtime/io/streamed_file.h"

#include <algorithm>
#include <cstring>

#include "runtime/io/checksum.h"
#include "runtime/schema/disk_block.h"

namespace zp::rt {

namespace {
constexpr uint64_t kBuffer = 1 << 20; // stays in a core's cache while it is filled, hashed and written
constexpr uint64_t kPiece = 4 << 20;  // of a transfer from where the bytes lie
} // namespace

/// Bytes on their way, and the checksum of those that went before.
struct StreamedFile::Stage {
  alignas(kDiskBlock) std::byte bytes[kBuffer];
  uint64_t filled = 0;
  Checksum checksum;
};

StreamedFile::StreamedFile(AtomicFile file, std::string name, uint64_t size, std::optional<uint64_t> checksum)
    : file(std::move(file)), stage(new Stage), name(std::move(name)), size(size), known(checksum) {}
StreamedFile::StreamedFile(StreamedFile &&) noexcept = default;
StreamedFile::~StreamedFile() = default;

StatusOr<StreamedFile> StreamedFile::create(const std::string &directory, const std::string &name, uint64_t bytes, std::optional<uint64_t> checksum) {
  ZP_ASSIGN_OR_RETURN(AtomicFile file, AtomicFile::create(directory + "/" + name));
  ZP_RETURN_IF_ERROR(file.reserve(bytes));
  return StreamedFile(std::move(file), name, bytes, checksum);
}

/// `data` are whole blocks in aligned memory, but at the file's end.
Status StreamedFile::put(const std::byte *data, uint64_t bytes) {
  if (!known)
    stage->checksum.add(data, bytes);
  const uint64_t blocks = bytes / kDiskBlock * kDiskBlock;
  ZP_RETURN_IF_ERROR(file.writeDirect(written, data, blocks));
  ZP_RETURN_IF_ERROR(file.write(written + blocks, data + blocks, bytes - blocks));
  written += bytes;
  return {};
}

Status StreamedFile::flush() { return put(stage->bytes, std::exchange(stage->filled, 0)); }

Status StreamedFile::append(const void *data, uint64_t bytes) {
  auto *at = static_cast<const std::byte *>(data);
  while (bytes > 0) {
    if (stage->filled == 0 && reinterpret_cast<uintptr_t>(at) % kDiskBlock == 0 && bytes >= kDiskBlock) {
      const uint64_t n = std::min(kPiece, bytes / kDiskBlock * kDiskBlock);
      ZP_RETURN_IF_ERROR(put(at, n));
      at += n;
      bytes -= n;
      continue;
    }
    const uint64_t n = std::min(kBuffer - stage->filled, bytes);
    std::memcpy(stage->bytes + stage->filled, at, n);
    stage->filled += n;
    at += n;
    bytes -= n;
    if (stage->filled == kBuffer)
      ZP_RETURN_IF_ERROR(flush());
  }
  return {};
}

Status StreamedFile::append(uint64_t bytes, uint64_t unit, const Fill &fill) {
  for (uint64_t done = 0; done < bytes;) {
    const uint64_t n = std::min((kBuffer - stage->filled) / unit * unit, bytes - done);
    if (n == 0)
      return Status(ErrorCode::Internal, name + ": what came before is no whole number of " + std::to_string(unit) + " bytes");
    ZP_RETURN_IF_ERROR(fill(stage->bytes + stage->filled, done, n));
    stage->filled += n;
    done += n;
    if (stage->filled == kBuffer)
      ZP_RETURN_IF_ERROR(flush());
  }
  return {};
}

StatusOr<ManifestFile> StreamedFile::commit() {
  ZP_RETURN_IF_ERROR(flush());
  if (written != size)
    return Status(ErrorCode::Internal, name + ": " + std::to_string(written) + " bytes came, expected " + std::to_string(size));
  ZP_RETURN_IF_ERROR(file.commit());
  return ManifestFile{name, size, known.value_or(stage->checksum.value())};
}

} // namespace zp::rt
