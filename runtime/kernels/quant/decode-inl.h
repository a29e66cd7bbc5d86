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

#include <cmath>

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

/// A block's table as planes: byte j of every entry. This one is for elements of two bytes.
template <typename T> struct Planes {
  static_assert(sizeof(T) == 2);
  VBytes low, high;
  HWY_INLINE explicit Planes(const T *table) {
    const hn::FixedTag<uint8_t, 16> d;
    hn::Vec<decltype(d)> a, b;
    hn::LoadInterleaved2(d, reinterpret_cast<const uint8_t *>(table), a, b);
    low = inEachPart(a), high = inEachPart(b);
  }
  HWY_INLINE void lookUp(VBytes codes, T *out) const {
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
  return hn::BitCast(d, hn::Or(hn::And(hn::ShiftRight<4>(pair), hn::Set(words, uint16_t{0x000f})), hn::And(pair, hn::Set(words, uint16_t{0x0f00}))));
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

/// A block's values, and lookups in them. Any dtype: the table in memory.
template <typename T> class BlockTable {
public:
  HWY_INLINE BlockTable(const float *values, float scale) { fillTable(values, scale, table); }
  HWY_INLINE T at(int code) const { return table[code]; }
  /// out[0, count) from codes that begin at `bytes`. Up to 15 bytes behind the last code are read.
  HWY_INLINE void decode(const uint8_t *bytes, int64_t count, T *out) const { decodePairs(table, bytes, count, out); }

private:
  HWY_ALIGN T table[kQuantCodes];
};

#if HWY_TARGET <= HWY_AVX3
/// 32 elements of bf16.
inline constexpr int64_t kLookUpStep = 32;
inline constexpr hn::FixedTag<uint16_t, kLookUpStep> kHalves{};
using VHalves = hn::Vec<hn::FixedTag<uint16_t, kLookUpStep>>;

/// In which order the elements of 16 bytes of codes come out: 32-bit word d has both elements of byte bytes[4d], the first in its low half.
struct LookUpOrder {
  alignas(64) uint8_t bytes[2 * kLookUpStep];
  /// One after the other; or so that hn::InterleaveLower and Upper of two rows, which work within 16-byte parts, put 16 columns each in order.
  constexpr explicit LookUpOrder(bool interleaved) : bytes() {
    for (int d = 0; d < 16; ++d)
      for (int half = 0; half < 2; ++half) {
        const int byte = interleaved ? d % 4 / 2 * 8 + d / 4 * 2 + d % 2 : d;
        bytes[4 * d + 2 * half] = static_cast<uint8_t>(byte);
        bytes[4 * d + 2 * half + 1] = 0x80; // nothing
      }
  }
};
inline constexpr LookUpOrder kInOrder{false}, kForInterleaving{true};

/// bf16 by whole elements: a register has the table twice, so that one lookup of words gives 32 of them.
template <> class BlockTable<Bf16> {
public:
  BlockTable() = default;
  HWY_INLINE BlockTable(const float *values, float scale) {
    const hn::FixedTag<float, 16> d;
    const hn::FixedTag<uint32_t, 16> words;
    const auto products = hn::Mul(hn::LoadU(d, values), hn::Set(d, scale));
    const auto bits = std::isfinite(scale) ? roundedBits(hn::BitCast(words, products)) : bf16Bits(d, products);
    // Highway looks up no words of 16 bits: its wrapper around the register is opened for that one instruction.
    table.raw = _mm512_permutexvar_epi16(hn::Load(kHalves, kUpperHalves).raw, bits.raw);
  }
  HWY_INLINE Bf16 at(int code) const {
    HWY_ALIGN Bf16 entries[kLookUpStep];
    hn::Store(table, kHalves, entries);
    return entries[code];
  }
  /// The elements of 16 bytes of codes.
  HWY_INLINE VHalves lookUp(const uint8_t *bytes, const LookUpOrder &order = kInOrder) const {
    const hn::FixedTag<uint8_t, 2 * kLookUpStep> d;
    const auto twice = hn::BitCast(kHalves, hn::TableLookupBytesOr0(hn::LoadDup128(d, bytes), hn::Load(d, order.bytes)));
    // The first element is in the high half of its byte. The lookup minds an index' low five bits, and the table repeats after four:
    // what is above a code does no harm.
    const auto codes = hn::Shr(twice, hn::BitCast(kHalves, hn::Set(hn::FixedTag<uint32_t, 16>(), 4u)));
    return VHalves{_mm512_permutexvar_epi16(codes.raw, table.raw)};
  }
  HWY_INLINE void decode(const uint8_t *bytes, int64_t count, Bf16 *out) const {
    int64_t i = 0;
    for (; i + kLookUpStep <= count; i += kLookUpStep)
      hn::StoreU(lookUp(bytes + i / 2), kHalves, out + i);
    if (i < count) {
      HWY_ALIGN Bf16 last[kLookUpStep];
      hn::Store(lookUp(bytes + i / 2), kHalves, last);
      std::memcpy(out + i, last, static_cast<size_t>(count - i) * sizeof(Bf16));
    }
  }

private:
  using VWords = hn::Vec<hn::FixedTag<uint32_t, 16>>;
  /// The upper half of each word, twice.
  alignas(64) static constexpr uint16_t kUpperHalves[kLookUpStep] = {1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31,
                                                                     1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31};
  /// bf16Bits where no NaN can be.
  static HWY_INLINE VWords roundedBits(VWords bits) {
    const hn::FixedTag<uint32_t, 16> d;
    const auto odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(d, 1u));
    return hn::Add(bits, hn::Add(odd, hn::Set(d, 0x7fffu)));
  }
  VHalves table;
};

/// A run of elements of the flattened matrix from a multiple of 32 on, as bf16, 32 at a time.
class LookUpRun {
public:
  HWY_INLINE LookUpRun(const QuantMatrix &matrix, int64_t begin) : blocks(matrix, begin >> matrix.blockShift()), values(matrix.values) {
    const int64_t block = int64_t{1} << matrix.blockShift(), from = begin & (block - 1);
    wholeBlock = block / kLookUpStep;
    left = wholeBlock - from / kLookUpStep;
    bytes = blocks.codes() + from / 2;
    table = BlockTable<Bf16>(values, blocks.scale());
  }
  /// The next 32: not behind the matrix' last element.
  HWY_INLINE VHalves next(const LookUpOrder &order) {
    if (left == 0) {
      blocks.next();
      left = wholeBlock;
      bytes = blocks.codes();
      table = BlockTable<Bf16>(values, blocks.scale());
    }
    const VHalves elements = table.lookUp(bytes, order);
    bytes += kLookUpStep / 2;
    --left;
    return elements;
  }

private:
  QuantMatrix::Blocks blocks;
  const float *values;
  const uint8_t *bytes;
  int64_t left, wholeBlock; // in steps of 32
  BlockTable<Bf16> table;
};
#endif

/// out[i] = element begin + i of the flattened matrix, rounded to T, for i < count. A run may begin and end anywhere.
template <typename T> HWY_NOINLINE void decodeRun(const QuantMatrix &whole, int64_t begin, int64_t count, T *out) {
  const QuantMatrix matrix = whole; // a copy that no store can change: what follows from it is computed once
  const int shift = matrix.blockShift();
  const int64_t end = begin + count;
  QuantMatrix::Blocks blocks(matrix, begin >> shift);
  for (;;) {
    const int64_t blockBegin = begin >> shift << shift, stop = HWY_MIN(end, blockBegin + (int64_t{1} << shift));
    const BlockTable<T> table(matrix.values, blocks.scale());
    const uint8_t *bytes = blocks.codes() + (begin - blockBegin) / 2;
    if (begin % 2 != 0) { // a block begins at an even element: this can only be the run's first
      *out++ = table.at(*bytes++ & 15);
      ++begin;
    }
    table.decode(bytes, stop - begin, out);
    out += stop - begin;
    begin = stop;
    if (begin == end)
      return;
    blocks.next(); // not behind the last: there may be no record
  }
}

} // namespace zp::rt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
