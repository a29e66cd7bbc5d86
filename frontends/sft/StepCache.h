// Which steps have been done: a stamp a step, with the hash of all that it depends on (the tool, the words, the content
// of its inputs) and the hashes of what it made.
//
// Contract. One process at a time holds a folder. A step that was interrupted is not done; neither is one whose outputs
// have been changed or removed since.
#ifndef ZP_FRONTENDS_SFT_STEPCACHE_H
#define ZP_FRONTENDS_SFT_STEPCACHE_H

#include <string>

#include "frontends/sft/FileHashes.h"

namespace zp::fe {

class StepCache {
public:
  /// Makes the folder. DiskWrite when it can't be; Config when another process holds it.
  static StatusOr<StepCache> open(const std::string &folder);
  StepCache(StepCache &&other) noexcept : folder(std::move(other.folder)), hashes(std::move(other.hashes)), lock(std::exchange(other.lock, -1)) {}
  ~StepCache();

  StatusOr<std::string> keyOf(const Step &step);
  bool isDone(const Step &step, const std::string &key);
  void forget(const Step &step);
  Status finish(const Step &step, const std::string &key);

private:
  StepCache(std::string folder, int lock) : folder(folder), hashes(folder + "/files.json"), lock(lock) {}
  std::string stamp(const Step &step) const;

  std::string folder;
  FileHashes hashes;
  int lock = -1;
};

} // namespace zp::fe

#endif // ZP_FRONTENDS_SFT_STEPCACHE_H
