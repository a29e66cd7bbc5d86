// Quantises and dequantises blocks, byte for byte as bitsandbytes 0.50.2 does on a CPU (its CUDA build divides
// approximately).
//
// Contract. A call works on a piece of a tensor that starts at a block's start. A piece that doesn't end at a block's
// end is the tensor's end: its last block is the tail, which has its own rule (block_codec.cpp). Whatever the pieces,
// the tensor's bytes are the same, so pieces may be done by different ranks and threads. Nothing is checked here,
// non-finite elements are encoded as the reference encodes them; quantize_weights.h is the door for data that comes
// from a file. The caller has denormals on: no flush-to-zero mode.
#ifndef ZP_RUNTIME_QUANT_BLOCK_CODEC_H
#define ZP_RUNTIME_QUANT_BLOCK_CODEC_H

#include <cstddef>
#include <cstdint>

#include "runtime/quant/block_format.h"
#include "runtime/schema/dtypes.h"

namespace zp::rt {

/// `elements` are f32, bf16 or f16, of any alignment. Writes packedBytesOf(count) bytes and blocksOf(count) scales.
/// An odd count leaves the last byte's low half with the code of zero.
void quantizeBlocks(BlockFormat format, const std::byte *elements, DType dtype, uint64_t count, uint8_t *packed, float *absmax);

/// The scales that quantizeBlocks gives, without the codes.
void scalesOfBlocks(BlockFormat format, const std::byte *elements, DType dtype, uint64_t count, float *absmax);

/// Element i becomes value[code]·absmax[i / blockSize], one fp32 product, rounded once more if `dtype` is bf16 or f16.
void dequantizeBlocks(BlockFormat format, const uint8_t *packed, const float *absmax, uint64_t count, DType dtype, void *out);

} // namespace zp::rt

#endif // ZP_RUNTIME_QUANT_BLOCK_CODEC_H
