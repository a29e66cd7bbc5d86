// How a whole model's tensors fall into files: the reference's order and greedy rule.
#ifndef ZP_RUNTIME_TRAINER_SHARDS_H
#define ZP_RUNTIME_TRAINER_SHARDS_H

#include <string>
#include <string_view>
#include <vector>

#include "runtime/io/safetensors_writer.h"

namespace zp::rt {

/// Orders names part by part between dots: whole numbers first and by value, then text.
bool naturallyLess(std::string_view a, std::string_view b);

struct Shard {
  std::string file;
  std::vector<SafetensorsEntry> entries;
};

/// One shard named model.safetensors, or several named model-00001-of-0000N.safetensors.
std::vector<Shard> shardsOf(std::vector<SafetensorsEntry> entries, uint64_t maxBytes);
/// model.safetensors.index.json for several shards.
std::string shardIndex(const std::vector<Shard> &shards);

} // namespace zp::rt

#endif // ZP_RUNTIME_TRAINER_SHARDS_H
