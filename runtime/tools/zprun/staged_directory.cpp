#include "runtime/tools/zprun/staged_directory.h"

#include <filesystem>
#include <regex>
#include <set>
#include <unistd.h>
#include <utility>

#include "runtime/io/atomic_file.h"

namespace zp::rt {

namespace fs = std::filesystem;

StatusOr<StagedDirectory> StagedDirectory::create(const std::string &directory) {
  StagedDirectory out;
  std::error_code ignored;
  out.directory = directory;
  out.made = !fs::exists(directory, ignored);
  ZP_RETURN_IF_ERROR(makeWritableDirectory(directory));
  std::string stage = directory + "/.zp-stage" + std::to_string(getpid());
  ZP_RETURN_IF_ERROR(makeWritableDirectory(stage));
  out.stage = std::move(stage);
  return out;
}

StagedDirectory::StagedDirectory(StagedDirectory &&other) noexcept
    : directory(std::move(other.directory)), stage(std::exchange(other.stage, {})),
      made(std::exchange(other.made, false)) {}

StagedDirectory::~StagedDirectory() {
  std::error_code ignored;
  if (!stage.empty())
    fs::remove_all(stage, ignored);
  if (made)
    fs::remove(directory, ignored); // which an empty directory takes alone
}

Status StagedDirectory::commit(const std::string &last) {
  std::error_code error;
  std::set<std::string> names;
  for (const auto &entry : fs::directory_iterator(stage, error))
    names.insert(entry.path().filename().string());
  static const std::regex shard("model(-[0-9]{5}-of-[0-9]{5})?\\.safetensors(\\.index\\.json)?");
  for (const auto &entry : fs::directory_iterator(directory, error))
    if (std::string name = entry.path().filename().string(); std::regex_match(name, shard) && !names.contains(name))
      fs::remove(entry.path(), error);
  names.erase(last);
  std::vector<std::string> order(names.begin(), names.end());
  order.push_back(last);
  for (const std::string &name : order) {
    fs::rename(stage + "/" + name, directory + "/" + name, error);
    if (error)
      return Status(ErrorCode::DiskWrite,
                    directory + "/" + name + ": cannot be moved into place (" + error.message() +
                        "), expected a place where files can be written; check its path and permissions");
  }
  made = false;
  return {};
}

} // namespace zp::rt
