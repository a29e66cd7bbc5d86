// How fast weights are made ready for a plan: conversions of checkpoints, bench's drawn values, codes of 4 bits. `elements` is the
// rate of one thread, over 2 MiB at a time, which stay in a cache.
#include <vector>

#include <benchmark/benchmark.h>

#include "runtime/io/convert_elements.h"
#include "runtime/io/synthetic_weights.h"
#include "runtime/quant/quantize_weights.h"

namespace zp::rt::test {
namespace {

constexpr uint64_t kElements = 1 << 19;

void rate(benchmark::State &state) { state.counters["elements"] = benchmark::Counter(kElements, benchmark::Counter::kIsIterationInvariantRate); }

std::vector<std::byte> weights(DType dtype) {
  std::vector<std::byte> values(bytesOf(dtype, kElements));
  syntheticWeights("w", 2, 1, 0, kElements, values.data(), dtype);
  return values;
}

void Convert(benchmark::State &state, DType from, DType to) {
  const std::vector<std::byte> source = weights(from);
  std::vector<std::byte> target(bytesOf(to, kElements));
  for (auto _ : state)
    convertElements(source.data(), from, target.data(), to, kElements);
  rate(state);
}
BENCHMARK_CAPTURE(Convert, f16_to_bf16, DType::F16, DType::BF16);
BENCHMARK_CAPTURE(Convert, f16_to_f32, DType::F16, DType::F32);
BENCHMARK_CAPTURE(Convert, bf16_to_f16, DType::BF16, DType::F16);
BENCHMARK_CAPTURE(Convert, bf16_to_f32, DType::BF16, DType::F32);
BENCHMARK_CAPTURE(Convert, f32_to_f16, DType::F32, DType::F16);
BENCHMARK_CAPTURE(Convert, f32_to_bf16, DType::F32, DType::BF16);

void Draw(benchmark::State &state, DType dtype) {
  std::vector<std::byte> target(bytesOf(dtype, kElements));
  for (auto _ : state)
    syntheticWeights("w", 2, 1, 0, kElements, target.data(), dtype);
  rate(state);
}
BENCHMARK_CAPTURE(Draw, bf16, DType::BF16);
BENCHMARK_CAPTURE(Draw, f32, DType::F32);

void Quantize(benchmark::State &state, DType dtype) {
  const std::vector<std::byte> source = weights(dtype);
  const BlockFormat format{QuantType::NF4, 64};
  std::vector<uint8_t> codes(packedBytesOf(kElements));
  std::vector<float> scales(blocksOf(kElements, format.blockSize));
  for (auto _ : state)
    if (!quantizeWeights(format, {"", "w", source.data(), dtype, 0, kElements, kElements}, codes.data(), scales.data()).ok())
      state.SkipWithError("refused");
  rate(state);
}
BENCHMARK_CAPTURE(Quantize, bf16, DType::BF16);
BENCHMARK_CAPTURE(Quantize, f32, DType::F32);

} // namespace
} // namespace zp::rt::test
