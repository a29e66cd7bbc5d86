#include "runtime/io/checkpoint_directory.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <optional>
#include <string_view>
#include <sys/stat.h>
#include <tuple>
#include <unistd.h>

namespace zp::rt {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kPrefix = "checkpoint-", kUnfinished = ".tmp", kReplaced = ".old";

/// N of "checkpoint-N" and a suffix; leading zeros are not ours.
std::optional<uint64_t> stepOf(std::string_view name, std::string_view suffix = "") {
  if (!name.starts_with(kPrefix) || !name.ends_with(suffix))
    return {};
  name.remove_prefix(kPrefix.size());
  name.remove_suffix(std::min(name.size(), suffix.size()));
  uint64_t step = 0;
  auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), step);
  if (error != std::errc() || end != name.data() + name.size() || std::to_string(step) != name)
    return {};
  return step;
}

Status failure(const std::string &path, const char *doing, int error) {
  bool full = error == ENOSPC || error == EDQUOT || error == EFBIG;
  return Status(
      full ? ErrorCode::DiskFull : ErrorCode::DiskWrite,
      path + ": cannot be " + doing + " (" + std::strerror(error) +
          "), expected a directory that can hold checkpoints; " +
          (full ? "free space or name another --output_dir" : "check its path and permissions"));
}

/// Names in a directory last once the directory itself is on disk.
Status syncDirectory(const std::string &path) {
  int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0)
    return failure(path, "opened", errno);
  // Some file systems can't sync a directory (EINVAL): theirs are then synced with every rename.
  Status status = ::fsync(fd) != 0 && errno != EINVAL ? failure(path, "synced", errno) : Status();
  ::close(fd);
  return status;
}

template <typename F> void forEachName(const std::string &output, F &&f) {
  std::error_code error;
  for (fs::directory_iterator it(output, error), end; !error && it != end; it.increment(error))
    f(it->path());
}

void removeTree(const std::string &path) {
  std::error_code ignored;
  fs::remove_all(path, ignored);
}

} // namespace

std::string checkpointPath(const std::string &output, uint64_t step) {
  return output + "/" + std::string(kPrefix) + std::to_string(step);
}
std::string unfinishedPath(const std::string &output, uint64_t step) {
  return checkpointPath(output, step) + std::string(kUnfinished);
}

std::vector<uint64_t> checkpointsIn(const std::string &output) {
  std::vector<uint64_t> steps;
  forEachName(output, [&](const fs::path &path) {
    std::error_code ignored;
    if (std::optional<uint64_t> step = stepOf(path.filename().native());
        step && fs::is_directory(path, ignored))
      steps.push_back(*step);
  });
  std::sort(steps.begin(), steps.end());
  return steps;
}

void removeUnfinished(const std::string &output) {
  std::vector<std::string> unfinished;
  std::vector<uint64_t> replaced;
  forEachName(output, [&](const fs::path &path) {
    std::string name = path.filename().native();
    if (stepOf(name, kUnfinished))
      unfinished.push_back(path.native());
    else if (std::optional<uint64_t> step = stepOf(name, kReplaced))
      replaced.push_back(*step);
  });
  for (const std::string &path : unfinished)
    removeTree(path);
  // Killed between the two renames of a replacement: the old one is still the good one.
  for (uint64_t step : replaced) {
    std::string path = checkpointPath(output, step), old = path + std::string(kReplaced);
    if (::rename(old.c_str(), path.c_str()) != 0)
      removeTree(old);
  }
}

Status makeUnfinished(const std::string &output, uint64_t step) {
  std::string path = unfinishedPath(output, step);
  if (::mkdir(path.c_str(), 0755) != 0 && errno != EEXIST)
    return failure(path, "made", errno);
  return {};
}

Status publishCheckpoint(const std::string &output, uint64_t step) {
  const std::string temporary = unfinishedPath(output, step), path = checkpointPath(output, step);
  ZP_RETURN_IF_ERROR(syncDirectory(temporary));
  // Of an earlier run: both names change hands at once, or the old one would have to go before the
  // new one comes.
  bool replaced =
      ::renameat2(AT_FDCWD, temporary.c_str(), AT_FDCWD, path.c_str(), RENAME_EXCHANGE) == 0;
  if (!replaced && errno != ENOENT) { // a file system that can't exchange
    std::string old = path + std::string(kReplaced);
    if (::rename(path.c_str(), old.c_str()) != 0)
      return failure(path, "replaced", errno);
    replaced = ::rename(temporary.c_str(), path.c_str()) == 0;
    int error = errno;
    if (!replaced) {
      (void)::rename(old.c_str(), path.c_str());
      return failure(path, "renamed into place", error);
    }
    removeTree(old);
  } else if (!replaced && ::rename(temporary.c_str(), path.c_str()) != 0) {
    return failure(path, "renamed into place", errno);
  }
  ZP_RETURN_IF_ERROR(syncDirectory(output));
  if (replaced)
    removeTree(temporary);
  return {};
}

void rotateCheckpoints(const std::string &output, uint64_t keep, uint64_t newest, uint64_t best) {
  if (keep == 0)
    return;
  // By time, not by number: a run begun anew in an old directory has the smaller numbers.
  std::vector<std::tuple<fs::file_time_type, uint64_t>> others;
  uint64_t kept = 0;
  for (uint64_t step : checkpointsIn(output)) {
    std::error_code error;
    fs::file_time_type changed = fs::last_write_time(checkpointPath(output, step), error);
    if (step == newest || step == best)
      ++kept;
    else if (!error)
      others.emplace_back(changed, step);
  }
  std::sort(others.begin(), others.end());
  const uint64_t more = keep > kept ? keep - kept : 0;
  for (size_t i = 0; i + more < others.size(); ++i) {
    uint64_t step = std::get<1>(others[i]);
    std::string temporary = unfinishedPath(output, step);
    if (::rename(checkpointPath(output, step).c_str(), temporary.c_str()) == 0)
      removeTree(temporary);
  }
}

} // namespace zp::rt
