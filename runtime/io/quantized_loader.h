// Fills a rank's records of a section of 4-bit codes (runtime/schema/quant_records.h): what load_quantized and
// nest_scales do.
//
// Contract. The section has passed the plan verifier. Of each parameter only the elements of the rank's records are
// read, a record a thread at a time, and the checkpoint's pages are given back, so the peak is the rank's share and a record's
// floats a thread; only records that are to be complete, nested and a part of a tensor make the rank see the rest of it too. The
// bytes don't depend on the number of ranks: they are those of the codec (runtime/quant) for the whole tensor. What no
// tensor has is zero. Errors name file and tensor. One thread at a time calls, and spreads the work over those of `parallel`:
// bytes and errors don't depend on their number.
#ifndef ZP_RUNTIME_IO_QUANTIZED_LOADER_H
#define ZP_RUNTIME_IO_QUANTIZED_LOADER_H

#include <cstddef>
#include <span>

#include "runtime/base/parallel_for.h"
#include "runtime/io/weight_blocks.h"

namespace zp::rt {

/// Consecutive records of a section.
struct RecordShare {
  uint64_t first = 0; ///< of the section's records
  std::span<std::byte> bytes;
};

/// What the plan's settings bf16 and fp16 say.
DType computeDTypeOf(const fbs::Plan &plan);

/// Brings the share's codes: quantised here, or copied from a checkpoint that is (`section.prequantized`). Without
/// `scales` the records are complete afterwards. With `scales`, 256 for each record of the share, they receive each
/// block's scale.
Status loadRecords(const fbs::Section &section, const WeightSource &source, RecordShare share, std::span<float> scales, ParallelFor &parallel);

/// Completes the share's records from the scales of all blocks of the section's records.
Status nestRecordScales(const fbs::Section &section, std::span<const float> scales, RecordShare share, ParallelFor &parallel);

} // namespace zp::rt

#endif // ZP_RUNTIME_IO_QUANTIZED_LOADER_H
