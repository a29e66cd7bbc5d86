#include "runtime/io/checkpoint_directory.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <optional>
#include <string_view>
#include <sys/stat.h>
#include <tuple>
#include <unistd.h>

#include "runtime/base/atomic_file.h"
#include "runtime/base/disk_error.h"

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
  return diskError(path, doing, error, "a directory that can hold checkpoints", "check its path and permissions",
                   "free space or name another --output_dir");
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

std::string checkpointPath(const std::string &output, uint64_t step) { return output + "/" + std::string(kPrefix) + std::to_string(step); }
std::string unfinishedPath(const std::string &output, uint64_t step) { return checkpointPath(output, step) + std::string(kUnfinished); }

std::vector<uint64_t> checkpointsIn(const std::string &output) {
  std::vector<uint64_t> steps;
  forEachName(output, [&](const fs::path &path) {
    std::error_code ignored;
    if (std::optional<uint64_t> step = stepOf(path.filename().native()); step && fs::is_directory(path, ignored))
      steps.push_back(*step);
  });
  std::sort(steps.begin(), steps.end());
  return steps;
}

/// Paths of names with a suffix.
static std::vector<std::string> pathsWith(const std::string &output, std::string_view suffix) {
  std::vector<std::string> found;
  forEachName(output, [&](const fs::path &path) {
    if (stepOf(path.filename().native(), suffix))
      found.push_back(path.native());
  });
  return found;
}

void restoreReplaced(const std::string &output) {
  for (const std::string &old : pathsWith(output, kReplaced)) {
    const std::string path = old.substr(0, old.size() - kReplaced.size());
    if (::rename(old.c_str(), path.c_str()) != 0 && errno != EEXIST && errno != ENOTEMPTY && errno != ENOENT)
      std::fprintf(stderr, "warning: %s: is a checkpoint that was being replaced, and cannot be called %s again (%s); rename it\n", old.c_str(),
                   path.c_str(), std::strerror(errno));
  }
}

void removeUnfinished(const std::string &output) {
  restoreReplaced(output);
  for (const std::string &path : pathsWith(output, kUnfinished))
    removeTree(path);
  for (const std::string &old : pathsWith(output, kReplaced)) {
    std::error_code error;
    if (fs::is_directory(old.substr(0, old.size() - kReplaced.size()), error) && !error) // replaced for good
      removeTree(old);
  }
}

Status makeUnfinished(const std::string &output, uint64_t step) {
  std::string path = unfinishedPath(output, step);
  if (::mkdir(path.c_str(), 0755) != 0 && errno != EEXIST)
    return failure(path, "made", errno);
  return {};
}

int exchangeNames(const char *one, const char *other) { return ::renameat2(AT_FDCWD, one, AT_FDCWD, other, RENAME_EXCHANGE); }

Status publishCheckpoint(const std::string &output, uint64_t step, ExchangeNames exchange) {
  const std::string temporary = unfinishedPath(output, step), path = checkpointPath(output, step), old = path + std::string(kReplaced);
  ZP_RETURN_IF_ERROR(syncDirectory(temporary));
  // Of an earlier run: both names change hands at once, or the old one would have to go before the
  // new one comes.
  if (exchange(temporary.c_str(), path.c_str()) == 0) {
    ZP_RETURN_IF_ERROR(syncDirectory(output));
    removeTree(temporary);
    return {};
  }
  // There is none, or a file system that can't exchange; which of the two, it need not say rightly.
  const bool hadOld = ::rename(path.c_str(), old.c_str()) == 0;
  if (!hadOld && errno != ENOENT)
    return failure(path, "replaced", errno);
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    const int error = errno;
    if (hadOld)
      (void)::rename(old.c_str(), path.c_str());
    return failure(path, "renamed into place", error);
  }
  ZP_RETURN_IF_ERROR(syncDirectory(output));
  if (hadOld)
    removeTree(old);
  return {};
}

static bool isOf(const std::string &output, uint64_t step, const std::string &directory) {
  std::error_code ignored; // as of a directory that isn't there
  return fs::equivalent(checkpointPath(output, step), directory, ignored);
}

/// Under its temporary name first: what is called a checkpoint is whole.
static void removeCheckpoint(const std::string &output, uint64_t step) {
  std::string temporary = unfinishedPath(output, step);
  if (::rename(checkpointPath(output, step).c_str(), temporary.c_str()) == 0)
    removeTree(temporary);
}

void rotateCheckpoints(const std::string &output, uint64_t keep, uint64_t newest, const std::string &best) {
  if (keep == 0)
    return;
  // By time, not by number: a run begun anew in an old directory has the smaller numbers.
  std::vector<std::tuple<fs::file_time_type, uint64_t>> others;
  uint64_t kept = 0;
  for (uint64_t step : checkpointsIn(output)) {
    std::error_code error;
    fs::file_time_type changed = fs::last_write_time(checkpointPath(output, step), error);
    if (step == newest || isOf(output, step, best))
      ++kept;
    else if (!error)
      others.emplace_back(changed, step);
  }
  std::sort(others.begin(), others.end());
  const uint64_t more = keep > kept ? keep - kept : 0;
  for (size_t i = 0; i + more < others.size(); ++i)
    removeCheckpoint(output, std::get<1>(others[i]));
}

void removeAllBut(const std::string &output, const std::string &best) {
  const std::vector<uint64_t> steps = checkpointsIn(output);
  if (std::any_of(steps.begin(), steps.end(), [&](uint64_t step) { return isOf(output, step, best); }))
    for (uint64_t step : steps)
      if (!isOf(output, step, best))
        removeCheckpoint(output, step);
}

} // namespace zp::rt
