// checkpoint.json: what a training checkpoint is of, where the run stood, and every file beside it
// with its size and checksum.
//
//   {"files": {NAME: {"bytes": n, "xxh64": "16 hex digits"}}, "format": "zeroplan training
//   checkpoint", "identity": {KEY: value},
//    "progress": {KEY: number}, "version": 1, "xxh64": "of this object without this member, as
//    compact JSON with sorted keys"}
//
// It is written last: a directory with a manifest was whole once. Errors: Checkpoint (no
// checkpoint, or damaged), CheckpointVersion (of a later format).
#ifndef ZP_RUNTIME_IO_CHECKPOINT_MANIFEST_H
#define ZP_RUNTIME_IO_CHECKPOINT_MANIFEST_H

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "runtime/base/status.h"

namespace zp::rt {

inline constexpr const char *kManifestName = "checkpoint.json";
inline constexpr uint64_t kCheckpointVersion = 1;

struct ManifestFile {
  std::string name;
  uint64_t bytes = 0;
  uint64_t checksum = 0; ///< xxh64, seed 0
};

struct CheckpointManifest {
  std::map<std::string, std::string> identity; ///< values are JSON texts
  std::map<std::string, double> progress;
  uint64_t step = 0;   ///< updates done; exact, as are the tokens
  uint64_t tokens = 0; ///< fed so far
  std::vector<ManifestFile> files;
};

/// Reads the file once.
StatusOr<ManifestFile> describeFile(const std::string &directory, const std::string &name);
/// All regular files of a directory, by name, without the manifest. Those that are `known` are not read.
StatusOr<std::vector<ManifestFile>> describeFiles(const std::string &directory, const std::vector<ManifestFile> &known = {});

/// What one rank tells rank 0 of a file that it has written: a note beside the file, which rank 0 takes away.
Status leaveNote(const std::string &directory, const ManifestFile &file);
/// FileMissing without a note that can be read.
StatusOr<ManifestFile> takeNote(const std::string &directory, const std::string &name);
/// The note's own name.
std::string noteName(const std::string &name);

std::string manifestText(const CheckpointManifest &manifest);
StatusOr<CheckpointManifest> readManifest(const std::string &directory);

/// That every file is there with its size and, when `contents`, its bytes. Names the first that
/// isn't.
Status checkFiles(const std::string &directory, const CheckpointManifest &manifest, bool contents);

} // namespace zp::rt

#endif // ZP_RUNTIME_IO_CHECKPOINT_MANIFEST_H
