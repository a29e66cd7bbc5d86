#include "frontends/sft/StepCache.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/file.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "runtime/base/atomic_file.h"
#include "runtime/base/text_file.h"

namespace zp::fe {

StatusOr<StepCache> StepCache::open(const std::string &folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  const std::string path = folder + "/lock";
  int fd = error ? -1 : ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0)
    return Status(ErrorCode::DiskWrite, folder + ": cannot be made (" + (error ? error.message() : std::strerror(errno)) +
                                            "), expected a place where files can be written; choose another --output_dir");
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    ::close(fd);
    return Status(ErrorCode::Config, folder + ": is in use by another zp sft, expected one a time; wait for it or choose another --output_dir");
  }
  return StepCache(folder, fd);
}

StepCache::~StepCache() {
  if (lock < 0)
    return;
  hashes.save();
  ::close(lock);
}

std::string StepCache::stamp(const Step &step) const {
  std::string name = step.name;
  std::replace(name.begin(), name.end(), ' ', '-');
  return folder + "/" + name + ".done";
}

StatusOr<std::string> StepCache::keyOf(const Step &step) {
  std::string all;
  ZP_ASSIGN_OR_RETURN(std::string tool, hashes.of({step.words[0]}));
  all += tool + "\n";
  for (size_t i = 1; i < step.words.size(); ++i)
    all += std::to_string(step.words[i].size()) + ":" + step.words[i] + "\n";
  for (const auto &[name, value] : step.environment)
    all += name + "=" + value + "\n";
  for (const StepInput &input : step.inputs) {
    ZP_ASSIGN_OR_RETURN(std::string hash, hashes.of(input));
    all += input.path + " " + hash + "\n";
  }
  return hashOfText(all);
}

bool StepCache::isDone(const Step &step, const std::string &key) {
  StatusOr<std::string> text = readTextFile(stamp(step));
  if (!text.ok())
    return false;
  nlohmann::json kept = nlohmann::json::parse(*text, nullptr, /*allow_exceptions=*/false);
  if (!kept.is_object() || kept.value("key", nlohmann::json()) != key || !kept.contains("outputs"))
    return false;
  for (const std::string &path : step.outputs) {
    StatusOr<std::string> hash = hashes.of({path});
    if (!hash.ok() || kept["outputs"].value(path, nlohmann::json()) != *hash)
      return false;
  }
  return true;
}

void StepCache::forget(const Step &step) { ::unlink(stamp(step).c_str()); }

Status StepCache::finish(const Step &step, const std::string &key) {
  nlohmann::json kept = {{"key", key}, {"outputs", nlohmann::json::object()}};
  for (const std::string &path : step.outputs) {
    ZP_ASSIGN_OR_RETURN(std::string hash, hashes.of({path}));
    kept["outputs"][path] = hash;
  }
  return writeFileAtomically(stamp(step), kept.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

} // namespace zp::fe
