#include "runtime/trainer/matmul_rate.h"

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "runtime/device/cpu/thread_pool.h"
#include "runtime/io/synthetic_weights.h"

#ifdef ZP_ONEDNN
#include <oneapi/dnnl/dnnl.hpp>
// Where the library's threads are OpenMP's, this sets their number; elsewhere the symbol is absent.
extern "C" void omp_set_num_threads(int) __attribute__((weak));
#endif

namespace zp::rt {

#ifdef ZP_ONEDNN

/// Numbers of either sign near 0.01, in f32 and bf16 alike: constants or denormals would flatter or slow the product.
static void fillWithNumbers(void *data, size_t bytes) {
  auto *halves = static_cast<uint16_t *>(data);
  for (size_t i = 0; i < bytes / 2; ++i)
    halves[i] = static_cast<uint16_t>(0x3c00 | (mixedBits(i) & 0x80ff));
}

static double rateOf(dnnl::memory::data_type type) {
  constexpr dnnl::memory::dim n = 2048;
  dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  dnnl::stream stream(engine);
  dnnl::memory::desc a({n, n}, type, dnnl::memory::format_tag::ab), out = a;
  // The library may choose the layout of the second factor, as it may for a weight that is used many times.
  dnnl::memory::desc any({n, n}, type, dnnl::memory::format_tag::any);
  dnnl::matmul::primitive_desc description(dnnl::matmul::desc(a, any, out), engine);
  dnnl::matmul multiply(description);
  dnnl::memory left(a, engine), right(description.weights_desc(), engine), product(out, engine);
  fillWithNumbers(left.get_data_handle(), a.get_size());
  fillWithNumbers(right.get_data_handle(), description.weights_desc().get_size());
  double best = 1e30;
  for (int i = 0; i < 12; ++i) {
    auto start = std::chrono::steady_clock::now();
    multiply.execute(stream, {{DNNL_ARG_SRC, left}, {DNNL_ARG_WEIGHTS, right}, {DNNL_ARG_DST, product}});
    stream.wait();
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return 2.0 * n * n * n / best;
}

MatmulRate bestMatmulRate(bool bf16, int threads, int ranksHere) {
  threads = threadsOfRank(threads, ranksHere);
  if (omp_set_num_threads)
    omp_set_num_threads(threads);
  MatmulRate rate;
  try {
    constexpr auto wanted = static_cast<unsigned>(dnnl::cpu_isa::avx512_core_bf16);
    if (bf16 && (static_cast<unsigned>(dnnl::get_effective_cpu_isa()) & wanted) == wanted) {
      rate.dtype = "bf16";
      rate.flopsPerSecond = rateOf(dnnl::memory::data_type::bf16);
    } else {
      rate.flopsPerSecond = rateOf(dnnl::memory::data_type::f32);
    }
  } catch (const dnnl::error &) {
    rate.flopsPerSecond = 0;
  }
  return rate;
}

#else

MatmulRate bestMatmulRate(bool, int, int) { return {}; }

#endif

} // namespace zp::rt
