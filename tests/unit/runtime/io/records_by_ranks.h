// A section of codes as several ranks load it: each its share, scales exchanged in between.
#ifndef ZP_TESTS_UNIT_RUNTIME_IO_RECORDS_BY_RANKS_H
#define ZP_TESTS_UNIT_RUNTIME_IO_RECORDS_BY_RANKS_H

#include <algorithm>
#include <functional>

#include "runtime/device/cpu/thread_pool.h"
#include "runtime/io/section_loader.h"
#include "tests/unit/runtime/io/quantized_fixtures.h"
#include "tests/unit/runtime/plan/codes_plan.h"

namespace zp::test {

/// The section's bytes, the ranks' shares in order. Memory is filled with 0xab first. `threads` load, so many records at a time
/// (0: all).
inline StatusOr<Bytes> loadByRanks(const rt::test::CodesPlan &spec, const std::function<rt::SectionSources()> &sources, int threads = 1,
                                   uint64_t atATime = 0) {
  using namespace rt;
  auto plan = spec.load();
  ZP_RETURN_IF_ERROR(plan.status());
  const uint64_t share = static_cast<uint64_t>(spec.tensors[spec.codes].dims[0]), ranks = spec.ranks;
  const uint64_t scalesOfShare = spec.exchanges() ? share / spec.layout.bytes() * QuantRecords::kBlocks : 0;
  std::vector<Bytes> records(ranks, Bytes(share, 0xab));
  std::vector<float> scales(scalesOfShare * ranks, -7.0f);
  auto view = [](auto *data, DType dtype, uint64_t count) { return TensorView{data, dtype, 1, {static_cast<int64_t>(count)}}; };
  ThreadPool pool(threads);
  const uint64_t record = spec.layout.bytes(), all = share / record, piece = atATime ? atATime : all;
  auto recordsOf = [&](uint64_t rank, uint64_t first, uint64_t count) {
    return TensorPart(view(records[rank].data(), DType::U8, share), first * record, count * record, records[rank].data() + first * record);
  };
  for (uint64_t rank = 0; rank < ranks; ++rank) {
    SectionReader reader(plan->plan(), static_cast<int>(rank), sources());
    float *own = scales.data() + rank * scalesOfShare;
    for (uint64_t first = 0; first < all; first += piece) {
      const uint64_t count = std::min(piece, all - first), scale = first * QuantRecords::kBlocks;
      TensorPart mine =
          scalesOfShare ? TensorPart(view(own, DType::F32, scalesOfShare), scale, count * QuantRecords::kBlocks, own + scale) : TensorPart();
      ZP_RETURN_IF_ERROR(reader.loadQuantized(0, recordsOf(rank, first, count), mine, pool));
    }
  }
  for (uint64_t rank = 0; spec.exchanges() && rank < ranks; ++rank) {
    SectionReader reader(plan->plan(), static_cast<int>(rank), sources());
    for (uint64_t first = 0; first < all; first += piece)
      ZP_RETURN_IF_ERROR(
          reader.nestScales(0, view(scales.data(), DType::F32, scales.size()), recordsOf(rank, first, std::min(piece, all - first)), pool));
  }
  Bytes whole;
  for (const Bytes &part : records)
    whole.insert(whole.end(), part.begin(), part.end());
  if (share == spec.sections[0].elements && ranks > 1) { // replicated: all the same
    for (const Bytes &part : records)
      EXPECT_EQ(part, records[0]);
    return records[0];
  }
  return whole;
}

/// What the section should hold: the weights' records at their places, zeros elsewhere.
inline Bytes expectedSection(const rt::test::CodesPlan &spec, const std::vector<Bytes> &records) {
  Bytes whole(spec.sections[0].elements, 0);
  for (size_t i = 0; i < records.size(); ++i)
    put(whole, spec.sections[0].parameters[i].offset, records[i], 0, records[i].size());
  return whole;
}

} // namespace zp::test

#endif // ZP_TESTS_UNIT_RUNTIME_IO_RECORDS_BY_RANKS_H
