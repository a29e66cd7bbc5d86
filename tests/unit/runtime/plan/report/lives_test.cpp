#include "runtime/plan/report/lives.h"

#include <map>

#include "tests/unit/runtime/plan/report/built_plan.h"

namespace zp::rt {
namespace {

using namespace test;

std::map<std::string, std::pair<uint32_t, uint32_t>> livesByName(const fbs::Plan &plan, uint32_t entry) {
  std::map<std::string, std::pair<uint32_t, uint32_t>> lives;
  for (const Life &life : livesOf(plan, *plan.entries()->Get(entry)))
    lives[plan.buffers()->Get(life.buffer)->name()->str()] = {life.first, life.last};
  return lives;
}

using Lives = std::map<std::string, std::pair<uint32_t, uint32_t>>;

TEST(Lives, FirstToLastTouchOfTransientBuffers) {
  BuiltPlan built{SamplePlan(2)};
  // all_gather, record, wait, embedding, scale, accumulate, copy; inputs from the start, outputs to the end.
  EXPECT_EQ(livesByName(built.plan(), 1),
            (Lives{{"gathered", {0, 3}}, {"ids", {0, 3}}, {"scalars", {0, 0}}, {"embedded", {3, 6}}, {"late", {6, 6}}}));
  EXPECT_TRUE(livesByName(built.plan(), 0).empty());
}

/// Stream 1 sums `whole` while stream 0 works on; only instruction 7 awaits it.
struct AsynchronousSum : PlanSpec {
  uint32_t whole, part, other, sum;
  AsynchronousSum() {
    ranks = 2;
    streams = 2;
    events = 2;
    whole = addBuffered("whole", DType::F32, {8});
    part = addBuffered("part", DType::F32, {4});
    other = addBuffered("other", DType::F32, {4});
    sum = addBuffered("sum", DType::F32, {4}, true);
    EntrySpec entry;
    entry.kind = fbs::EntryKind::TrainStep;
    entry.instructions = {makeFill({whole}, 0, 1.0),           makeRecordEvent({}, 0, 0), makeWaitEvent({}, 1, 0),
                          makeReduceScatter({whole, part}, 1), makeRecordEvent({}, 1, 1), makeFill({other}, 0, 1.0),
                          makeScale({other, other}, 0, 2.0),   makeWaitEvent({}, 0, 1),   makeAdd({part, other, sum}, 0)};
    entries = {entry};
  }
};

TEST(Lives, WhatACollectiveTouchesLivesUntilItsEventIsAwaited) {
  BuiltPlan built{AsynchronousSum()};
  EXPECT_EQ(livesByName(built.plan(), 0), (Lives{{"whole", {0, 7}}, {"part", {3, 8}}, {"other", {5, 8}}}));
}

TEST(Lives, KnownOverIsTheWaitOfStream0) {
  BuiltPlan built{AsynchronousSum()};
  EXPECT_EQ(knownOver(*built.plan().entries()->Get(0)), (std::vector<uint32_t>{0, 1, 7, 7, 7, 5, 6, 7, 8}));
}

TEST(Lives, AnEventMayReachStream0ThroughAnotherStream) {
  AsynchronousSum spec;
  spec.streams = 3;
  spec.events = 3;
  // Stream 2 awaits stream 1; stream 0 awaits stream 2.
  auto &list = spec.entries[0].instructions;
  list[7] = makeWaitEvent({}, 2, 1);
  list.insert(list.begin() + 8, {makeRecordEvent({}, 2, 2), makeWaitEvent({}, 0, 2)});
  BuiltPlan built{spec};
  EXPECT_EQ(livesByName(built.plan(), 0).at("whole"), (std::pair<uint32_t, uint32_t>{0, 9}));
}

TEST(Lives, WithoutAnAwaitedEventTheEntrysEnd) {
  AsynchronousSum spec;
  // The wait stands last, on stream 1 itself: stream 0 never learns of it.
  auto &list = spec.entries[0].instructions;
  list = {list[0], list[1], list[2], list[3], list[4], list[5], makeWaitEvent({}, 1, 1), list[6]};
  BuiltPlan built{spec};
  EXPECT_EQ(livesByName(built.plan(), 0).at("whole"), (std::pair<uint32_t, uint32_t>{0, 7}));
}

} // namespace
} // namespace zp::rt
