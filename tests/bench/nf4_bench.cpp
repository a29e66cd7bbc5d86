// Linears on 4-bit weights beside the same product of a plain weight: by our own matmul, and by oneDNN with a prepacked weight.
//
//   GLIBC_TUNABLES=glibc.malloc.hugetlb=1 kernels_bench --benchmark_filter='NF4/bf16/512x4096x4096'
//
// The variable makes all rivals' memory huge pages where the system has them, as a training run's is (runtime/memory/mapping.cpp).
// Names are NF4/dtype/tokens x outputs x inputs/direction, scales nested unless they end in /f32 scales. The rivals take turns, so
// that a busy machine slows all of them; the rates are those of each one's fastest turn, in CPU time of the one thread. `of_dense`,
// `of_onednn` and `dense_of_onednn` are ratios of speed; oneDNN's bf16 takes a CPU with AVX-512: where there is none, its f32 product
// is the measure, as for f32.
#include <time.h>

#include <benchmark/benchmark.h>

#include "tests/bench/bench.h"
#include "tests/conformance/quant_support.h"
#ifdef ZP_ONEDNN
#include <oneapi/dnnl/dnnl.hpp>
#endif

extern "C" void omp_set_num_threads(int) __attribute__((weak)); // oneDNN's threads

namespace zp::rt::test {
namespace {

struct Linear {
  int64_t tokens, outputs, inputs;
};
/// Linears of llama-2-7b, which are measured with both kinds of scales, and of llama-110m.
constexpr Linear kLarge[] = {{512, 4096, 4096}, {2048, 4096, 4096}, {512, 11008, 4096}, {2048, 11008, 4096}};
constexpr Linear kSmall[] = {{512, 768, 768}, {2048, 768, 768}, {512, 2048, 768}, {2048, 2048, 768}, {512, 768, 2048}, {2048, 768, 2048}};

double cpuSeconds() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

/// One of those that take turns.
struct Rival {
  std::function<void()> run;
  double best = INFINITY;
  void turn() {
    const double start = cpuSeconds();
    run();
    best = std::min(best, cpuSeconds() - start);
  }
};

#ifdef ZP_ONEDNN
/// target[M,N] = a[M,K]·op(weight), the weight reordered beforehand to whatever oneDNN likes best. Empty: not on this CPU.
std::function<void()> oneDnnMatmul(const TensorView &a, const TensorView &weight, const TensorView &target, bool transpose) {
  using namespace dnnl;
  const auto type = a.dtype == DType::BF16 ? memory::data_type::bf16 : memory::data_type::f32;
  const memory::dim m = a.dims[0], k = a.dims[1], n = target.dims[1];
  static engine cpu(engine::kind::cpu, 0);
  static stream order(cpu);
  try {
    const memory::desc aDesc({m, k}, type, memory::format_tag::ab), targetDesc({m, n}, type, memory::format_tag::ab);
    const memory::desc plain({k, n}, type, transpose ? memory::format_tag::ba : memory::format_tag::ab);
    const memory::desc any({k, n}, type, memory::format_tag::any);
    const matmul::primitive_desc chosen(matmul::desc(aDesc, any, targetDesc), cpu);
    memory source(plain, cpu, weight.data), packed(chosen.weights_desc(), cpu);
    reorder(source, packed).execute(order, source, packed);
    order.wait();
    return [product = matmul(chosen), packed, from = memory(aDesc, cpu, a.data), to = memory(targetDesc, cpu, target.data)] {
      product.execute(order, {{DNNL_ARG_SRC, from}, {DNNL_ARG_WEIGHTS, packed}, {DNNL_ARG_DST, to}});
      order.wait();
    };
  } catch (const error &) {
    return {};
  }
}
#endif

void nf4Linear(benchmark::State &state, const Linear &linear, DType f, bool forward, bool nested) {
  if (omp_set_num_threads)
    omp_set_num_threads(1);
  Maker maker;
  const QuantRecords format{QuantType::NF4, 64, nested};
  NF4MatmulArgs quantized;
  quantized.rows = linear.outputs, quantized.columns = linear.inputs;
  setWeight(quantized, makeQuantWeight(maker, format, linear.outputs, linear.inputs), format);
  quantized.a = maker.normal(f, {linear.tokens, forward ? linear.inputs : linear.outputs});
  quantized.target = maker.empty(f, {linear.tokens, forward ? linear.outputs : linear.inputs});
  quantized.transpose = forward;
  quantized.alpha = 1;

  NF4DequantizeArgs dequantize;
  setWeight(dequantize, {quantized.weight, {}, {}}, format);
  dequantize.target = maker.empty(f, {linear.outputs, linear.inputs});
  cpu::run(KernelContext{}, dequantize);
  MatmulArgs plain;
  plain.a = quantized.a, plain.b = dequantize.target, plain.target = quantized.target;
  plain.transposeB = forward;
  plain.alpha = 1;

  Rival nf4{[&] { cpu::run(KernelContext{}, quantized); }}, dense{[&] { cpu::run(KernelContext{}, plain); }}, oneDnn;
#ifdef ZP_ONEDNN
  oneDnn.run = oneDnnMatmul(plain.a, plain.b, plain.target, forward);
  if (!oneDnn.run) {
    auto widened = [&](const TensorView &from) {
      TensorView to = maker.empty(DType::F32, {from.dims[0], from.dims[1]});
      for (int64_t i = 0; i < from.elements(); ++i)
        storeElement(to, i, loadElement(from, i));
      return to;
    };
    oneDnn.run = oneDnnMatmul(widened(plain.a), widened(plain.b), widened(plain.target), forward);
  }
#endif
  for (auto _ : state)
    for (Rival *rival : {&nf4, &dense, &oneDnn})
      if (rival->run)
        rival->turn();
  const double flops = 2.0 * static_cast<double>(linear.tokens) * static_cast<double>(linear.outputs) * static_cast<double>(linear.inputs);
  state.counters["nf4"] = flops / nf4.best;
  state.counters["dense"] = flops / dense.best;
  state.counters["of_dense"] = dense.best / nf4.best;
  if (oneDnn.run) {
    state.counters["onednn"] = flops / oneDnn.best;
    state.counters["of_onednn"] = oneDnn.best / nf4.best;
    state.counters["dense_of_onednn"] = oneDnn.best / dense.best;
  }
}

/// Decoding alone, from and to the cache.
void nf4Dequantize(benchmark::State &state, DType f) {
  Maker maker;
  const QuantRecords format{QuantType::NF4, 64, true};
  NF4DequantizeArgs args;
  setWeight(args, makeQuantWeight(maker, format, 768, 768), format);
  args.target = maker.empty(f, {768, 768});
  for (auto _ : state)
    cpu::run(KernelContext{}, args);
  state.counters["elements"] = benchmark::Counter(768 * 768, benchmark::Counter::kIsIterationInvariantRate);
}

} // namespace

static void registerLinear(const Linear &linear, DType f, bool nested) {
  for (bool forward : {true, false}) {
    const std::string name = std::string("NF4/") + textOf(f) + "/" + std::to_string(linear.tokens) + "x" + std::to_string(linear.outputs) + "x" +
                             std::to_string(linear.inputs) + (forward ? "/forward" : "/input gradient") + (nested ? "" : "/f32 scales");
    const double giga = 2e-9 * static_cast<double>(linear.tokens) * static_cast<double>(linear.outputs) * static_cast<double>(linear.inputs);
    benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State &state) { nf4Linear(state, linear, f, forward, nested); })
        ->Iterations(std::max(5, static_cast<int>(200 / giga)))
        ->Unit(benchmark::kMillisecond);
  }
}

void registerNF4Benchmarks() {
  for (DType f : kComputeDTypes)
    benchmark::RegisterBenchmark((std::string("NF4Dequantize/") + textOf(f)).c_str(), [f](benchmark::State &state) { nf4Dequantize(state, f); });
  for (DType f : kComputeDTypes) {
    for (const Linear &linear : kLarge)
      for (bool nested : {true, false})
        registerLinear(linear, f, nested);
    for (const Linear &linear : kSmall)
      registerLinear(linear, f, true);
  }
}

} // namespace zp::rt::test
