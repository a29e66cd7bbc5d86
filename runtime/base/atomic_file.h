// A file that appears under its name whole or not at all: written beside it under a temporary name, synced, renamed.
// An object that is destroyed without `commit` leaves nothing behind, and what a killed process left is
// removed when the same file is made anew (leftovers.h). A link stays, what it points at is replaced. Errors: DiskFull,
// DiskWrite, naming the final path; a device or a pipe is no place for a file.
#ifndef ZP_RUNTIME_BASE_ATOMIC_FILE_H
#define ZP_RUNTIME_BASE_ATOMIC_FILE_H

#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/base/status.h"

namespace zp {

class AtomicFile {
public:
  static StatusOr<AtomicFile> create(const std::string &path);
  AtomicFile(AtomicFile &&other) noexcept;
  AtomicFile &operator=(AtomicFile &&other) noexcept;
  ~AtomicFile();

  Status write(uint64_t offset, const void *data, uint64_t bytes);
  /// The same past the system's cache of pages, where the file system can: no processor copies the bytes. Offset, address
  /// and size are whole blocks (disk_block.h).
  Status writeDirect(uint64_t offset, const void *data, uint64_t bytes);
  /// Takes the room for that many bytes now, where the file system can.
  Status reserve(uint64_t bytes);
  Status commit();
  /// For another process to write by.
  int descriptor() const { return fd; }

private:
  AtomicFile() = default;
  void discard();
  Status failure(const char *doing, int error) const;

  std::string path, temporary;
  int fd = -1, directFd = -1;
  bool takesDirect = true; ///< as far as is known
};

/// The whole of a small file at once. A device or a pipe is written to.
Status writeFileAtomically(const std::string &path, std::string_view text);

/// Whether writeFileAtomically would find a place there. Leaves nothing behind.
Status checkWritable(const std::string &path);

/// Names in a directory last once the directory itself is on disk. A file system that can't sync one does so with every rename.
Status syncDirectory(const std::string &path);

/// Makes `directory` and its parents; an error when files can't be made in it.
Status makeWritableDirectory(const std::string &directory);

} // namespace zp

#endif // ZP_RUNTIME_BASE_ATOMIC_FILE_H
