#include "runtime/io/safetensors.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/io/safetensors_header.h"

namespace zp::rt {

constexpr uint64_t kLongestHeader = 100'000'000;

const char *textOf(SafetensorsDtype dtype) {
  switch (dtype) {
#define ZP_SAFETENSORS_DTYPE(name, bits)                                                                                                             \
  case SafetensorsDtype::name:                                                                                                                       \
    return #name;
#include "runtime/io/safetensors_dtypes.inc"
#undef ZP_SAFETENSORS_DTYPE
  }
  return "?";
}

uint64_t bitsOf(SafetensorsDtype dtype) {
  switch (dtype) {
#define ZP_SAFETENSORS_DTYPE(name, bits)                                                                                                             \
  case SafetensorsDtype::name:                                                                                                                       \
    return bits;
#include "runtime/io/safetensors_dtypes.inc"
#undef ZP_SAFETENSORS_DTYPE
  }
  return 0;
}

uint64_t SafetensorsInfo::elements() const {
  uint64_t n = 1;
  for (uint64_t dim : shape)
    n *= dim;
  return n;
}

std::string shapeText(const std::vector<uint64_t> &shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i)
    text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

StatusOr<std::shared_ptr<const SafetensorsFile>> SafetensorsFile::open(const std::string &path) {
  std::shared_ptr<SafetensorsFile> file(new SafetensorsFile);
  file->filePath = path;
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return Status(ErrorCode::FileMissing, path + ": cannot be opened (" + std::strerror(errno) + "), expected a safetensors file; check the path");
  struct stat info {};
  Status failed;
  if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    failed = Status(ErrorCode::FileMissing, path + ": is not a regular file, expected a safetensors file; check the path");
  } else if (info.st_size < 8) {
    failed = Status(ErrorCode::Safetensors, path + ": file has " + std::to_string(info.st_size) +
                                                " bytes, expected at least 8; the file is truncated: fetch or write it again");
  } else {
    file->mappedBytes = static_cast<uint64_t>(info.st_size);
    void *map = mmap(nullptr, file->mappedBytes, PROT_READ, MAP_PRIVATE, fd, 0);
    if (map == MAP_FAILED)
      failed = Status(ErrorCode::FileMissing, path + ": cannot be mapped (" + std::strerror(errno) + "), expected a file of a disk; copy it to one");
    else
      file->mapping = static_cast<const std::byte *>(map);
  }
  close(fd);
  ZP_RETURN_IF_ERROR(failed);
  ZP_RETURN_IF_ERROR(file->parse());
  return std::shared_ptr<const SafetensorsFile>(std::move(file));
}

SafetensorsFile::~SafetensorsFile() {
  if (mapping)
    munmap(const_cast<std::byte *>(mapping), mappedBytes);
}

Status SafetensorsFile::parse() {
  uint64_t headerBytes = 0;
  for (int i = 7; i >= 0; --i)
    headerBytes = headerBytes << 8 | static_cast<uint64_t>(mapping[i]);
  if (headerBytes > kLongestHeader || headerBytes > mappedBytes - 8)
    return Status(ErrorCode::Safetensors, filePath + ": header is said to be " + std::to_string(headerBytes) + " bytes, but the file holds " +
                                              std::to_string(mappedBytes - 8) + " after its first 8 (limit " + std::to_string(kLongestHeader) +
                                              "); the file is truncated or no safetensors file: fetch or write it again");
  std::string_view text(reinterpret_cast<const char *>(mapping) + 8, headerBytes);
  ZP_ASSIGN_OR_RETURN(SafetensorsHeader header, parseSafetensorsHeader(filePath, text, mappedBytes - 8 - headerBytes));
  dataStart = mapping + 8 + headerBytes;
  entries = std::move(header.tensors);
  meta = std::move(header.metadata);
  return {};
}

const SafetensorsInfo *SafetensorsFile::find(std::string_view name) const {
  auto it = entries.find(name);
  return it == entries.end() ? nullptr : &it->second;
}

void SafetensorsFile::announce(const SafetensorsInfo &info, uint64_t offset, uint64_t bytes) const {
  const auto page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  const uint64_t data = static_cast<uint64_t>(dataStart - mapping) + info.begin;
  const uint64_t begin = (data + std::min(offset, info.bytes)) / page * page, end = data + std::min(offset + bytes, info.bytes);
  if (begin < end)
    madvise(const_cast<std::byte *>(mapping) + begin, end - begin, MADV_WILLNEED);
}

void SafetensorsFile::release(const SafetensorsInfo &info, uint64_t offset, uint64_t bytes) const {
  // Whole pages only: a neighbour's page stays. The mapping is private and unwritten, so the pages come back when touched.
  uint64_t page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  uint64_t begin = static_cast<uint64_t>(dataStart - mapping) + info.begin + offset, end = begin + bytes;
  begin = (begin + page - 1) / page * page;
  end = end / page * page;
  if (begin < end)
    madvise(const_cast<std::byte *>(mapping) + begin, end - begin, MADV_DONTNEED);
}

bool hasPickledWeights(const std::string &directory) {
  std::error_code ignored;
  return std::filesystem::exists(directory + "/pytorch_model.bin", ignored) ||
         std::filesystem::exists(directory + "/pytorch_model.bin.index.json", ignored);
}

} // namespace zp::rt
