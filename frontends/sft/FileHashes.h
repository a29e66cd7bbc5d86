// Content hashes of files (XXH3, 128 bits, as hex). A big file is read once: its hash is kept with its size, its times
// and its number, and taken again while those stay.
#ifndef ZP_FRONTENDS_SFT_FILEHASHES_H
#define ZP_FRONTENDS_SFT_FILEHASHES_H

#include <map>
#include <string>

#include "frontends/sft/Steps.h"

namespace zp::fe {

std::string hashOfText(const std::string &text);

class FileHashes {
public:
  /// `memory`: the JSON file that keeps them; what can't be read there is forgotten.
  explicit FileHashes(std::string memory);

  /// Of a file, of the files in a directory by their names, or "absent". FileMissing when something can't be read.
  StatusOr<std::string> of(const StepInput &input);
  /// Keeps what was learnt; a failure costs time only.
  void save() const;

private:
  StatusOr<std::string> ofFile(const std::string &path);
  StatusOr<std::string> ofDirectory(const StepInput &input);

  struct Known {
    std::string state, hash;
  };
  std::string memory;
  std::map<std::string, Known> known;
};

} // namespace zp::fe

#endif // ZP_FRONTENDS_SFT_FILEHASHES_H
