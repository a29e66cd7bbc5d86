// Reads one safetensors file through a private read-only mapping.
//
// Contract. `open` checks the whole header by the format's rules (holes, overlaps, sizes, unknown dtypes, damaged JSON) and
// refuses the file with a Safetensors error that names the file and the tensor; afterwards every tensor's bytes lie inside
// the mapping. Duplicate names are refused. Pages are read when touched. The object may be shared by threads.
// The file must not shrink while it is open: touching a page beyond its new end is a SIGBUS (tools/zprun/lost_mapping.h).
#ifndef ZP_RUNTIME_IO_SAFETENSORS_H
#define ZP_RUNTIME_IO_SAFETENSORS_H

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/status.h"

namespace zp::rt {

enum class SafetensorsDtype : uint8_t {
#define ZP_SAFETENSORS_DTYPE(name, bits) name,
#include "runtime/io/safetensors_dtypes.inc"
#undef ZP_SAFETENSORS_DTYPE
};
const char *textOf(SafetensorsDtype dtype);
uint64_t bitsOf(SafetensorsDtype dtype);

struct SafetensorsInfo {
  SafetensorsDtype dtype = SafetensorsDtype::F32;
  std::vector<uint64_t> shape;
  uint64_t begin = 0; ///< bytes from the data's start
  uint64_t bytes = 0;

  uint64_t elements() const;
};

/// "[2, 3]", as errors print a shape.
std::string shapeText(const std::vector<uint64_t> &shape);

/// Whether a directory has weights as transformers wrote them before safetensors: pickles, which are programs. Nobody here reads them.
bool hasPickledWeights(const std::string &directory);

class SafetensorsFile {
public:
  static StatusOr<std::shared_ptr<const SafetensorsFile>> open(const std::string &path);
  ~SafetensorsFile();
  SafetensorsFile(const SafetensorsFile &) = delete;
  SafetensorsFile &operator=(const SafetensorsFile &) = delete;

  const std::string &path() const { return filePath; }
  const std::map<std::string, SafetensorsInfo, std::less<>> &tensors() const { return entries; }
  const std::map<std::string, std::string, std::less<>> &metadata() const { return meta; }
  /// Null when the file has no such tensor.
  const SafetensorsInfo *find(std::string_view name) const;
  /// The tensor's bytes; not aligned to more than one byte.
  const std::byte *data(const SafetensorsInfo &info) const { return dataStart + info.begin; }
  /// Tells the system that [offset, offset+bytes) of a tensor, as far as it goes, will be read soon: reading begins, nothing waits.
  void announce(const SafetensorsInfo &info, uint64_t offset, uint64_t bytes) const;
  /// Tells the system that [offset, offset+bytes) of a tensor has been used and its pages may go.
  void release(const SafetensorsInfo &info, uint64_t offset, uint64_t bytes) const;

private:
  SafetensorsFile() = default;
  Status parse();

  std::string filePath;
  const std::byte *mapping = nullptr;
  uint64_t mappedBytes = 0;
  const std::byte *dataStart = nullptr;
  std::map<std::string, SafetensorsInfo, std::less<>> entries;
  std::map<std::string, std::string, std::less<>> meta;
};

} // namespace zp::rt

#endif // ZP_RUNTIME_IO_SAFETENSORS_H
