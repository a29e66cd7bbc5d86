#include "runtime/tools/zprun/staged_directory.h"

#include <cerrno>
#include <filesystem>
#include <regex>
#include <set>
#include <unistd.h>
#include <utility>

#include "runtime/base/atomic_file.h"
#include "runtime/base/disk_error.h"
#include "runtime/base/leftovers.h"

namespace zp::rt {

namespace fs = std::filesystem;

StatusOr<StagedDirectory> StagedDirectory::create(const std::string &directory) {
  StagedDirectory out;
  std::error_code ignored;
  out.directory = directory;
  out.made = !fs::exists(directory, ignored);
  ZP_RETURN_IF_ERROR(makeWritableDirectory(directory));
  const std::string prefix = directory + "/.zp-stage";
  removeLeftovers(prefix);
  Held stage = makeHeldFolder(prefix);
  if (stage.fd < 0)
    return diskError(stage.path, "made a directory", errno);
  out.stage = std::move(stage.path);
  out.held = stage.fd;
  return out;
}

StagedDirectory::StagedDirectory(StagedDirectory &&other) noexcept
    : directory(std::move(other.directory)), stage(std::exchange(other.stage, {})), held(std::exchange(other.held, -1)),
      made(std::exchange(other.made, false)) {}

StagedDirectory::~StagedDirectory() {
  std::error_code ignored;
  if (!stage.empty())
    fs::remove_all(stage, ignored);
  if (held >= 0)
    ::close(held);
  if (made)
    fs::remove(directory, ignored); // which an empty directory takes alone
}

/// Of files and folders in a folder.
static StatusOr<std::set<std::string>> namesIn(const std::string &folder) {
  std::set<std::string> names;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error))
    names.insert(it->path().filename().string());
  if (error)
    return diskError(folder, "read", error.value());
  return names;
}

Status StagedDirectory::commit(const std::string &last) {
  ZP_ASSIGN_OR_RETURN(const std::set<std::string> names, namesIn(stage));
  ZP_ASSIGN_OR_RETURN(const std::set<std::string> before, namesIn(directory));
  std::vector<std::string> order(names.begin(), names.end());
  std::erase(order, last);
  order.push_back(last); // which has to be there
  for (const std::string &name : order) {
    std::error_code error;
    fs::rename(stage + "/" + name, directory + "/" + name, error);
    if (error)
      return diskError(directory + "/" + name, "moved into place", error.value());
  }
  made = false;
  // What was there before goes when the new model is whole.
  static const std::regex weights("model(-[0-9]{5}-of-[0-9]{5})?\\.safetensors(\\.index\\.json)?");
  for (const std::string &name : before)
    if (std::error_code ignored; std::regex_match(name, weights) && !names.contains(name))
      fs::remove(directory + "/" + name, ignored);
  return syncDirectory(directory);
}

} // namespace zp::rt
