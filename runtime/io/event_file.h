// TensorBoard's event files: scalars by tag and step, as its own writer makes them.
//
// A file is a sequence of TFRecords: the length (u64), its masked CRC-32C, the bytes, their masked CRC-32C, all little-endian.
// The bytes are a protocol buffer of tensorflow.Event; the first names the version. Each record is out as soon as it is added,
// so that TensorBoard sees it while the run goes on.
#ifndef ZP_RUNTIME_IO_EVENT_FILE_H
#define ZP_RUNTIME_IO_EVENT_FILE_H

#include <cstdio>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "runtime/base/status.h"

namespace zp::rt {

/// CRC-32C (Castagnoli) of the bytes.
uint32_t crc32c(std::string_view bytes);
/// One TFRecord.
std::string eventRecord(std::string_view event);

using Scalar = std::pair<std::string, double>; ///< tag, value

/// tensorflow.Event of scalars: `seconds` since 1970; values become f32.
std::string scalarsEvent(double seconds, uint64_t step, std::span<const Scalar> scalars);

class EventFile {
public:
  /// A new events.out.tfevents.… in the directory, which is made where it isn't there. DiskWrite, DiskFull.
  static StatusOr<EventFile> create(const std::string &directory);
  Status add(uint64_t step, std::span<const Scalar> scalars);

private:
  Status append(const std::string &record);
  struct Close {
    void operator()(std::FILE *file) const { std::fclose(file); }
  };
  std::string path;
  std::unique_ptr<std::FILE, Close> file;
};

} // namespace zp::rt

#endif // ZP_RUNTIME_IO_EVENT_FILE_H
