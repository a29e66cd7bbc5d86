// A model's tensors into the files that the reference would save them in.
#ifndef ZP_RUNTIME_TOOLS_ZPRUN_SHARD_FILES_H
#define ZP_RUNTIME_TOOLS_ZPRUN_SHARD_FILES_H

#include <functional>
#include <string>
#include <vector>

#include "runtime/io/safetensors_writer.h"

namespace zp::rt {

/// Writes all of a tensor.
using TensorWrite = std::function<Status(const std::string &name, SafetensorsWriter &writer)>;

/// model.safetensors, or shards of at most `maxBytes` and their index; one file is open at a time.
Status writeShards(const std::string &directory, std::vector<SafetensorsEntry> entries, uint64_t maxBytes, const TensorWrite &write);

} // namespace zp::rt

#endif // ZP_RUNTIME_TOOLS_ZPRUN_SHARD_FILES_H
