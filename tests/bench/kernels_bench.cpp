// How fast the kernels are, beside what the core can do and what oneDNN makes of the same product.
//
//   kernels_bench --benchmark_min_time=0.5 [--benchmark_filter=Matmul] [--kernel_path=avx2]
//
// Everything runs on one thread and is timed in that thread's CPU time, so that a busy machine disturbs it little. `flops` is
// the rate; Peak the most that fused multiply-adds on this core reach, PeakBf16 that bf16 dot products do (AVX512_BF16): compare
// with them in one run. Shapes are those of samples/configs/llama-110m at 2 × 1024 tokens. Linears on 4-bit weights, and plain bf16
// products beside oneDNN's with prepacked weights, are nf4_bench.cpp's.
#include <algorithm>
#include <cstdio>
#include <cstring>

#include <benchmark/benchmark.h>

#include "hwy/highway.h"
#include "hwy/targets.h"
#include "runtime/kernels/gemm/bf16_engine.h"
#include "runtime/kernels/kernel_path.h"
#include "runtime/kernels/kernels.h"
#include "runtime/schema/workspaces.h"
#include "tests/bench/bench.h"
#include "tests/conformance/support.h"
#ifdef ZP_ONEDNN
#include <dnnl.h>
#endif

namespace zp::rt::test {
// The conformance suite's ledger, unused here.
std::set<std::string> &conformedOps() {
  static std::set<std::string> ops;
  return ops;
}
namespace {

constexpr int64_t kRows = 2, kLength = 1024, kTokens = kRows * kLength, kWidth = 768, kMlp = 2048, kHeads = 12, kHeadDim = 64, kVocabulary = 32000;

void rate(benchmark::State &state, double flops, double bytes = 0) {
  state.counters["flops"] = benchmark::Counter(flops, benchmark::Counter::kIsIterationInvariantRate);
  if (bytes > 0)
    state.counters["bytes"] = benchmark::Counter(bytes, benchmark::Counter::kIsIterationInvariantRate);
}

#if defined(__x86_64__)
/// Twelve independent chains of 8-lane fused multiply-adds: 192 flops a turn.
__attribute__((noinline)) void multiplyAdds(int64_t turns) {
  asm volatile("1:\n"
               "vfmadd231ps %%ymm14,%%ymm15,%%ymm0\nvfmadd231ps %%ymm14,%%ymm15,%%ymm1\nvfmadd231ps %%ymm14,%%ymm15,%%ymm2\n"
               "vfmadd231ps %%ymm14,%%ymm15,%%ymm3\nvfmadd231ps %%ymm14,%%ymm15,%%ymm4\nvfmadd231ps %%ymm14,%%ymm15,%%ymm5\n"
               "vfmadd231ps %%ymm14,%%ymm15,%%ymm6\nvfmadd231ps %%ymm14,%%ymm15,%%ymm7\nvfmadd231ps %%ymm14,%%ymm15,%%ymm8\n"
               "vfmadd231ps %%ymm14,%%ymm15,%%ymm9\nvfmadd231ps %%ymm14,%%ymm15,%%ymm10\nvfmadd231ps %%ymm14,%%ymm15,%%ymm11\n"
               "dec %0\njnz 1b\nvzeroupper\n"
               : "+r"(turns)::"xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm14", "xmm15",
                 "cc");
}
void Peak(benchmark::State &state) {
  if ((hwy::SupportedTargets() & HWY_AVX2) == 0) {
    state.SkipWithError("no AVX2 here");
    return;
  }
  constexpr int64_t kTurns = 1'000'000;
  for (auto _ : state)
    multiplyAdds(kTurns);
  rate(state, 192.0 * kTurns);
}
BENCHMARK(Peak);

/// Twenty-four independent chains of 16-lane dot products of bf16 pairs: 1536 flops a turn.
__attribute__((noinline)) void multiplyPairs(int64_t turns) {
#define ZP_DOT(n) "vdpbf16ps %%zmm31,%%zmm30,%%zmm" #n "\n"
  asm volatile("1:\n" ZP_DOT(0) ZP_DOT(1) ZP_DOT(2) ZP_DOT(3) ZP_DOT(4) ZP_DOT(5) ZP_DOT(6) ZP_DOT(7) ZP_DOT(8) ZP_DOT(9) ZP_DOT(10) ZP_DOT(11)
                   ZP_DOT(12) ZP_DOT(13) ZP_DOT(14) ZP_DOT(15) ZP_DOT(16) ZP_DOT(17) ZP_DOT(18) ZP_DOT(19) ZP_DOT(20) ZP_DOT(21) ZP_DOT(22)
                       ZP_DOT(23) "dec %0\njnz 1b\nvzeroupper\n"
               : "+r"(turns)::"xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13",
                 "xmm14", "xmm15", "cc");
#undef ZP_DOT
}
void PeakBf16(benchmark::State &state) {
  if (!bf16Engine(Bf16EngineKind::Avx512)) {
    state.SkipWithError("no AVX512_BF16 here");
    return;
  }
  constexpr int64_t kTurns = 1'000'000;
  for (auto _ : state)
    multiplyPairs(kTurns);
  rate(state, 1536.0 * kTurns);
}
BENCHMARK(PeakBf16);
#endif

/// The engine of the path in use on one block along K after another: A stays in L1, B's panels come from so many bytes.
void engineProducts(benchmark::State &state, int64_t bytes) {
  const Bf16Engine *engine = nativeBf16Engine();
  if (!engine) {
    state.SkipWithError("no engine for bf16 here");
    return;
  }
  const int64_t pairs = engine->blockPairs, words = pairs * engine->columns, panels = std::max<int64_t>(bytes / 4 / words, 1);
  Maker maker;
  TensorView a = maker.normal(DType::BF16, {engine->rows, 2 * pairs}), b = maker.normal(DType::BF16, {panels, 2 * words});
  TensorView sums = maker.empty(DType::F32, {engine->rows, engine->columns});
  engine->begin();
  for (auto _ : state)
    for (int64_t panel = 0; panel < panels; ++panel)
      engine->multiply(pairs, a.as<uint32_t>(), pairs, b.as<uint32_t>() + panel * words, nullptr, 0, sums.as<float>(), engine->columns);
  engine->end();
  rate(state, 4.0 * static_cast<double>(panels * words * engine->rows));
}
BENCHMARK_CAPTURE(engineProducts, from L1, 16 << 10);
BENCHMARK_CAPTURE(engineProducts, from L2, 512 << 10);

struct Product {
  const char *name;
  int64_t m, n, k;
  bool transposeA, transposeB, accumulate;
};
constexpr Product kProducts[] = {
    {"q_proj forward", kTokens, kWidth, kWidth, false, true, false},
    {"q_proj backward", kTokens, kWidth, kWidth, false, false, false},
    {"up_proj forward", kTokens, kMlp, kWidth, false, true, false},
    {"down_proj forward", kTokens, kWidth, kMlp, false, true, false},
    {"q_proj weight gradient", kWidth, kWidth, kTokens, true, false, true},
    {"lora x·At", kTokens, 8, kWidth, false, true, false},
    {"lora (x·At)·Bt", kTokens, kWidth, 8, false, true, true},
    {"lora gradient of A", 8, kWidth, kTokens, true, false, true},
    {"lora gradient of B", kWidth, 8, kTokens, true, false, true},
};

MatmulArgs productArgs(Maker &maker, const Product &product, DType f) {
  MatmulArgs args;
  args.a = product.transposeA ? maker.normal(f, {product.k, product.m}) : maker.normal(f, {product.m, product.k});
  args.b = product.transposeB ? maker.normal(f, {product.n, product.k}) : maker.normal(f, {product.k, product.n});
  args.target = maker.normal(f, {product.m, product.n});
  args.transposeA = product.transposeA;
  args.transposeB = product.transposeB;
  args.alpha = 1e-3; // so that accumulating does not run off
  args.accumulate = product.accumulate;
  return args;
}

void Matmul(benchmark::State &state, const Product &product, DType f) {
  Maker maker;
  MatmulArgs args = productArgs(maker, product, f);
  for (auto _ : state)
    cpu::run(KernelContext{}, args);
  rate(state, 2.0 * static_cast<double>(product.m) * static_cast<double>(product.n) * static_cast<double>(product.k));
}

#ifdef ZP_ONEDNN
void OneDnnSgemm(benchmark::State &state, const Product &product) {
  Maker maker;
  MatmulArgs args = productArgs(maker, product, DType::F32);
  for (auto _ : state)
    dnnl_sgemm(product.transposeA ? 'T' : 'N', product.transposeB ? 'T' : 'N', product.m, product.n, product.k, 1e-3f, args.a.as<float>(),
               args.a.dims[1], args.b.as<float>(), args.b.dims[1], product.accumulate ? 1.0f : 0.0f, args.target.as<float>(), args.target.dims[1]);
  rate(state, 2.0 * static_cast<double>(product.m) * static_cast<double>(product.n) * static_cast<double>(product.k));
}
#endif

/// Attention as a decoder's, an encoder's, and an encoder's with T5's bias.
enum class Sight { Causal, All, AllBiased };

/// Scores that the mask lets through: what a perfect skip would compute.
double visibleScores(Sight sight) {
  return static_cast<double>(kRows) * kHeads * kLength * (sight == Sight::Causal ? (kLength + 1) / 2.0 : static_cast<double>(kLength));
}

AttentionArgs attentionArgs(Maker &maker, DType f, Sight sight) {
  AttentionArgs args;
  args.query = maker.normal(f, {kTokens, kHeads * kHeadDim});
  args.key = maker.normal(f, {kTokens, kHeads * kHeadDim});
  args.value = maker.normal(f, {kTokens, kHeads * kHeadDim});
  args.segments = args.keySegments = maker.integers({kTokens}, 0, 0);
  if (sight == Sight::AllBiased)
    args.bias = maker.normal(DType::F32, {kHeads, 2 * kLength - 1});
  args.target = maker.empty(f, {kTokens, kHeads * kHeadDim});
  args.logSumExp = maker.empty(DType::F32, {kHeads, kTokens});
  args.heads = args.kvHeads = kHeads;
  args.length = args.keyLength = kLength;
  args.causal = sight == Sight::Causal;
  args.biasByDistance = sight == Sight::AllBiased;
  args.scale = 0.125;
  return args;
}
template <Sight kSight> void Attention(benchmark::State &state, DType f) {
  Maker maker;
  AttentionArgs args = attentionArgs(maker, f, kSight);
  for (auto _ : state)
    cpu::run(KernelContext{}, args);
  rate(state, visibleScores(kSight) * kHeadDim * 4);
}
template <Sight kSight> void AttentionGradient(benchmark::State &state, DType f) {
  Maker maker;
  AttentionArgs forward = attentionArgs(maker, f, kSight);
  cpu::run(KernelContext{}, forward);
  AttentionGradientArgs args;
  args.gradOut = maker.normal(f, {kTokens, kHeads * kHeadDim});
  args.query = forward.query, args.key = forward.key, args.value = forward.value, args.out = forward.target;
  args.logSumExp = forward.logSumExp, args.segments = args.keySegments = forward.segments, args.bias = forward.bias;
  args.workspace = maker.workspace(attentionGradientWorkspaceBytes(kHeads, kTokens, kHeadDim, f));
  args.gradQuery = maker.empty(f, {kTokens, kHeads * kHeadDim});
  args.gradKey = maker.empty(f, {kTokens, kHeads * kHeadDim});
  args.gradValue = maker.empty(f, {kTokens, kHeads * kHeadDim});
  args.heads = args.kvHeads = kHeads;
  args.length = args.keyLength = kLength;
  args.causal = forward.causal;
  args.biasByDistance = forward.biasByDistance;
  args.scale = 0.125;
  for (auto _ : state)
    cpu::run(KernelContext{}, args);
  rate(state, visibleScores(kSight) * kHeadDim * 10);
}

void LinearCrossEntropy(benchmark::State &state, DType f) {
  Maker maker;
  constexpr int64_t kHere = 512; // a quarter of the tokens: the rate is the same
  LinearCrossEntropyArgs args;
  args.hidden = maker.normal(f, {kHere, kWidth});
  args.weight = maker.normal(f, {kVocabulary, kWidth}, 0.05);
  args.labels = maker.integers({kHere}, 0, kVocabulary - 1);
  args.workspace = maker.workspace(linearCrossEntropyWorkspaceBytes(256, kHere, kVocabulary, kWidth, f));
  args.lossSum = maker.positive(DType::F64, {1});
  args.gradHidden = maker.empty(f, {kHere, kWidth});
  args.chunk = 256;
  args.length = kHere;
  for (auto _ : state)
    cpu::run(KernelContext{}, args);
  rate(state, 4.0 * kHere * kWidth * kVocabulary);
}

void RmsNorm(benchmark::State &state, DType f) {
  Maker maker;
  RmsNormArgs args;
  args.source = maker.normal(f, {kTokens, kWidth}), args.weight = maker.normal(f, {kWidth});
  args.target = maker.empty(f, {kTokens, kWidth}), args.rstd = maker.empty(DType::F32, {kTokens});
  args.epsilon = 1e-5;
  for (auto _ : state)
    cpu::run(KernelContext{}, args);
  rate(state, 0, static_cast<double>(args.source.bytes() + args.target.bytes()));
}
void RmsNormGradient(benchmark::State &state, DType f) {
  Maker maker;
  RmsNormGradientArgs args;
  args.gradOut = maker.normal(f, {kTokens, kWidth}), args.source = maker.normal(f, {kTokens, kWidth});
  args.weight = maker.normal(f, {kWidth}), args.rstd = maker.positive(DType::F32, {kTokens});
  args.residualGradient = args.gradSource = maker.normal(f, {kTokens, kWidth}, 1e-20);
  for (auto _ : state)
    cpu::run(KernelContext{}, args);
  rate(state, 0, 4.0 * static_cast<double>(args.source.bytes()));
}
void Rope(benchmark::State &state, DType f) {
  Maker maker;
  RopeArgs args;
  args.source = maker.normal(f, {kTokens, kWidth}), args.target = maker.empty(f, {kTokens, kWidth});
  args.cosine = maker.normal(f, {kTokens, kHeadDim / 2}), args.sine = maker.normal(f, {kTokens, kHeadDim / 2});
  args.headDim = kHeadDim;
  for (auto _ : state)
    cpu::run(KernelContext{}, args);
  rate(state, 0, 2.0 * static_cast<double>(args.source.bytes()));
}
void SiluMul(benchmark::State &state, DType f) {
  Maker maker;
  SiluMulArgs args;
  args.gate = maker.normal(f, {kTokens, kMlp}), args.up = maker.normal(f, {kTokens, kMlp}), args.target = maker.empty(f, {kTokens, kMlp});
  for (auto _ : state)
    cpu::run(KernelContext{}, args);
  rate(state, 0, 3.0 * static_cast<double>(args.gate.bytes()));
}
void SiluMulGradient(benchmark::State &state, DType f) {
  Maker maker;
  SiluMulGradientArgs args;
  args.gradOut = maker.normal(f, {kTokens, kMlp}), args.gate = maker.normal(f, {kTokens, kMlp}), args.up = maker.normal(f, {kTokens, kMlp});
  args.gradGate = maker.empty(f, {kTokens, kMlp}), args.gradUp = maker.empty(f, {kTokens, kMlp});
  for (auto _ : state)
    cpu::run(KernelContext{}, args);
  rate(state, 0, 5.0 * static_cast<double>(args.gate.bytes()));
}
void Dropout(benchmark::State &state, DType f) {
  Maker maker;
  DropoutArgs args;
  args.source = maker.normal(f, {kTokens, kWidth}), args.target = maker.empty(f, {kTokens, kWidth});
  args.scalars = maker.scalars(StepScalars{});
  args.probability = 0.1, args.length = kLength;
  for (auto _ : state)
    cpu::run(KernelContext{}, args);
  rate(state, 0, 2.0 * static_cast<double>(args.source.bytes()));
}
void Adamw(benchmark::State &state) {
  Maker maker;
  constexpr int64_t kCount = 1 << 20;
  AdamwArgs args;
  args.gradient = maker.normal(DType::F32, {kCount}), args.coefficient = maker.positive(DType::F32, {1});
  args.master = maker.normal(DType::F32, {kCount}), args.moment1 = maker.normal(DType::F32, {kCount}),
  args.moment2 = maker.positive(DType::F32, {kCount});
  args.computeCopy = maker.empty(DType::BF16, {kCount});
  StepScalars scalars{};
  scalars.learningRate = 1e-6f, scalars.biasCorrection1 = scalars.biasCorrection2 = 1;
  args.scalars = maker.scalars(scalars);
  args.beta1 = 0.9, args.beta2 = 0.999, args.epsilon = 1e-8, args.weightDecay = 0.01, args.decayEnd = kCount / 2;
  for (auto _ : state)
    cpu::run(KernelContext{}, args);
  rate(state, 0, 30.0 * kCount);
}

void registerAll() {
  for (const Product &product : kProducts) {
    for (DType f : kComputeDTypes)
      benchmark::RegisterBenchmark((std::string("Matmul/") + textOf(f) + "/" + product.name).c_str(),
                                   [&product, f](benchmark::State &state) { Matmul(state, product, f); });
#ifdef ZP_ONEDNN
    benchmark::RegisterBenchmark((std::string("Matmul/oneDNN f32/") + product.name).c_str(),
                                 [&product](benchmark::State &state) { OneDnnSgemm(state, product); });
#endif
  }
  const std::pair<const char *, void (*)(benchmark::State &, DType)> others[] = {{"Attention", Attention<Sight::Causal>},
                                                                                 {"AttentionAll", Attention<Sight::All>},
                                                                                 {"AttentionAllBiased", Attention<Sight::AllBiased>},
                                                                                 {"AttentionGradient", AttentionGradient<Sight::Causal>},
                                                                                 {"AttentionGradientAll", AttentionGradient<Sight::All>},
                                                                                 {"AttentionGradientAllBiased", AttentionGradient<Sight::AllBiased>},
                                                                                 {"LinearCrossEntropy", LinearCrossEntropy},
                                                                                 {"RmsNorm", RmsNorm},
                                                                                 {"RmsNormGradient", RmsNormGradient},
                                                                                 {"Rope", Rope},
                                                                                 {"SiluMul", SiluMul},
                                                                                 {"SiluMulGradient", SiluMulGradient},
                                                                                 {"Dropout", Dropout}};
  for (auto [name, function] : others)
    for (DType f : kComputeDTypes)
      benchmark::RegisterBenchmark((std::string(name) + "/" + textOf(f)).c_str(), [function, f](benchmark::State &state) { function(state, f); });
  benchmark::RegisterBenchmark("Adamw", Adamw);
}

} // namespace
} // namespace zp::rt::test

int main(int argc, char **argv) {
  constexpr char kPath[] = "--kernel_path=";
  if (argc > 1 && std::strncmp(argv[argc - 1], kPath, std::strlen(kPath)) == 0) {
    zp::Status status = zp::rt::useKernelPath(argv[--argc] + std::strlen(kPath));
    if (!status.ok())
      return std::fprintf(stderr, "%s\n", status.message().c_str()), 2;
  }
  std::printf("kernel path: %s\n", textOf(zp::rt::kernelPath()));
  zp::rt::test::registerAll();
  zp::rt::test::registerNF4Benchmarks();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv))
    return 1;
  benchmark::RunSpecifiedBenchmarks();
}
