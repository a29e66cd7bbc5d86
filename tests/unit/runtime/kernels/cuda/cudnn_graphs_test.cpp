// cuDNN builds plans for a device that isn't here: told the device's properties, it chooses an engine, compiles its kernel and
// says what workspace it takes. So a machine without a GPU sees which cases it takes. What they compute takes a GPU:
// tests/gpu/run.sh.
//
// ctest puts a driver without a device (tests/support/fake_cuda_driver) and the toolkit's libraries where the loader looks.
#include <dlfcn.h>

#include "runtime/kernels/cuda/fused_graphs_cudnn.h"
#include "runtime/schema/workspaces.h"
#include "gtest/gtest.h"

namespace zp::rt::cuda {
namespace {

const CudnnDevice kH200{90, R"({"deviceName": "NVIDIA H200", "deviceVer": 900, "driverVer": 13000, "cudaDeviceId": 0, "pciDeviceId": 0,
  "multiProcessorCount": 132, "warpSize": 32, "maxThreadsPerBlock": 1024, "maxThreadsPerSM": 2048, "maxCtasPerSM": 32,
  "maxBlockSize": [1024, 1024, 64], "maxGridSize": [2147483647, 65535, 65535], "regsPerBlock": 65536, "maxRegistersPerSM": 65536,
  "maxSharedMemoryPerBlock": 49152, "maxSharedMemoryPerBlockOptin": 232448, "reservedSharedMemoryPerBlock": 1024,
  "totalGlobalMem": 150754820096, "l2CacheSize": 62914560, "smClockRateKHz": 1980000, "memClockRateKHz": 3201000,
  "isTccDriver": 0, "supportCoopLaunch": 1})"};
const CudnnDevice kA100{80, R"({"deviceName": "NVIDIA A100-SXM4-80GB", "deviceVer": 800, "driverVer": 13000, "cudaDeviceId": 0, "pciDeviceId": 0,
  "multiProcessorCount": 108, "warpSize": 32, "maxThreadsPerBlock": 1024, "maxThreadsPerSM": 2048, "maxCtasPerSM": 32,
  "maxBlockSize": [1024, 1024, 64], "maxGridSize": [2147483647, 65535, 65535], "regsPerBlock": 65536, "maxRegistersPerSM": 65536,
  "maxSharedMemoryPerBlock": 49152, "maxSharedMemoryPerBlockOptin": 166912, "reservedSharedMemoryPerBlock": 1024,
  "totalGlobalMem": 85899345920, "l2CacheSize": 41943040, "smClockRateKHz": 1410000, "memClockRateKHz": 1593000,
  "isTccDriver": 0, "supportCoopLaunch": 1})"};

/// All of an instruction: causal, rows of documents, heads of 128 that share keys by fours.
FusedCase packedRows(bool gradient) {
  FusedCase shape;
  shape.gradient = gradient;
  shape.rows = 2;
  shape.heads = 8;
  shape.kvHeads = 2;
  shape.length = 1024;
  shape.headDim = 128;
  shape.causal = true;
  shape.scale = 0.08838834764831845;
  return shape;
}

class CudnnGraphs : public ::testing::TestWithParam<const CudnnDevice *> {
protected:
  static void SetUpTestSuite() {
    for (const char *library : {"libcuda.so.1", "libcudnn.so.9"})
      if (!dlopen(library, RTLD_NOW))
        missing = std::string(library) + " isn't where the loader looks";
  }
  void SetUp() override {
    if (!missing.empty())
      GTEST_SKIP() << missing;
    StatusOr<std::unique_ptr<FusedGraphs>> created = createCudnnGraphs(*GetParam());
    if (!created.ok())
      GTEST_SKIP() << created.status().message();
    graphs = std::move(*created);
  }
  bool isHopper() const { return GetParam() == &kH200; }

  /// The case with the pitches of an instruction of its own, unless it has some; statistics as each direction has them.
  StatusOr<std::unique_ptr<FusedGraph>> build(FusedCase shape) {
    if (shape.queryPitch == 0) {
      shape.queryPitch = shape.heads * shape.headDim;
      shape.keyPitch = shape.kvHeads * shape.headDim;
    }
    shape.statisticsHeadPitch = shape.gradient ? shape.length : shape.rows * shape.length;
    shape.statisticsRowPitch = shape.gradient ? shape.heads * shape.length : shape.length;
    if (shape.biased)
      shape.biasPitch = shape.rows * shape.length;
    return graphs->build(shape);
  }
  /// Both directions; the A100's gradients are our own kernel's, whatever cuDNN says of them.
  void takes(FusedCase shape, const char *what) {
    for (bool gradient : {false, true}) {
      if (gradient && !isHopper())
        continue;
      shape.gradient = gradient;
      const auto graph = build(shape);
      ASSERT_TRUE(graph.ok()) << what << (gradient ? ", gradient: " : ": ") << graph.status().message();
      auto size = [](int64_t value) { return static_cast<uint64_t>(value); };
      const uint64_t most =
          gradient ? fusedGradientWorkspaceBytes(size(shape.rows), size(shape.heads), size(shape.kvHeads), size(shape.length), size(shape.headDim))
                   : uint64_t{4} << 20;
      EXPECT_LE((*graph)->workspaceBytes(), most) << what;
    }
  }

  std::unique_ptr<FusedGraphs> graphs;
  static inline std::string missing;
};

TEST_P(CudnnGraphs, TakePackedRowsOfGroupedHeads) { takes(packedRows(false), "packed rows"); }

TEST_P(CudnnGraphs, TakeHalfs) {
  FusedCase shape = packedRows(false);
  shape.dtype = DType::F16;
  takes(shape, "f16");
}

TEST_P(CudnnGraphs, TakeWindows) {
  FusedCase shape = packedRows(false);
  shape.window = 300;
  takes(shape, "a window");
}

TEST_P(CudnnGraphs, TakeEncoders) {
  FusedCase shape = packedRows(false);
  shape.causal = false;
  shape.kvHeads = shape.heads;
  shape.headDim = 64;
  takes(shape, "an encoder's rows");
}

TEST_P(CudnnGraphs, TakeBiasesByKey) {
  FusedCase shape = packedRows(false);
  shape.biased = true;
  takes(shape, "ALiBi");
}

TEST_P(CudnnGraphs, TakeHeadsOfAnyEight) {
  FusedCase shape = packedRows(false);
  shape.rows = 1;
  for (int64_t headDim : {8, 72, 96, 256}) {
    shape.headDim = headDim;
    takes(shape, ("heads of " + std::to_string(headDim)).c_str());
  }
}

TEST_P(CudnnGraphs, TakeRowsOfAnyLength) {
  FusedCase shape = packedRows(false);
  for (int64_t length : {2, 100, 777}) {
    shape.length = length;
    takes(shape, ("rows of " + std::to_string(length)).c_str());
  }
}

// A gradient's part: heads of one key head of one row, among all of an instruction's.
TEST_P(CudnnGraphs, TakePartsOfAnInstruction) {
  FusedCase shape = packedRows(false);
  shape.queryPitch = shape.heads * shape.headDim;
  shape.keyPitch = shape.kvHeads * shape.headDim;
  shape.rows = 1;
  shape.heads /= shape.kvHeads;
  shape.kvHeads = 1;
  takes(shape, "a part");
}

TEST_P(CudnnGraphs, SayWhatTheyDoNotTake) {
  FusedCase shape = packedRows(false);
  shape.headDim = 100;
  const auto graph = build(shape);
  ASSERT_FALSE(graph.ok());
  EXPECT_NE(graph.status().message().find("hidden_dim"), std::string::npos) << graph.status().message();
}

TEST_P(CudnnGraphs, AreNamedWithTheirVersion) { EXPECT_EQ(graphs->name().rfind("cuDNN 9.", 0), 0u) << graphs->name(); }

INSTANTIATE_TEST_SUITE_P(For, CudnnGraphs, ::testing::Values(&kH200, &kA100),
                         [](const auto &info) { return info.param == &kH200 ? "H200" : "A100"; });

TEST(CudnnDevices, PropertiesMustBeWhole) {
  if (!dlopen("libcudnn.so.9", RTLD_NOW))
    GTEST_SKIP() << dlerror();
  EXPECT_FALSE(createCudnnGraphs({90, R"({"deviceVer": 900})"}).ok());
}

} // namespace
} // namespace zp::rt::cuda
