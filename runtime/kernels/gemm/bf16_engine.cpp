#include "runtime/kernels/gemm/bf16_engine.h"

#include <algorithm>
#include <cmath>

#include "runtime/base/numeric.h"
#include "runtime/kernels/kernel_path.h"

#if defined(__x86_64__) && defined(__linux__) && defined(__GNUC__) && !defined(__clang__)
#define ZP_X86_BF16 1
#include <immintrin.h>

#include "runtime/kernels/gemm/amx_support.h"
#include "runtime/kernels/gemm/cpu_state.h"
#endif

namespace zp::rt {
namespace {

void nothing() {}

float low(uint32_t pair) { return bf16ToFloat(static_cast<uint16_t>(pair)); }
float high(uint32_t pair) { return bf16ToFloat(static_cast<uint16_t>(pair >> 16)); }

template <int64_t Rows, int64_t Columns>
void emulate(int64_t pairs, const uint32_t *a, int64_t aStride, const uint32_t *b, const float *previous, int64_t previousStride, float *out,
             int64_t outStride, const Meanwhile &meanwhile) {
  if (meanwhile.work)
    meanwhile.work(meanwhile.state, 0, meanwhile.parts);
  for (int64_t i = 0; i < Rows; ++i)
    for (int64_t j = 0; j < Columns; ++j) {
      float sum = previous ? previous[i * previousStride + j] : 0;
      for (int64_t p = 0; p < pairs; ++p) {
        uint32_t x = a[i * aStride + p], y = b[p * Columns + j];
        sum = std::fma(high(x), high(y), std::fma(low(x), low(y), sum));
      }
      out[i * outStride + j] = sum;
    }
}
using Run = decltype(Bf16Engine::run);

/// An engine of AVX512_BF16's shape. Its eight rows of A fill a third of L1 with 1024 of K; what it packs is 480 KiB of an L2 of 1 MiB.
constexpr Bf16Engine dotEngine(const char *name, int64_t rows, int64_t columns, Run run, const Bf16Engine *narrow = nullptr,
                               const Bf16Engine *forHeads = nullptr) {
  return {name, rows, columns, 4, 512, 640 * 192, 192, nothing, nothing, run, narrow, forHeads};
}
/// An engine of AMX's shape. Its 32 rows of A fill a third of L1 with 256 of K; every CPU that has it has an L2 of 2 MiB.
constexpr Bf16Engine tileEngine(const char *name, void (*begin)(), void (*end)(), Run run) {
  return {name, 32, 32, kPairStep, 128, kMaxPanelWords, kMaxPanelColumns, begin, end, run, nullptr, nullptr};
}

constexpr Bf16Engine kEmulatedNarrow = dotEngine("emulated avx512_bf16, narrow", 24, 16, emulate<24, 16>);
constexpr Bf16Engine kEmulatedHeads = dotEngine("emulated avx512_bf16, heads", 8, 32, emulate<8, 32>);
constexpr Bf16Engine kEmulatedAvx512 = dotEngine("emulated avx512_bf16", 8, 48, emulate<8, 48>, &kEmulatedNarrow, &kEmulatedHeads);
constexpr Bf16Engine kEmulatedAmx = tileEngine("emulated amx", nothing, nothing, emulate<32, 32>);

#ifdef ZP_X86_BF16

/// The lines that belong to the kPairStep pairs of a row from `pair` on. Always inline: GCC takes a function that only asks for memory for
/// one without effect, and drops calls of it.
[[gnu::always_inline]] inline void askFor(const Meanwhile &meanwhile, int64_t pair) {
  for (int64_t i = 0; i < meanwhile.count; ++i)
    __builtin_prefetch(static_cast<const char *>(meanwhile.rows) + i * meanwhile.stride + 4 * pair, 0, 3);
  if (meanwhile.lines)
    meanwhile.lines->ask();
  if (meanwhile.sums)
    __builtin_prefetch(static_cast<const char *>(meanwhile.sums) + 4 * pair, 1, 3);
}

//===--- AVX512_BF16 ------------------------------------------------------===//
#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16")

/// A register tile of Rows rows by Vectors vectors of columns.
template <int Rows, int Vectors>
void multiplyAvx512(int64_t pairs, const uint32_t *a, int64_t aStride, const uint32_t *b, const float *previous, int64_t previousStride, float *out,
                    int64_t outStride, const Meanwhile &meanwhile) {
  if (meanwhile.work) // the registers are about to be full
    meanwhile.work(meanwhile.state, 0, meanwhile.parts);
  __m512 sum[Rows][Vectors];
#pragma GCC unroll 24
  for (int i = 0; i < Rows; ++i)
#pragma GCC unroll 3
    for (int j = 0; j < Vectors; ++j)
      sum[i][j] = previous ? _mm512_loadu_ps(previous + i * previousStride + 16 * j) : _mm512_setzero_ps();
  for (int64_t first = 0; first < pairs; first += kPairStep) {
    askFor(meanwhile, first);
    for (int64_t p = first; p < pairs && p < first + kPairStep; ++p) {
      __m512i column[Vectors];
#pragma GCC unroll 3
      for (int j = 0; j < Vectors; ++j)
        column[j] = _mm512_loadu_si512(b + p * 16 * Vectors + 16 * j);
#pragma GCC unroll 24
      for (int i = 0; i < Rows; ++i) {
        const __m512i row = _mm512_set1_epi32(static_cast<int>(a[i * aStride + p]));
#pragma GCC unroll 3
        for (int j = 0; j < Vectors; ++j)
          sum[i][j] = _mm512_dpbf16_ps(sum[i][j], (__m512bh)row, (__m512bh)column[j]);
      }
    }
  }
#pragma GCC unroll 24
  for (int i = 0; i < Rows; ++i)
#pragma GCC unroll 3
    for (int j = 0; j < Vectors; ++j)
      _mm512_storeu_ps(out + i * outStride + 16 * j, sum[i][j]);
}
#pragma GCC pop_options
constexpr Bf16Engine kNarrowAvx512 = dotEngine("avx512_bf16, narrow", 24, 16, multiplyAvx512<24, 1>);
constexpr Bf16Engine kHeadsAvx512 = dotEngine("avx512_bf16, heads", 8, 32, multiplyAvx512<8, 2>);
constexpr Bf16Engine kPairsAvx512 = dotEngine("avx512_bf16", 8, 48, multiplyAvx512<8, 3>, &kNarrowAvx512, &kHeadsAvx512);

//===--- AMX --------------------------------------------------------------===//
#pragma GCC push_options
#pragma GCC target("amx-tile,amx-bf16")

/// Palette 1, eight tiles of 16 rows of 64 bytes.
struct alignas(64) TileConfig {
  uint8_t palette = 1, startRow = 0, reserved[14] = {};
  uint16_t rowBytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};
static_assert(sizeof(TileConfig) == 64);
constexpr TileConfig kTileConfig;

void beginAmx() { _tile_loadconfig(&kTileConfig); }
void endAmx() { _tile_release(); }

// Tiles 0-3 hold the 2×2 block of C, 4 and 5 two tiles of A, 6 and 7 two of B.
void multiplyAmx(int64_t pairs, const uint32_t *a, int64_t aStride, const uint32_t *b, const float *previous, int64_t previousStride, float *out,
                 int64_t outStride, const Meanwhile &meanwhile) {
  if (previous) {
    const int64_t stride = previousStride * 4;
    _tile_loadd(0, previous, stride);
    _tile_loadd(1, previous + 16, stride);
    _tile_loadd(2, previous + 16 * previousStride, stride);
    _tile_loadd(3, previous + 16 * previousStride + 16, stride);
  } else {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
  }
  const int64_t aBytes = aStride * 4, steps = pairs / kPairStep;
  const int64_t share = meanwhile.parts ? (meanwhile.parts + steps - 1) / steps : 0;
  int64_t worked = 0;
  for (int64_t p = 0; p < pairs; p += kPairStep) {
    askFor(meanwhile, p);
    _tile_loadd(4, a + p, aBytes);
    _tile_loadd(6, b + p * 32, 128);
    _tile_dpbf16ps(0, 4, 6);
    _tile_loadd(7, b + p * 32 + 16, 128);
    _tile_dpbf16ps(1, 4, 7);
    _tile_loadd(5, a + p + 16 * aStride, aBytes);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
    if (worked < meanwhile.parts) {
      const int64_t until = std::min(worked + share, meanwhile.parts);
      meanwhile.work(meanwhile.state, worked, until);
      worked = until;
    }
  }
  const int64_t stride = outStride * 4;
  _tile_stored(0, out, stride);
  _tile_stored(1, out + 16, stride);
  _tile_stored(2, out + 16 * outStride, stride);
  _tile_stored(3, out + 16 * outStride + 16, stride);
}
#pragma GCC pop_options
constexpr Bf16Engine kTilesAmx = tileEngine("amx_bf16", beginAmx, endAmx, multiplyAmx);

bool mayUseAvx512Bf16() {
  constexpr uint64_t kAvx512State = 0xe6;
  constexpr uint32_t kAvx512 = 1u << 16 | 1u << 17 | 1u << 30 | 1u << 31; // F, DQ, BW, VL
  constexpr uint32_t kAvx512Bf16 = 1u << 5;
  uint32_t a, b, c, d;
  return savedState(kAvx512State) && __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & kAvx512) == kAvx512 && __get_cpuid_count(7, 1, &a, &b, &c, &d) &&
         (a & kAvx512Bf16);
}

bool supports(Bf16EngineKind kind) { return kind == Bf16EngineKind::Amx ? mayUseAmx() : mayUseAvx512Bf16(); }
const Bf16Engine &engineOf(Bf16EngineKind kind) { return kind == Bf16EngineKind::Amx ? kTilesAmx : kPairsAvx512; }

#else
bool supports(Bf16EngineKind) { return false; }
const Bf16Engine &engineOf(Bf16EngineKind kind) { return emulatedBf16Engine(kind == Bf16EngineKind::Amx); }
#endif // ZP_X86_BF16

/// A small product with every element in play, against plain C++.
bool answersRightly(const Bf16Engine &engine) {
  constexpr int64_t kPairs = 2 * kPairStep;
  static uint32_t a[kMaxEngineRows * kPairs], b[kPairs * kMaxEngineColumns];
  static float got[kMaxEngineRows * kMaxEngineColumns], previous[kMaxEngineRows * kMaxEngineColumns];
  uint32_t seed = 1;
  auto next = [&seed] { // bf16 of about ±1
    seed = seed * 1664525u + 1013904223u;
    return uint32_t{floatToBf16(static_cast<float>(static_cast<int32_t>(seed)) * 0x1p-31f)};
  };
  for (uint32_t &pair : a)
    pair = next() | next() << 16;
  for (uint32_t &pair : b)
    pair = next() | next() << 16;
  for (float &value : previous)
    value = bf16ToFloat(static_cast<uint16_t>(next()));
  engine.begin();
  engine.multiply(kPairs, a, kPairs, b, previous, engine.columns, got, engine.columns);
  engine.end();
  for (int64_t i = 0; i < engine.rows; ++i)
    for (int64_t j = 0; j < engine.columns; ++j) {
      double sum = previous[i * engine.columns + j];
      for (int64_t p = 0; p < kPairs; ++p) {
        uint32_t x = a[i * kPairs + p], y = b[p * engine.columns + j];
        sum += double{low(x)} * low(y) + double{high(x)} * high(y);
      }
      if (!(std::abs(sum - got[i * engine.columns + j]) < 1e-4))
        return false;
    }
  return true;
}

} // namespace

const Bf16Engine *bf16Engine(Bf16EngineKind kind) {
  auto find = [](Bf16EngineKind wanted) -> const Bf16Engine * {
    if (!supports(wanted))
      return nullptr;
    const Bf16Engine &engine = engineOf(wanted);
    const bool right =
        answersRightly(engine) && (!engine.narrow || answersRightly(*engine.narrow)) && (!engine.forHeads || answersRightly(*engine.forHeads));
    return right ? &engine : nullptr;
  };
  static const Bf16Engine *const found[] = {find(Bf16EngineKind::Avx512), find(Bf16EngineKind::Amx)};
  return found[static_cast<int>(kind)];
}

const Bf16Engine *nativeBf16Engine() {
  switch (kernelPath()) {
  case KernelPath::Amx:
    return bf16Engine(Bf16EngineKind::Amx);
  case KernelPath::Avx512Bf16:
    return bf16Engine(Bf16EngineKind::Avx512);
  default:
    return nullptr;
  }
}

const Bf16Engine &emulatedBf16Engine(bool amxShape) { return amxShape ? kEmulatedAmx : kEmulatedAvx512; }

} // namespace zp::rt
