// What a GPU gives at best, and what dequantising 4-bit weights gets of it: the yardsticks of tests/gpu/run.sh.
//
//   cuda_rates [--small]     prints JSON; --small: sizes for the emulated device
//
// Products are cuBLASLt's as plans call it, on random numbers: zeros take less power and flatter. Bytes are what is read and what is
// written. Weights and copies go round a ring that no cache holds. Times are events' around several launches, medians of rounds.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "runtime/kernels/cuda/dequantize.h"
#include "runtime/kernels/cuda/products.h"
#include "runtime/kernels/cuda/quant_tables.h"
#include "runtime/quant/block_codec.h"
#include "runtime/quant/nested_scales.h"

namespace zp::rt::cuda {
namespace {

constexpr int kRounds = 11;
constexpr double kSecondsOfRound = 0.02; // launches are repeated until a round takes about so long
constexpr QuantRecords kRecords{QuantType::NF4, 64, /*nested=*/true};

struct Sizes {
  int64_t product, rows, columns, panelRows;
  uint64_t ring; ///< bytes that no cache holds
};
// The widest linear of Llama-2-70B; a panel is half of the plan's workspace for them (runtime/schema/targets.inc).
constexpr Sizes kReal{8192, 8192, 28672, (32 << 20) / 2 / 28672, uint64_t{2} << 30}, kSmall{32, 64, 256, 16, 1 << 16};

struct Free {
  void operator()(void *memory) const { freeDevice(memory); }
};
using Memory = std::unique_ptr<void, Free>;

class Rates {
public:
  explicit Rates(const Sizes &sizes) : sizes(sizes) {}

  Status run() {
    ZP_ASSIGN_OR_RETURN(Properties properties, selectDevice(0));
    context.multiprocessors = properties.multiprocessors;
    ZP_ASSIGN_OR_RETURN(products, createProducts());
    ZP_ASSIGN_OR_RETURN(context.stream, createStream());
    ZP_ASSIGN_OR_RETURN(void *memory, allocateDevice(sizeof(QuantTables)));
    tables.reset(memory);
    ZP_RETURN_IF_ERROR(placeQuantTables(context, memory));
    ZP_ASSIGN_OR_RETURN(begin, createEvent(/*timed=*/true));
    ZP_ASSIGN_OR_RETURN(end, createEvent(/*timed=*/true));
    ZP_ASSIGN_OR_RETURN(double matmul, matmulRate());
    ZP_ASSIGN_OR_RETURN(double copied, copyRate());
    ZP_ASSIGN_OR_RETURN(double whole, dequantizeRate(sizes.rows));
    ZP_ASSIGN_OR_RETURN(double panels, dequantizeRate(sizes.panelRows));
    std::printf("{\"gpu\": \"%s\", \"matmul_flops_per_second\": %.6g, \"copy_bytes_per_second\": %.6g, \"dequantize_bytes_per_second\": %.6g, "
                "\"dequantize_in_panels_bytes_per_second\": %.6g}\n",
                properties.name.c_str(), matmul, copied, whole, panels);
    return {};
  }

private:
  /// Seconds of one launch.
  StatusOr<double> time(const std::function<Status()> &launch) {
    int launches = 1;
    std::vector<double> rounds;
    for (int round = -2; round < kRounds; ++round) { // the first chooses algorithms, the second how many launches
      ZP_RETURN_IF_ERROR(record(begin, context.stream));
      for (int i = 0; i < launches; ++i)
        ZP_RETURN_IF_ERROR(launch());
      ZP_RETURN_IF_ERROR(record(end, context.stream));
      ZP_RETURN_IF_ERROR(synchronize(context.stream));
      ZP_RETURN_IF_ERROR(launchError());
      ZP_ASSIGN_OR_RETURN(double seconds, secondsBetween(begin, end));
      if (round == -1)
        launches = static_cast<int>(std::clamp(kSecondsOfRound / std::max(seconds, 1e-6), 1.0, 2000.0));
      if (round >= 0)
        rounds.push_back(seconds / launches);
    }
    std::sort(rounds.begin(), rounds.end());
    return rounds[rounds.size() / 2];
  }

  uint64_t draw() { // splitmix64
    uint64_t z = seed += 0x9e3779b97f4a7c15ull;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return z ^ z >> 31;
  }

  StatusOr<Memory> onDevice(const void *host, uint64_t bytes, uint64_t times = 1) {
    ZP_ASSIGN_OR_RETURN(void *memory, allocateDevice(bytes * times));
    Memory owned(memory);
    for (uint64_t i = 0; i < times; ++i)
      ZP_RETURN_IF_ERROR(copyAsync(static_cast<uint8_t *>(memory) + i * bytes, host, bytes, context.stream));
    ZP_RETURN_IF_ERROR(synchronize(context.stream));
    return owned;
  }

  /// bf16 numbers of either sign near 0.01.
  StatusOr<Memory> randomMatrix() {
    std::vector<uint64_t> words(static_cast<size_t>(sizes.product * sizes.product / 4));
    for (uint64_t &word : words)
      word = 0x3c003c003c003c00ull | (draw() & 0x80ff80ff80ff80ffull);
    return onDevice(words.data(), words.size() * sizeof(uint64_t));
  }

  /// y = x·Wᵀ, as a linear's forward is.
  StatusOr<double> matmulRate() {
    ZP_ASSIGN_OR_RETURN(Memory a, randomMatrix());
    ZP_ASSIGN_OR_RETURN(Memory b, randomMatrix());
    ZP_ASSIGN_OR_RETURN(Memory target, randomMatrix());
    Product product;
    product.m = product.n = product.k = product.strideA = product.strideB = product.strideTarget = sizes.product;
    product.a = a.get(), product.b = b.get(), product.target = target.get();
    product.transposeB = true;
    product.dtype = product.targetDtype = DType::BF16;
    ZP_ASSIGN_OR_RETURN(double seconds, time([&] { return products->multiply(product, context.stream); }));
    return 2.0 * std::pow(static_cast<double>(sizes.product), 3) / seconds;
  }

  StatusOr<double> copyRate() {
    std::vector<uint64_t> words(static_cast<size_t>(sizes.ring / 64));
    for (uint64_t &word : words)
      word = draw();
    ZP_ASSIGN_OR_RETURN(Memory source, onDevice(words.data(), words.size() * sizeof(uint64_t), 8));
    ZP_ASSIGN_OR_RETURN(void *memory, allocateDevice(sizes.ring));
    Memory target(memory);
    ZP_ASSIGN_OR_RETURN(double seconds, time([&] { return copyAsync(target.get(), source.get(), sizes.ring, context.stream); }));
    return 2.0 * static_cast<double>(sizes.ring) / seconds;
  }

  /// A record of random weights.
  void drawRecord(uint8_t *record) {
    std::vector<float> plain(kRecords.elements()), scales(kRecords.kBlocks);
    for (float &value : plain)
      value = static_cast<float>(static_cast<int64_t>(draw()) >> 40) * 0x1p-28f;
    quantizeBlocks({kRecords.type, static_cast<uint32_t>(kRecords.blockSize)}, reinterpret_cast<const std::byte *>(plain.data()), DType::F32,
                   plain.size(), record, scales.data());
    const float offset = offsetOfScales(scales);
    float group = 0;
    quantizeScales(scales, offset, 0, {record + kRecords.codeBytes(), scales.size()});
    nestScales(scales, offset, 0, {&group, 1});
    std::memcpy(record + kRecords.groupScaleAt(), &group, sizeof group);
    std::memcpy(record + kRecords.offsetAt(), &offset, sizeof offset);
  }

  /// A weight's records: a few drawn ones in turn, since quantising all of them takes minutes.
  std::vector<uint8_t> randomWeight(uint64_t elements) {
    constexpr uint64_t kDrawn = 64;
    std::vector<uint8_t> weight(kRecords.bytesFor(elements));
    for (uint64_t r = 0; r < kRecords.countFor(elements); ++r)
      if (uint8_t *record = weight.data() + r * kRecords.bytes(); r < kDrawn)
        drawRecord(record);
      else
        std::memcpy(record, record - kDrawn * kRecords.bytes(), kRecords.bytes());
    return weight;
  }

  /// Of whole weights, `rows` at a time.
  StatusOr<double> dequantizeRate(int64_t rows) {
    const auto elements = static_cast<uint64_t>(sizes.rows * sizes.columns);
    const std::vector<uint8_t> weight = randomWeight(elements);
    const uint64_t weightBytes = weight.size(), weights = std::max<uint64_t>(2, sizes.ring / weightBytes);
    ZP_ASSIGN_OR_RETURN(Memory codes, onDevice(weight.data(), weightBytes, weights));
    ZP_ASSIGN_OR_RETURN(void *memory, allocateDevice(bytesOf(DType::BF16, static_cast<uint64_t>(rows * sizes.columns))));
    Memory target(memory);
    uint64_t turn = 0;
    auto launch = [&]() -> Status {
      const auto *from = static_cast<uint8_t *>(codes.get()) + turn++ % weights * weightBytes;
      for (int64_t row = 0; row < sizes.rows; row += rows)
        dequantize(context, from, kRecords, {row, std::min(rows, sizes.rows - row), 0, sizes.columns, sizes.columns}, target.get(), DType::BF16);
      return {};
    };
    ZP_ASSIGN_OR_RETURN(double seconds, time(launch));
    return static_cast<double>(weightBytes + bytesOf(DType::BF16, elements)) / seconds;
  }

  Sizes sizes;
  Context context;
  std::unique_ptr<Products> products;
  Memory tables; // the context's
  Event begin = nullptr, end = nullptr;
  uint64_t seed = 1;
};

} // namespace
} // namespace zp::rt::cuda

int main(int argc, char **argv) {
  const bool small = argc > 1 && std::strcmp(argv[1], "--small") == 0;
  zp::Status status = zp::rt::cuda::Rates(small ? zp::rt::cuda::kSmall : zp::rt::cuda::kReal).run();
  if (!status.ok())
    std::fprintf(stderr, "%s\n", status.toString().c_str());
  return status.ok() ? 0 : exitCodeOf(status.code());
}
