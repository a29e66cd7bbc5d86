// A large file of a checkpoint, written once from its beginning to its end: past the system's cache of pages where the file
// system can, so that no processor copies it, and hashed while its bytes are at hand, so that nobody reads it again. It
// appears under its name whole or not at all. Errors: DiskFull, DiskWrite, HostMemory.
#ifndef ZP_RUNTIME_IO_STREAMED_FILE_H
#define ZP_RUNTIME_IO_STREAMED_FILE_H

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "runtime/base/atomic_file.h"
#include "runtime/io/checkpoint_manifest.h"

namespace zp::rt {

class StreamedFile {
public:
  /// `bytes`: its whole size, for which room is taken at once. `checksum`: of all of it, where that is known already; its bytes
  /// aren't looked at then.
  static StatusOr<StreamedFile> create(const std::string &directory, const std::string &name, uint64_t bytes,
                                       std::optional<uint64_t> checksum = std::nullopt);
  StreamedFile(StreamedFile &&) noexcept;
  ~StreamedFile();

  /// Blocks that begin at a block's address are written from where they lie; everything else passes through a small buffer.
  Status append(const void *data, uint64_t bytes);
  /// Calls fill(target, done, n) for pieces [done, done + n) of the next `bytes` until all are there: `target` takes n bytes.
  /// Pieces are whole units, as all that came before must be.
  using Fill = std::function<Status(std::byte *target, uint64_t done, uint64_t n)>;
  Status append(uint64_t bytes, uint64_t unit, const Fill &fill);
  /// Makes it appear; what a manifest says of it. Internal unless all its bytes have come.
  StatusOr<ManifestFile> commit();

private:
  StreamedFile(AtomicFile file, std::string name, uint64_t size, std::optional<uint64_t> checksum);
  Status put(const std::byte *data, uint64_t bytes);
  Status flush();

  struct Stage;
  AtomicFile file;
  std::unique_ptr<Stage> stage;
  std::string name;
  uint64_t size = 0, written = 0; ///< of the whole; up to where it has been written
  std::optional<uint64_t> known;  ///< its checksum
};

} // namespace zp::rt

#endif // ZP_RUNTIME_IO_STREAMED_FILE_H
