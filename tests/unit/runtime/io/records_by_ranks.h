// A section of codes as several ranks load it: each its share, scales exchanged in between.
#ifndef ZP_TESTS_UNIT_RUNTIME_IO_RECORDS_BY_RANKS_H
#define ZP_TESTS_UNIT_RUNTIME_IO_RECORDS_BY_RANKS_H

#include <functional>

#include "runtime/io/section_loader.h"
#include "tests/unit/runtime/io/quantized_fixtures.h"
#include "tests/unit/runtime/plan/codes_plan.h"

namespace zp::test {

/// The section's bytes, the ranks' shares in order. Memory is filled with 0xab first.
inline StatusOr<Bytes> loadByRanks(const rt::test::CodesPlan &spec,
                                   const std::function<rt::SectionSources()> &sources) {
  using namespace rt;
  auto plan = spec.load();
  ZP_RETURN_IF_ERROR(plan.status());
  const uint64_t share = static_cast<uint64_t>(spec.tensors[spec.codes].dims[0]), ranks = spec.ranks;
  const uint64_t scalesOfShare = spec.exchanges() ? share / spec.layout.bytes() * QuantRecords::kBlocks : 0;
  std::vector<Bytes> records(ranks, Bytes(share, 0xab));
  std::vector<float> scales(scalesOfShare * ranks, -7.0f);
  auto view = [](auto *data, DType dtype, uint64_t count) {
    return TensorView{data, dtype, 1, {static_cast<int64_t>(count)}};
  };
  for (uint64_t rank = 0; rank < ranks; ++rank) {
    SectionReader reader(plan->plan(), static_cast<int>(rank), sources());
    TensorView mine =
        scalesOfShare ? view(scales.data() + rank * scalesOfShare, DType::F32, scalesOfShare) : TensorView{};
    ZP_RETURN_IF_ERROR(reader.loadQuantized(0, view(records[rank].data(), DType::U8, share), mine));
  }
  for (uint64_t rank = 0; spec.exchanges() && rank < ranks; ++rank) {
    SectionReader reader(plan->plan(), static_cast<int>(rank), sources());
    ZP_RETURN_IF_ERROR(reader.nestScales(0, view(scales.data(), DType::F32, scales.size()),
                                         view(records[rank].data(), DType::U8, share)));
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
