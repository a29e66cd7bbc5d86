#include "runtime/base/trace_writer.h"

#include <limits>
#include <nlohmann/json.hpp>

#include "gtest/gtest.h"

namespace zp {
namespace {

using Json = nlohmann::json;

TEST(TraceWriter, ATimelineOfOneRank) {
  TraceWriter trace;
  uint32_t rank = trace.addProcess("rank 0"), compute = trace.addTrack(rank, "stream 0"), other = trace.addTrack(rank, "stream 1");
  trace.addSlice(compute, "matmul", 0.5, 0.000002, {{"at", std::string_view("train_step:7")}, {"flops", 60.0}});
  trace.addSlice(other, "all_gather", 1, 0.25);
  Json json = Json::parse(trace.json());
  std::map<int64_t, std::string> tracks;
  std::vector<Json> slices;
  for (const Json &event : json["traceEvents"])
    if (event["ph"] == "X")
      slices.push_back(event);
    else if (event["name"] == "thread_name")
      tracks[event["tid"]] = event["args"]["name"];
  ASSERT_EQ(slices.size(), 2u);
  EXPECT_EQ(slices[0]["name"], "matmul");
  EXPECT_EQ(tracks.at(slices[0]["tid"]), "stream 0");
  EXPECT_DOUBLE_EQ(slices[0]["ts"], 500000.0); // microseconds
  EXPECT_DOUBLE_EQ(slices[0]["dur"], 2.0);
  EXPECT_EQ(slices[0]["args"], (Json{{"at", "train_step:7"}, {"flops", 60.0}}));
  EXPECT_EQ(tracks.at(slices[1]["tid"]), "stream 1");
  EXPECT_EQ(slices[0]["pid"], slices[1]["pid"]);
  EXPECT_FALSE(slices[1].contains("args"));
}

TEST(TraceWriter, RanksAreProcesses) {
  TraceWriter trace;
  uint32_t first = trace.addTrack(trace.addProcess("rank 0"), "stream 0"), second = trace.addTrack(trace.addProcess("rank 1"), "stream 0");
  trace.addSlice(first, "a", 0, 1);
  trace.addSlice(second, "a", 0, 1);
  Json events = Json::parse(trace.json())["traceEvents"];
  EXPECT_NE(events[events.size() - 2]["pid"], events.back()["pid"]);
}

TEST(TraceWriter, WhateverNamesHoldItIsJson) {
  TraceWriter trace;
  uint32_t track = trace.addTrack(trace.addProcess("a \"rank\"\n"), "back\\slash");
  trace.addSlice(track, "\x01", std::numeric_limits<double>::infinity(), 1, {{"n", std::numeric_limits<double>::quiet_NaN()}});
  Json json = Json::parse(trace.json());
  EXPECT_EQ(json["traceEvents"][0]["args"]["name"], "a \"rank\"\n");
  EXPECT_EQ(json["traceEvents"].back()["name"], "\x01");
}

TEST(TraceWriter, NothingIsATraceToo) { EXPECT_TRUE(Json::parse(TraceWriter().json())["traceEvents"].empty()); }

} // namespace
} // namespace zp
