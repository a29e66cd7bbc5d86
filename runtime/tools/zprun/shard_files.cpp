#include "runtime/tools/zprun/shard_files.h"

#include "runtime/trainer/shards.h"

namespace zp::rt {

Status writeShards(const std::string &directory, std::vector<SafetensorsEntry> entries, uint64_t maxBytes, const TensorWrite &write) {
  const std::vector<Shard> shards = shardsOf(std::move(entries), maxBytes);
  const SafetensorsWriter::Metadata metadata = {{"format", "pt"}};
  for (const Shard &shard : shards) {
    ZP_ASSIGN_OR_RETURN(SafetensorsWriter writer, SafetensorsWriter::create(directory + "/" + shard.file, shard.entries, &metadata));
    for (const SafetensorsEntry &entry : shard.entries)
      ZP_RETURN_IF_ERROR(write(entry.name, writer));
    ZP_RETURN_IF_ERROR(writer.finish());
  }
  return shards.size() > 1 ? writeFileAtomically(directory + "/model.safetensors.index.json", shardIndex(shards)) : Status();
}

} // namespace zp::rt
