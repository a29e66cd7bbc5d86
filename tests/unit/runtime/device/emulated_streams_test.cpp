// Streams, events and graphs of the emulated device: they allow what a GPU allows, and no more.
#include "runtime/device/cuda/emulated/streams.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "runtime/kernels/cuda/language.h"

namespace zp::rt::cuda {
namespace {

#define EXPECT_OK(expression)                                                                                                                        \
  if (const Status status = (expression); !status.ok())                                                                                              \
  ADD_FAILURE() << status.toString()

class EmulatedStreams : public ::testing::TestWithParam<const char *> {
protected:
  void SetUp() override {
    emulated::useOrder(GetParam());
    for (Stream *stream : {&first, &second})
      *stream = *createStream();
    for (Event *event : {&forked, &joined})
      *event = *createEvent();
  }
  void TearDown() override {
    for (Event event : {forked, joined})
      destroyEvent(event);
    for (Stream stream : {second, first})
      destroyStream(stream);
    emulated::useOrder("1");
  }
  void say(Stream stream, const std::string &word) {
    emulated::ask(stream, [this, word] { said.push_back(word); });
  }
  /// A word of `second` between two of `first`.
  void fork() {
    say(first, "a");
    EXPECT_OK(record(forked, first));
    EXPECT_OK(wait(forked, second));
    say(second, "b");
    EXPECT_OK(record(joined, second));
    EXPECT_OK(wait(joined, first));
    say(first, "c");
  }

  Stream first, second;
  Event forked, joined;
  std::vector<std::string> said;
};

using Words = std::vector<std::string>;

TEST_P(EmulatedStreams, NothingIsDoneBeforeSomebodyWaits) {
  say(first, "a");
  EXPECT_TRUE(said.empty());
  EXPECT_OK(synchronize(first));
  EXPECT_EQ(said, Words{"a"});
}

TEST_P(EmulatedStreams, EventsOrderStreams) {
  fork();
  EXPECT_OK(synchronize(first));
  EXPECT_EQ(said, (Words{"a", "b", "c"}));
}

TEST_P(EmulatedStreams, WhatEventsLeaveOpenIsOfChoice) {
  for (int i = 0; i < 20; ++i) {
    say(first, "first");
    say(second, "second");
  }
  EXPECT_OK(synchronize(first));
  EXPECT_OK(synchronize(second));
  const bool inTurn = std::is_sorted(said.begin(), said.end()), inReverse = std::is_sorted(said.rbegin(), said.rend());
  const std::string order = GetParam();
  EXPECT_EQ(inTurn, order == "lowest");
  EXPECT_EQ(inReverse, order == "highest");
}

TEST_P(EmulatedStreams, AWaitIsForTheLastRecordBeforeIt) {
  EXPECT_OK(wait(forked, second)); // never recorded: nothing to wait for
  say(first, "a");
  EXPECT_OK(record(forked, first));
  EXPECT_OK(wait(forked, second));
  emulated::ask(first, [this] { said.push_back("later"); });
  EXPECT_OK(record(forked, first));
  say(second, "b");
  EXPECT_OK(synchronize(second));
  const auto a = std::find(said.begin(), said.end(), "a"), b = std::find(said.begin(), said.end(), "b");
  EXPECT_LT(a, b);
}

TEST_P(EmulatedStreams, WorkThatIsNotDoneHoldsUpItsStreamAlone) {
  bool peer = false;
  emulated::askUntil(second, [&] { return peer; });
  say(second, "after the peer");
  say(first, "meanwhile");
  EXPECT_OK(synchronize(first));
  EXPECT_EQ(said, Words{"meanwhile"});
  peer = true;
  EXPECT_OK(synchronize(second));
  EXPECT_EQ(said, (Words{"meanwhile", "after the peer"}));
}

TEST_P(EmulatedStreams, AGraphDoesItsWorkAgainAtEachReplay) {
  EXPECT_OK(beginCapture(first));
  fork();
  StatusOr<Graph> graph = endCapture(first);
  ASSERT_TRUE(graph.ok()) << graph.status().toString();
  EXPECT_OK(synchronize(first));
  EXPECT_TRUE(said.empty());
  say(first, "before");
  EXPECT_OK(replay(*graph, first));
  EXPECT_OK(replay(*graph, first));
  say(first, "after");
  EXPECT_OK(synchronize(first));
  EXPECT_EQ(said, (Words{"before", "a", "b", "c", "a", "b", "c", "after"}));
  destroyGraph(*graph);
}

TEST_P(EmulatedStreams, ACaptureEndsJoined) {
  EXPECT_OK(beginCapture(first));
  EXPECT_OK(record(forked, first));
  EXPECT_OK(wait(forked, second));
  say(second, "left behind");
  EXPECT_FALSE(endCapture(first).ok());
  fork(); // both are as they were before
  EXPECT_OK(synchronize(first));
  EXPECT_EQ(said, (Words{"a", "b", "c"}));
}

TEST_P(EmulatedStreams, ACaptureRefusesWhatAGpuRefuses) {
  EXPECT_OK(record(forked, second));
  EXPECT_OK(beginCapture(first));
  EXPECT_FALSE(wait(forked, first).ok()) << "of an event that lies outside";
  EXPECT_FALSE(synchronize(first).ok());
  EXPECT_FALSE(allocateDevice(8).ok());
  EXPECT_FALSE(beginCapture(second).ok());
  EXPECT_OK(record(joined, first));
  StatusOr<Graph> graph = endCapture(first);
  ASSERT_TRUE(graph.ok()) << graph.status().toString();
  EXPECT_FALSE(wait(joined, second).ok()) << "of an event that only the graph records";
  destroyGraph(*graph);
}

__global__ void nothing() {}

TEST_P(EmulatedStreams, LaunchesHaveLimits) {
  launch(first, 3, emulated::kMaxThreads, nothing);
  EXPECT_OK(launchError());
  launch(first, 3, emulated::kMaxThreads + 1, nothing);
  EXPECT_FALSE(launchError().ok());
  EXPECT_OK(launchError());
  launch(first, int64_t{1} << 31, 32, nothing);
  EXPECT_FALSE(launchError().ok());
}

INSTANTIATE_TEST_SUITE_P(Orders, EmulatedStreams, ::testing::Values("lowest", "highest", "1", "2"));

} // namespace
} // namespace zp::rt::cuda
