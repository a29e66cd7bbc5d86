// The JSON header of a safetensors file: text to checked entries. Apart from safetensors.h so that a fuzzer reaches it alone.
#ifndef ZP_RUNTIME_IO_SAFETENSORS_HEADER_H
#define ZP_RUNTIME_IO_SAFETENSORS_HEADER_H

#include "runtime/io/safetensors.h"

namespace zp::rt {

struct SafetensorsHeader {
  std::map<std::string, SafetensorsInfo, std::less<>> tensors;
  std::map<std::string, std::string, std::less<>> metadata;
};

/// `dataBytes` is what the file holds after the header. Errors begin with `path`.
StatusOr<SafetensorsHeader> parseSafetensorsHeader(const std::string &path, std::string_view text, uint64_t dataBytes);

} // namespace zp::rt

#endif // ZP_RUNTIME_IO_SAFETENSORS_HEADER_H
