// What is made of NCCL's answers and of its way to wait, with tests/support/fake_nccl in its place.
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <gtest/gtest.h>
#include <unistd.h>

#include "runtime/collective/device/device_collectives.h"
#include "runtime/collective/single/single_communicator.h"
#include "runtime/device/cuda/library.h"
#include "tests/unit/runtime/lone_rank.h"

namespace zp::rt {
namespace {

using Clock = std::chrono::steady_clock;
double secondsSince(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

class NcclCollectives : public ::testing::Test {
protected:
  static void SetUpTestSuite() { ::setenv("ZP_EMULATED_MEMORY", "1000000", 1); } // before the device is asked
  void SetUp() override {
    world = createSingleCommunicator();
    auto made = createNcclCollectives(*world, "a");
    ASSERT_TRUE(made.ok()) << made.status().toString();
    collectives = std::move(*made);
    stream = *cuda::createStream();
  }
  void TearDown() override {
    collectives.reset();
    cuda::destroyStream(stream);
  }
  cuda::Graph graphOfACollective() {
    EXPECT_TRUE(collectives->allReduce(data, 4, DType::F32, stream).ok()); // connects
    EXPECT_TRUE(cuda::synchronize(stream).ok());
    EXPECT_TRUE(cuda::beginCapture(stream).ok());
    EXPECT_TRUE(collectives->allReduce(data, 4, DType::F32, stream).ok());
    return *cuda::endCapture(stream);
  }

  float data[4] = {1, 2, 3, 4};
  std::unique_ptr<Communicator> world;
  std::unique_ptr<DeviceCollectives> collectives;
  cuda::Stream stream = nullptr;
};

TEST_F(NcclCollectives, OnlyFloatsAreSummed) {
  EXPECT_TRUE(collectives->allReduce(data, 4, DType::F32, stream).ok());
  EXPECT_TRUE(collectives->allReduce(data, 2, DType::F64, stream).ok());
  for (const DType dtype : {DType::BF16, DType::F16, DType::I32}) {
    EXPECT_FALSE(collectives->allReduce(data, 4, dtype, stream).ok());
    EXPECT_FALSE(collectives->reduceScatter(data, data, 4, dtype, stream).ok());
  }
}

TEST_F(NcclCollectives, AnAbortIsDoneWhereNoGraphKeepsACollective) {
  cuda::destroyGraph(graphOfACollective());
  const auto start = Clock::now();
  collectives->abort();
  EXPECT_LT(secondsSince(start), 1);
  EXPECT_TRUE(collectives->watch().ok()); // there is nothing left to ask
}

TEST_F(NcclCollectives, AnAbortThatHasNoEndIsLeft) {
  const cuda::Graph graph = graphOfACollective();
  const auto start = Clock::now();
  collectives->abort();
  EXPECT_GT(secondsSince(start), 1); // NCCL waits for the graph
  EXPECT_LT(secondsSince(start), 10);
  cuda::destroyGraph(graph);
}

TEST_F(NcclCollectives, RanksOfOneDeviceAreRefusedBeforeTheyMeet) {
  test::LoneRank three(0, 3);
  const Status status = createNcclCollectives(three, "one").status();
  EXPECT_EQ(status.code(), ErrorCode::Config);
  EXPECT_NE(status.message().find("ranks 0 and 1 have one GPU"), std::string::npos) << status.message();
}

TEST_F(NcclCollectives, ShortMemoryIsNoFaultOfTheNetwork) {
  ::setenv("ZP_FAKE_NCCL_LACKS", "init", 1);
  const Status status = createNcclCollectives(*world, "a").status();
  ::unsetenv("ZP_FAKE_NCCL_LACKS");
  EXPECT_EQ(status.code(), ErrorCode::DeviceMemory);
  EXPECT_NE(status.message().find("(Cuda failure 2 'out of memory')"), std::string::npos) << status.message();
}

TEST(Library, IsFoundBelowCudaHome) {
  const std::string home = std::filesystem::temp_directory_path() / ("zp-cuda-home-" + std::to_string(::getpid()));
  const char *name = "libzp_somewhere.so.7";
  std::filesystem::create_directories(home + "/lib64");
  std::filesystem::copy_file(ZP_FAKE_NCCL, home + "/lib64/" + name);
  std::string why;
  EXPECT_EQ(cuda::openLibrary(name, why), nullptr);
  EXPECT_NE(why.find(name), std::string::npos);
  ::setenv("CUDA_HOME", home.c_str(), 1);
  EXPECT_NE(cuda::openLibrary(name, why), nullptr) << why;
  ::unsetenv("CUDA_HOME");
  std::filesystem::remove_all(home);
}

} // namespace
} // namespace zp::rt
