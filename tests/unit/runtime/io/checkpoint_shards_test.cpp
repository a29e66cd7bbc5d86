// State written by any ranks, read by any others.
#include "runtime/io/checkpoint_shards.h"

#include <gtest/gtest.h>

#include "runtime/io/safetensors_writer.h"
#include "tests/unit/runtime/io/state_plan.h"
#include "tests/unit/runtime/io/temporary_directory.h"

namespace zp::rt {
namespace {

using test::StatePlan;

class Shards : public testing::Test {
protected:
  std::vector<std::string> write(uint32_t ranks, bool sharded) {
    std::vector<std::string> names;
    for (int rank = 0; rank < static_cast<int>(ranks); ++rank) {
      StatePlan state(ranks, sharded);
      state.fill(rank);
      auto pieces = piecesOf(state.plan(), rank, state.views(), true);
      EXPECT_TRUE(pieces.ok()) << pieces.status().toString();
      names.push_back(shardName(rank, static_cast<int>(ranks)));
      auto written = writeShard(directory.path, names.back(), layoutOf(*pieces));
      EXPECT_TRUE(written.ok()) << written.status().toString();
      auto described = describeFile(directory.path, names.back());
      EXPECT_EQ(written->bytes, described->bytes);
      EXPECT_EQ(written->checksum, described->checksum);
    }
    return names;
  }
  std::string tensors(const std::string &name, const std::vector<SafetensorsEntry> &entries) {
    auto writer = SafetensorsWriter::create(directory.file(name), entries, nullptr);
    for (const SafetensorsEntry &entry : entries) {
      std::vector<float> zeros(entry.shape[0]);
      EXPECT_TRUE(writer->write(entry.name, 0, zeros.data(), zeros.size() * 4).ok());
    }
    EXPECT_TRUE(writer->finish().ok());
    return name;
  }
  zp::test::TemporaryDirectory directory;
};

TEST_F(Shards, AnyCutReadsAnyOther) {
  const std::pair<uint32_t, bool> cuts[] = {{1, false}, {2, false}, {2, true}, {4, true}, {64, true}, {3, false}};
  for (auto [ranks, sharded] : cuts) {
    auto shards = StateShards::open(directory.path, write(ranks, sharded));
    ASSERT_TRUE(shards.ok()) << shards.status().toString();
    for (auto [readers, cut] : cuts)
      for (int rank = 0; rank < static_cast<int>(readers); ++rank) {
        StatePlan state(readers, cut);
        ASSERT_TRUE(shards->covers(state.plan()).ok());
        auto pieces = piecesOf(state.plan(), rank, state.views(), false);
        for (const StatePiece &piece : *pieces)
          ASSERT_TRUE(shards->read(piece.parameter, piece.kind, piece.first, piece.count, piece.data, piece.dtype).ok());
        state.forEach(rank, [&](const std::string &name, StateKind kind, uint64_t i, float place) {
          ASSERT_EQ(place, StatePlan::valueOf(name, kind, i))
              << name << " " << textOf(kind) << " " << i << " of " << ranks << " ranks, read by " << readers;
        });
      }
  }
}

TEST_F(Shards, MemoryTakesTheirPlace) {
  std::vector<std::string> names = write(2, true);
  StatePlan zero(2, true);
  zero.fill(0);
  const std::vector<StatePiece> pieces = piecesOf(zero.plan(), 0, zero.views(), true).value();
  auto shards = StateShards::open(directory.path, {names[1]});
  ASSERT_TRUE(shards.ok());
  ASSERT_TRUE(shards->add(pieces).ok());
  ASSERT_TRUE(shards->covers(StatePlan(1, false).plan()).ok());
  float last = 0;
  ASSERT_TRUE(shards->read("c", StateKind::Moment1, 2, 1, &last, DType::F32).ok());
  EXPECT_EQ(last, StatePlan::valueOf("c", StateKind::Moment1, 2));
  EXPECT_EQ(shards->add(pieces).code(), ErrorCode::Checkpoint) << "elements that are there already";
}

TEST_F(Shards, StateThatAllHoldIsWrittenOnce) {
  uint64_t elements = 0;
  for (int rank = 0; rank < 3; ++rank) {
    StatePlan state(3, false);
    const std::vector<StatePiece> pieces = piecesOf(state.plan(), rank, state.views(), true).value();
    for (const StatePiece &piece : pieces)
      elements += piece.count;
  }
  EXPECT_EQ(elements, 3u * (6 + 5 + 100 + 1 + 64));
}

TEST_F(Shards, AMissingElementIsNamed) {
  std::vector<std::string> names = write(4, true);
  names.erase(names.begin() + 1); // elements 64 to 127 of the first section: c from its fourth on
  auto shards = StateShards::open(directory.path, names);
  ASSERT_TRUE(shards.ok());
  Status status = shards->covers(StatePlan(1, false).plan());
  EXPECT_EQ(status.code(), ErrorCode::Checkpoint);
  EXPECT_NE(status.message().find("no element 4 of c (master)"), std::string::npos) << status.message();
  float value;
  EXPECT_FALSE(shards->read("nobody", StateKind::Master, 0, 1, &value, DType::F32).ok());
}

TEST_F(Shards, ElementsOfTwoShardsAreRefused) {
  tensors("x.safetensors", {{"a/master/0", SafetensorsDtype::F32, {4}}});
  tensors("y.safetensors", {{"a/master/3", SafetensorsDtype::F32, {3}}});
  tensors("z.safetensors", {{"a/master/4", SafetensorsDtype::F32, {2}}});
  EXPECT_TRUE(StateShards::open(directory.path, {"x.safetensors", "z.safetensors"}).ok());
  for (auto &names :
       {std::vector<std::string>{"x.safetensors", "y.safetensors"}, {"y.safetensors", "x.safetensors"}, {"z.safetensors", "y.safetensors"}}) {
    Status status = StateShards::open(directory.path, names).status();
    EXPECT_EQ(status.code(), ErrorCode::Checkpoint) << names[0];
    EXPECT_NE(status.message().find("another has too"), std::string::npos);
  }
}

TEST_F(Shards, OtherNamesAreRefused) {
  for (const char *name : {"a", "a/master", "master/0", "a/moment3/0", "a/master/x", "a/master/-1", "a/master/", "a//0", "/"}) {
    Status status = StateShards::open(directory.path, {tensors("x.safetensors", {{name, SafetensorsDtype::F32, {4}}})}).status();
    EXPECT_EQ(status.code(), ErrorCode::Checkpoint) << name;
  }
  EXPECT_EQ(StateShards::open(directory.path, {tensors("x.safetensors", {{"a/master/0", SafetensorsDtype::I32, {4}}})}).status().code(),
            ErrorCode::Checkpoint);
  EXPECT_EQ(StateShards::open(directory.path, {"none.safetensors"}).status().code(), ErrorCode::FileMissing);
}

} // namespace
} // namespace zp::rt
