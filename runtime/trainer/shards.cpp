#include "runtime/trainer/shards.h"

#include <algorithm>
#include <cstdio>

#include <nlohmann/json.hpp>

namespace zp::rt {

static bool isNumber(std::string_view part) {
  return !part.empty() && std::all_of(part.begin(), part.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool naturallyLess(std::string_view a, std::string_view b) {
  while (true) {
    std::string_view x = a.substr(0, a.find('.')), y = b.substr(0, b.find('.'));
    if (x != y) {
      bool xNumber = isNumber(x), yNumber = isNumber(y);
      if (xNumber != yNumber)
        return xNumber;
      if (xNumber && x.size() != y.size())
        return x.size() < y.size();
      return x < y;
    }
    if (x.size() == a.size() || y.size() == b.size())
      return x.size() == a.size() && y.size() != b.size();
    a.remove_prefix(x.size() + 1);
    b.remove_prefix(y.size() + 1);
  }
}

std::vector<Shard> shardsOf(std::vector<SafetensorsEntry> entries, uint64_t maxBytes) {
  std::sort(entries.begin(), entries.end(), [](const auto &a, const auto &b) { return naturallyLess(a.name, b.name); });
  std::vector<Shard> shards;
  Shard open;
  uint64_t openBytes = 0;
  for (SafetensorsEntry &entry : entries) {
    uint64_t bytes = bytesOf(entry);
    if (bytes > maxBytes) { // numbered before the shard that is still open
      shards.push_back({"", {std::move(entry)}});
      continue;
    }
    if (openBytes + bytes > maxBytes && !open.entries.empty()) {
      shards.push_back(std::move(open));
      open = {};
      openBytes = 0;
    }
    openBytes += bytes;
    open.entries.push_back(std::move(entry));
  }
  if (!open.entries.empty() || shards.empty())
    shards.push_back(std::move(open));
  for (size_t i = 0; i < shards.size(); ++i) {
    char name[64] = "model.safetensors";
    if (shards.size() > 1)
      std::snprintf(name, sizeof name, "model-%05zu-of-%05zu.safetensors", i + 1, shards.size());
    shards[i].file = name;
  }
  return shards;
}

std::string shardIndex(const std::vector<Shard> &shards) {
  nlohmann::json index;
  uint64_t bytes = 0, parameters = 0;
  for (const Shard &shard : shards)
    for (const SafetensorsEntry &entry : shard.entries) {
      index["weight_map"][entry.name] = shard.file;
      bytes += bytesOf(entry);
      parameters += bytesOf(entry) * 8 / bitsOf(entry.dtype);
    }
  index["metadata"] = {{"total_parameters", parameters}, {"total_size", bytes}};
  return index.dump(2, ' ', true) + "\n";
}

} // namespace zp::rt
