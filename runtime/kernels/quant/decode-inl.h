// From 4-bit codes to elements, per target: a table of a block's 16 values, already multiplied by its scale and rounded, and
// lookups in it.
//
// Bytes are looked up, 16 table entries at once: a table of T is sizeof(T) tables of bytes ("planes"), and the bytes found
// are interleaved to elements. So codes need not be widened, and the same code serves any vector length and both dtypes.
#if defined(ZP_RUNTIME_KERNELS_QUANT_DECODE_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef ZP_RUNTIME_KERNELS_QUANT_DECODE_INL_H
#undef ZP_RUNTIME_KERNELS_QUANT_DECODE_INL_H
#else
#define ZP_RUNTIME_KERNELS_QUANT_DECODE_INL_H
#endif

#include "runtime/kernels/quant/quant_matrix.h"
#include "runtime/kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace zp::rt::HWY_NAMESPACE {

/// A block's 16 values.
template <typename T> HWY_INLINE void fillTable(const float *values, float scale, T *table) {
  const F32 d;
  for (int64_t code = 0; code < kQuantCodes; code += kLanes)
    store(d, hn::Mul(load(d, values + code), hn::Set(d, scale)), table + code);
}

#if HWY_TARGET != HWY_SCALAR

/// Elements that one step decodes: as many as a vector has bytes, from half as many bytes.
inline constexpr int64_t kDecodeStep = HWY_MIN(32, HWY_MAX_BYTES);
using Bytes = hn::CappedTag<uint8_t, kDecodeStep>;
using VBytes = hn::Vec<Bytes>;
using Words = hn::Repartition<uint16_t, Bytes>;

/// Which byte of the codes each byte of a vector takes. Interleaving works within 16-byte parts: for its results to come out in
/// order, the two codes of byte e / 2 must lie where element e leaves for vector e / (step / S), S being an element's size.
template <typename T> struct SpreadPattern {
  alignas(64) uint8_t bytes[kDecodeStep];
  constexpr SpreadPattern() : bytes() {
    constexpr int64_t kSize = sizeof(T), kRun = 16 / kSize; // elements of a vector's part
    for (int64_t part = 0; part < kDecodeStep / 16; ++part)
      for (int64_t i = 0; i < 16; ++i)
        bytes[part * 16 + i] = static_cast<uint8_t>((i / kRun * (kDecodeStep / kSize) + part * kRun + i % kRun) / 2);
  }
};
template <typename T> inline constexpr SpreadPattern<T> kSpreadPattern{};

/// 16 bytes in each part of a vector.
template <typename V> HWY_INLINE VBytes inEachPart(V bytes) {
  if constexpr (kDecodeStep == 16)
    return bytes;
  else
    return hn::Combine(Bytes(), bytes, bytes);
}

/// A block's table as planes: byte j of every entry.
template <typename T> struct Planes;
template <> struct Planes<Bf16> {
  VBytes low, high;
  HWY_INLINE explicit Planes(const Bf16 *table) {
    const hn::FixedTag<uint8_t, 16> d;
    hn::Vec<decltype(d)> a, b;
    hn::LoadInterleaved2(d, reinterpret_cast<const uint8_t *>(table), a, b);
    low = inEachPart(a), high = inEachPart(b);
  }
  HWY_INLINE void lookUp(VBytes codes, Bf16 *out) const {
    const Bytes d;
    const VBytes a = hn::TableLookupBytes(low, codes), b = hn::TableLookupBytes(high, codes);
    auto *to = reinterpret_cast<uint8_t *>(out);
    hn::StoreU(hn::InterleaveLower(d, a, b), d, to);
    hn::StoreU(hn::InterleaveUpper(d, a, b), d, to + kDecodeStep);
  }
};
template <> struct Planes<float> {
  VBytes plane[4];
  HWY_INLINE explicit Planes(const float *table) {
    const hn::FixedTag<uint8_t, 16> d;
    hn::Vec<decltype(d)> a, b, c, e;
    hn::LoadInterleaved4(d, reinterpret_cast<const uint8_t *>(table), a, b, c, e);
    plane[0] = inEachPart(a), plane[1] = inEachPart(b), plane[2] = inEachPart(c), plane[3] = inEachPart(e);
  }
  HWY_INLINE void lookUp(VBytes codes, float *out) const {
    const Bytes d;
    const Words words;
    const VBytes a = hn::TableLookupBytes(plane[0], codes), b = hn::TableLookupBytes(plane[1], codes);
    const VBytes c = hn::TableLookupBytes(plane[2], codes), e = hn::TableLookupBytes(plane[3], codes);
    const auto lowerOf = [&](VBytes x, VBytes y) HWY_ATTR { return hn::BitCast(words, hn::InterleaveLower(d, x, y)); };
    const auto upperOf = [&](VBytes x, VBytes y) HWY_ATTR { return hn::BitCast(words, hn::InterleaveUpper(d, x, y)); };
    const auto low = lowerOf(a, b), high = lowerOf(c, e), lowUpper = upperOf(a, b), highUpper = upperOf(c, e);
    auto *to = reinterpret_cast<uint16_t *>(out);
    hn::StoreU(hn::InterleaveLower(words, low, high), words, to);
    hn::StoreU(hn::InterleaveUpper(words, low, high), words, to + kDecodeStep / 2);
    hn::StoreU(hn::InterleaveLower(words, lowUpper, highUpper), words, to + kDecodeStep);
    hn::StoreU(hn::InterleaveUpper(words, lowUpper, highUpper), words, to + 3 * kDecodeStep / 2);
  }
};

/// The kDecodeStep codes that begin at `bytes` (16 are read), a byte each, in the order that Planes<T> wants.
template <typename T> HWY_INLINE VBytes spreadCodes(const uint8_t *bytes) {
  const Bytes d;
  const Words words;
  const VBytes twice = hn::TableLookupBytes(hn::LoadDup128(d, bytes), hn::Load(d, kSpreadPattern<T>.bytes));
  const auto pair = hn::BitCast(words, twice); // the first element, in the high half of the byte, goes into the low byte
  return hn::BitCast(d, hn::Or(hn::And(hn::ShiftRight<4>(pair), hn::Set(words, uint16_t{0x000f})),
                               hn::And(pair, hn::Set(words, uint16_t{0x0f00}))));
}

/// out[0, count) from codes that begin at `bytes`. Up to 15 bytes behind the last code are read.
template <typename T> HWY_INLINE void decodePairs(const T *table, const uint8_t *bytes, int64_t count, T *out) {
  const Planes<T> planes(table);
  int64_t i = 0;
  for (; i + kDecodeStep <= count; i += kDecodeStep)
    planes.lookUp(spreadCodes<T>(bytes + i / 2), out + i);
  if (i < count) {
    HWY_ALIGN T last[kDecodeStep];
    planes.lookUp(spreadCodes<T>(bytes + i / 2), last);
    std::memcpy(out + i, last, static_cast<size_t>(count - i) * sizeof(T));
  }
}

#else

template <typename T> HWY_INLINE void decodePairs(const T *table, const uint8_t *bytes, int64_t count, T *out) {
  for (int64_t i = 0; i < count; ++i)
    out[i] = table[i % 2 == 0 ? bytes[i / 2] >> 4 : bytes[i / 2] & 15];
}

#endif

/// out[i] = element begin + i of the flattened matrix, rounded to T, for i < count. A run may begin and end anywhere.
template <typename T> HWY_NOINLINE void decodeRun(const QuantMatrix &matrix, int64_t begin, int64_t count, T *out) {
  const int shift = matrix.blockShift();
  const int64_t end = begin + count;
  while (begin < end) {
    const int64_t block = begin >> shift, blockBegin = block << shift, stop = HWY_MIN(end, blockBegin + (int64_t{1} << shift));
    HWY_ALIGN T table[kQuantCodes];
    fillTable(matrix.values, matrix.scaleOf(block), table);
    const uint8_t *bytes = matrix.codesOf(block) + (begin - blockBegin) / 2;
    if (begin % 2 != 0) { // a block begins at an even element: this can only be the run's first
      *out++ = table[*bytes++ & 15];
      ++begin;
    }
    decodePairs(table, bytes, stop - begin, out);
    out += stop - begin;
    begin = stop;
  }
}

} // namespace zp::rt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
