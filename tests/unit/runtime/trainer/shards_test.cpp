#include "runtime/trainer/shards.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace zp::rt {
namespace {

std::vector<std::string> names(const Shard &shard) {
  std::vector<std::string> out;
  for (const SafetensorsEntry &entry : shard.entries)
    out.push_back(entry.name);
  return out;
}

SafetensorsEntry bytes(const char *name, uint64_t n) { return {name, SafetensorsDtype::U8, {n}}; }

TEST(Shards, OrderNamesNaturally) {
  std::vector<std::string> order = {"model.embed", "model.layers.2.a", "model.layers.10.a", "model.layers.10.a.b", "model.layers.x", "model.norm"};
  for (size_t i = 0; i < order.size(); ++i)
    for (size_t j = 0; j < order.size(); ++j)
      EXPECT_EQ(naturallyLess(order[i], order[j]), i < j) << order[i] << ' ' << order[j];
}

TEST(Shards, OneFileWhenItFits) {
  auto shards = shardsOf({bytes("b", 4), bytes("a", 6)}, 10);
  ASSERT_EQ(shards.size(), 1u);
  EXPECT_EQ(shards[0].file, "model.safetensors");
}

TEST(Shards, FillGreedilyAndGiveGiantsTheirOwn) {
  auto shards = shardsOf({bytes("a", 6), bytes("b", 20), bytes("c", 4), bytes("d", 1)}, 10);
  ASSERT_EQ(shards.size(), 3u);
  EXPECT_EQ(names(shards[0]), (std::vector<std::string>{"b"}));
  EXPECT_EQ(names(shards[1]), (std::vector<std::string>{"a", "c"}));
  EXPECT_EQ(names(shards[2]), (std::vector<std::string>{"d"}));
  EXPECT_EQ(shards[2].file, "model-00003-of-00003.safetensors");
  EXPECT_EQ(shardIndex(shards), R"({
  "metadata": {
    "total_parameters": 31,
    "total_size": 31
  },
  "weight_map": {
    "a": "model-00002-of-00003.safetensors",
    "b": "model-00001-of-00003.safetensors",
    "c": "model-00002-of-00003.safetensors",
    "d": "model-00003-of-00003.safetensors"
  }
}
)");
}

} // namespace
} // namespace zp::rt
