// Files that appear under their names together, at the end: written in a folder inside the directory, then moved up. An
// object that is destroyed before `commit` leaves nothing behind, not even the directory if it made it; what a killed process left goes
// when the next one is made there (runtime/base/leftovers.h).
#ifndef ZP_RUNTIME_TOOLS_ZPRUN_STAGED_DIRECTORY_H
#define ZP_RUNTIME_TOOLS_ZPRUN_STAGED_DIRECTORY_H

#include <string>

#include "runtime/base/status.h"

namespace zp::rt {

class StagedDirectory {
public:
  /// DiskWrite, DiskFull.
  static StatusOr<StagedDirectory> create(const std::string &directory);
  StagedDirectory(StagedDirectory &&other) noexcept;
  ~StagedDirectory();

  /// Where to write.
  const std::string &path() const { return stage; }
  /// Moves all files, `last` at the end: who finds that one finds all. Weights of a model that was there before go.
  Status commit(const std::string &last);

private:
  StagedDirectory() = default;

  std::string directory, stage;
  int held = -1;     // the stage
  bool made = false; // the directory wasn't there before
};

} // namespace zp::rt

#endif // ZP_RUNTIME_TOOLS_ZPRUN_STAGED_DIRECTORY_H
