// Writes safetensors files byte for byte as the reference library does, without holding them: the layout is fixed first,
// then tensors arrive in pieces and in any order.
#ifndef ZP_RUNTIME_IO_SAFETENSORS_WRITER_H
#define ZP_RUNTIME_IO_SAFETENSORS_WRITER_H

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/atomic_file.h"
#include "runtime/io/safetensors.h"

namespace zp::rt {

struct SafetensorsEntry {
  std::string name;
  SafetensorsDtype dtype = SafetensorsDtype::F32;
  std::vector<uint64_t> shape;
};

/// Of its data; sizes are whole bytes.
uint64_t bytesOf(const SafetensorsEntry &entry);

class SafetensorsWriter {
public:
  using Metadata = std::map<std::string, std::string>;
  /// A null `metadata` writes no __metadata__ at all. Names are distinct; sizes are whole bytes.
  static StatusOr<SafetensorsWriter> create(const std::string &path, const std::vector<SafetensorsEntry> &entries, const Metadata *metadata);

  /// Puts bytes at `offset` of a declared tensor.
  Status write(std::string_view name, uint64_t offset, const void *data, uint64_t bytes);
  /// Makes the file appear. Refused unless every declared byte count has been written.
  Status finish();

private:
  SafetensorsWriter(AtomicFile file) : file(std::move(file)) {}
  struct Place {
    uint64_t begin, bytes;
  };
  std::string path;
  AtomicFile file;
  std::map<std::string, Place, std::less<>> places;
  uint64_t missing = 0; ///< bytes not written yet
};

/// The header's bytes (length word, JSON, padding), and where each entry's data begin; entries are put in file order.
std::string safetensorsHeader(std::vector<SafetensorsEntry> &entries, const SafetensorsWriter::Metadata *metadata, std::vector<uint64_t> &begins);

} // namespace zp::rt

#endif // ZP_RUNTIME_IO_SAFETENSORS_WRITER_H
