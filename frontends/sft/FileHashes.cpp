#include "frontends/sft/FileHashes.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <memory>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

#include <nlohmann/json.hpp>
#include <xxhash.h>

#include "runtime/base/atomic_file.h"
#include "runtime/base/text_file.h"

namespace zp::fe {

namespace fs = std::filesystem;

namespace {

std::string hexOf(XXH128_hash_t hash) {
  char text[40];
  std::snprintf(text, sizeof text, "%016llx%016llx", static_cast<unsigned long long>(hash.high64), static_cast<unsigned long long>(hash.low64));
  return text;
}

Status unreadable(const std::string &path, int error) {
  return Status(ErrorCode::FileMissing, path + ": cannot be read (" + std::strerror(error) + "), expected a file; check the path");
}

struct Closer {
  int fd;
  ~Closer() { ::close(fd); }
};

/// The first `most` bytes.
StatusOr<std::string> hashOfFile(const std::string &path, uint64_t most) {
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return unreadable(path, errno);
  Closer closer{fd};
  std::unique_ptr<XXH3_state_t, decltype(&XXH3_freeState)> state(XXH3_createState(), &XXH3_freeState);
  if (!state)
    return Status(ErrorCode::HostMemory, path + ": cannot be hashed, expected memory for it; free some");
  XXH3_128bits_reset(state.get());
  std::vector<char> block(1 << 20);
  while (most > 0) {
    ssize_t n = ::read(fd, block.data(), std::min<uint64_t>(block.size(), most));
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return unreadable(path, errno);
    if (n == 0)
      break;
    XXH3_128bits_update(state.get(), block.data(), static_cast<size_t>(n));
    most -= static_cast<uint64_t>(n);
  }
  return hexOf(XXH3_128bits_digest(state.get()));
}

/// Length and header of a safetensors file: its first 8 bytes say how long the header is.
StatusOr<std::string> hashOfHeader(const std::string &path) {
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return unreadable(path, errno);
  uint64_t length = 0;
  ssize_t n = ::read(fd, &length, sizeof length);
  ::close(fd);
  if (n != static_cast<ssize_t>(sizeof length) || length > (uint64_t(1) << 30))
    length = 0; // damaged: zpc tells
  return hashOfFile(path, 8 + length);
}

std::string stateOf(const struct stat &info) {
  return std::to_string(info.st_dev) + " " + std::to_string(info.st_ino) + " " + std::to_string(info.st_size) + " " +
         std::to_string(info.st_mtim.tv_sec) + "." + std::to_string(info.st_mtim.tv_nsec) + " " + std::to_string(info.st_ctim.tv_sec) + "." +
         std::to_string(info.st_ctim.tv_nsec);
}

} // namespace

std::string hashOfText(const std::string &text) { return hexOf(XXH3_128bits(text.data(), text.size())); }

FileHashes::FileHashes(std::string memory) : memory(std::move(memory)) {
  StatusOr<std::string> text = readTextFile(this->memory);
  if (!text.ok())
    return;
  nlohmann::json kept = nlohmann::json::parse(*text, nullptr, /*allow_exceptions=*/false);
  if (!kept.is_object())
    return;
  for (const auto &[path, entry] : kept.items())
    if (entry.is_array() && entry.size() == 2 && entry[0].is_string() && entry[1].is_string())
      known[path] = {entry[0].get<std::string>(), entry[1].get<std::string>()};
}

StatusOr<std::string> FileHashes::ofFile(const std::string &path) {
  struct stat info;
  if (::stat(path.c_str(), &info) != 0)
    return unreadable(path, errno);
  std::string state = stateOf(info);
  auto at = known.find(path);
  if (at != known.end() && at->second.state == state)
    return at->second.hash;
  ZP_ASSIGN_OR_RETURN(std::string hash, hashOfFile(path, UINT64_MAX));
  // A file that was written a moment ago may be written again within the clock's grain.
  struct timespec now;
  ::clock_gettime(CLOCK_REALTIME, &now);
  if (now.tv_sec - info.st_mtim.tv_sec > 2)
    known[path] = {state, hash};
  return hash;
}

StatusOr<std::string> FileHashes::ofDirectory(const StepInput &input) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator at(input.path, error), end; !error && at != end; at.increment(error)) {
    std::string name = at->path().filename().string();
    if (!name.starts_with(".") && name != "__pycache__")
      names.push_back(name);
  }
  if (error)
    return unreadable(input.path, error.value());
  std::sort(names.begin(), names.end());
  std::string all;
  for (const std::string &name : names) {
    ZP_ASSIGN_OR_RETURN(std::string hash, of({input.path + "/" + name, input.headersOnly}));
    all += name + " " + hash + "\n";
  }
  return hashOfText(all);
}

StatusOr<std::string> FileHashes::of(const StepInput &input) {
  struct stat info;
  if (::stat(input.path.c_str(), &info) != 0) {
    if (errno == ENOENT || errno == ENOTDIR)
      return std::string("absent");
    return unreadable(input.path, errno);
  }
  if (S_ISDIR(info.st_mode))
    return ofDirectory(input);
  if (!S_ISREG(info.st_mode))
    return Status(ErrorCode::FileMissing, input.path + ": is no file, expected one that can be read twice; copy it to a file");
  if (input.headersOnly && input.path.ends_with(".safetensors"))
    return hashOfHeader(input.path);
  return ofFile(input.path);
}

void FileHashes::save() const {
  nlohmann::json kept = nlohmann::json::object();
  for (const auto &[path, entry] : known)
    kept[path] = {entry.state, entry.hash};
  (void)writeFileAtomically(memory, kept.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

} // namespace zp::fe
