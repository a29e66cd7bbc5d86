// Records of 4-bit codes (runtime/schema/quant_records.h) as kernels on a device read them: a pack of elements at a time, the same bits as
// runtime/kernels/quant gives.
#ifndef ZP_RUNTIME_KERNELS_CUDA_RECORDS_H
#define ZP_RUNTIME_KERNELS_CUDA_RECORDS_H

#include "runtime/kernels/cuda/element.h"
#include "runtime/kernels/cuda/quant_tables.h"

namespace zp::rt::cuda {

/// What codes and nested scales stand for. It travels with a launch.
struct RecordTables {
  float values[16], scales[256];
};

struct Records {
  const uint8_t *first;
  int64_t bytes, codeBytes; ///< of one
  int blockShift;           ///< a block has 2 to the power of it elements
  bool nested;
};

inline RecordTables tablesOf(const QuantRecords &format) {
  RecordTables tables;
  std::copy_n(quantTables().values[static_cast<int>(format.type)], kQuantCodes, tables.values);
  std::copy_n(quantTables().scales, 256, tables.scales);
  return tables;
}

inline Records recordsAt(const void *data, const QuantRecords &format) {
  int shift = 0;
  while (uint64_t{1} << shift < format.blockSize)
    ++shift;
  return {static_cast<const uint8_t *>(data), static_cast<int64_t>(format.bytes()), static_cast<int64_t>(format.codeBytes()), shift, format.nested};
}

/// What codes stand for, in a block's shared memory: 16 banks, so that no two lanes are in each other's way. It lies so that an address within
/// it is its own with another last byte.
struct alignas(256) CodeValues {
  float at[16];

  /// That of the code whose fourfold is a byte of `fourfolds`.
  ZP_DEVICE float of(uint32_t fourfolds, int byte) const {
#ifdef __CUDACC__
    float value; // not before a barrier that it stands after
    asm volatile("ld.shared.f32 %0, [%1];"
                 : "=f"(value)
                 : "r"(__byte_perm(fourfolds, static_cast<uint32_t>(__cvta_generic_to_shared(this)), 0x7650 + byte))
                 : "memory");
    return value;
#else
    return at[(fourfolds >> (8 * byte) & 255) / 4];
#endif
  }
};

/// The block's shared memory gets the tables; every thread of it calls this.
ZP_DEVICE void shareTables(const RecordTables &tables, CodeValues &values, float (&scales)[256]) {
  if (threadIdx.x < 16)
    values.at[threadIdx.x] = tables.values[threadIdx.x];
  for (unsigned i = threadIdx.x; i < 256; i += blockDim.x)
    scales[i] = tables.scales[i];
  __syncthreads();
}

/// A product and a sum that the compiler must not contract: the codec rounds after each.
ZP_DEVICE float multiplied(float a, float b) {
#ifdef __CUDACC__
  return __fmul_rn(a, b);
#else
  return a * b;
#endif
}
ZP_DEVICE float added(float a, float b) {
#ifdef __CUDACC__
  return __fadd_rn(a, b);
#else
  return a + b;
#endif
}

/// out = the elements of a pack's eight codes.
ZP_DEVICE void decodeWord(uint32_t word, const CodeValues &values, float scale, float (&out)[kPack]) {
  const uint32_t first = word >> 2 & 0x3c3c3c3cu, second = word << 2 & 0x3c3c3c3cu; // the first of two codes is in the high half of their byte
  for (int e = 0; e < kPack; ++e)
    out[e] = multiplied(values.of(e % 2 == 0 ? first : second, e / 2), scale);
}

/// A block's codes and its scale.
struct CodedBlock {
  const uint8_t *codes;
  float scale;
};
ZP_DEVICE CodedBlock blockAt(const Records &records, const float (&scales)[256], int64_t block) {
  const uint8_t *record = records.first + block / 256 * records.bytes, *scaleCodes = record + records.codeBytes;
  const int64_t index = block % 256;
  const uint8_t *codes = record + (index << records.blockShift) / 2;
  if (!records.nested)
    return {codes, reinterpret_cast<const float *>(scaleCodes)[index]};
  const auto *group = reinterpret_cast<const float *>(scaleCodes + 256); // the group's scale, the tensor's offset
  return {codes, added(multiplied(scales[scaleCodes[index]], group[0]), group[1])};
}

/// out[0, count) = elements [begin, begin + count) of the tensor, in f32; the rest is zero. Whole packs that begin at a multiple of a
/// pack lie in one block, and their codes in one word.
ZP_DEVICE void decode(const Records &records, const CodeValues &values, const float (&scales)[256], int64_t begin, int count, float (&out)[kPack]) {
  const int64_t inBlock = (int64_t{1} << records.blockShift) - 1;
  if (count == kPack && begin % kPack == 0) {
    const CodedBlock block = blockAt(records, scales, begin >> records.blockShift);
    const uint32_t word = *reinterpret_cast<const uint32_t *>(block.codes + (begin & inBlock) / 2);
    decodeWord(word, values, block.scale, out);
    return;
  }
  CodedBlock block{};
  int64_t current = -1;
  for (int e = 0; e < kPack; ++e) {
    out[e] = 0;
    const int64_t i = begin + e;
    if (e >= count)
      continue;
    if (i >> records.blockShift != current) {
      current = i >> records.blockShift;
      block = blockAt(records, scales, current);
    }
    const uint8_t pair = block.codes[(i & inBlock) / 2];
    out[e] = multiplied(values.at[i % 2 == 0 ? pair >> 4 : pair & 15], block.scale);
  }
}

} // namespace zp::rt::cuda

#endif // ZP_RUNTIME_KERNELS_CUDA_RECORDS_H
