#include "runtime/plan/plan_file.h"

#include <cstring>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/unit/runtime/plan/plan_spec.h"

namespace zp::rt {
namespace {

using test::SamplePlan;

class PlanFileTest : public testing::Test {
protected:
  PlanFileTest() : directory(std::filesystem::temp_directory_path() / ("zp-plan-file-" + std::to_string(getpid()))) {
    std::filesystem::create_directory(directory);
  }
  ~PlanFileTest() override { std::filesystem::remove_all(directory); }
  std::string path(const char *name) const { return (directory / name).string(); }
  std::filesystem::path directory;
};

TEST_F(PlanFileTest, WhatIsWrittenIsLoaded) {
  SamplePlan spec;
  ASSERT_TRUE(writePlanFile(path("plan.fb"), spec.payload()).ok());
  auto plan = PlanFile::load(path("plan.fb"));
  ASSERT_TRUE(plan.ok()) << plan.status().toString();
  EXPECT_EQ(plan->path(), path("plan.fb"));
  EXPECT_EQ(plan->plan().entries()->size(), 3u);
  EXPECT_EQ(plan->plan().sections()->Get(0)->parameters()->Get(0)->name()->str(), "embed.weight");
  // Nothing else lies beside it.
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory), {}), 1);
}

TEST_F(PlanFileTest, AMovedPlanStaysValid) {
  auto loaded = SamplePlan().load();
  ASSERT_TRUE(loaded.ok());
  PlanFile moved = std::move(loaded).value();
  EXPECT_EQ(moved.plan().ranks(), 1u);
}

TEST_F(PlanFileTest, AMissingFileIsNamed) {
  auto plan = PlanFile::load(path("none.fb"));
  ASSERT_FALSE(plan.ok());
  EXPECT_EQ(plan.status().code(), ErrorCode::FileMissing);
  EXPECT_NE(plan.status().message().find("none.fb"), std::string::npos);
  EXPECT_EQ(PlanFile::load(directory.string()).status().code(), ErrorCode::FileMissing);
}

TEST_F(PlanFileTest, APlaceThatCannotBeWrittenIsDiskWrite) {
  Status status = writePlanFile(path("no/such/plan.fb"), SamplePlan().payload());
  EXPECT_EQ(status.code(), ErrorCode::DiskWrite);
}

TEST_F(PlanFileTest, EveryTruncationIsRefused) {
  std::vector<uint8_t> file = SamplePlan().file();
  for (size_t size = 0; size < file.size(); ++size) {
    Status status = PlanFile::fromBytes({file.data(), size}, "plan.fb").status();
    ASSERT_EQ(status.code(), ErrorCode::PlanFile) << size << " bytes";
    ASSERT_EQ(exitCodeOf(status.code()), 4);
  }
  file.push_back(0);
  EXPECT_EQ(PlanFile::fromBytes(file, "plan.fb").status().code(), ErrorCode::PlanFile);
}

TEST_F(PlanFileTest, EveryFlippedByteIsRefused) {
  std::vector<uint8_t> file = SamplePlan().file();
  for (size_t i = 0; i < file.size(); ++i) {
    for (uint8_t flip : {0x01, 0x80, 0xff}) {
      file[i] ^= flip;
      ASSERT_EQ(PlanFile::fromBytes(file, "plan.fb").status().code(), ErrorCode::PlanFile) << "byte " << i;
      file[i] ^= flip;
    }
  }
  EXPECT_TRUE(PlanFile::fromBytes(file, "plan.fb").ok());
}

TEST_F(PlanFileTest, TheChecksumIsXxh64OfThePayload) {
  // Of the empty input with seed 0, as the algorithm's specification gives it.
  std::vector<uint8_t> file = sealPlan({});
  uint64_t checksum;
  std::memcpy(&checksum, file.data() + 24, 8);
  EXPECT_EQ(checksum, 0xef46db3751d8e999u);
}

} // namespace
} // namespace zp::rt
