#include "runtime/io/quantized_loader.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "runtime/io/parallel_loading.h"
#include "runtime/io/parameter_records.h"
#include "runtime/io/prequantized_weight.h"
#include "runtime/quant/nested_scales.h"

namespace zp::rt {

namespace {

constexpr uint64_t kBlocks = QuantRecords::kBlocks;

constexpr int64_t kGrain = 16; // records that a thread takes at least

/// Completes a parameter's records from the scales of the whole tensor.
void nest(const ParameterRecords &records, std::span<const float> scales, ParallelFor &parallel) {
  const float offset = offsetOfScales(scales);
  parallel.run(static_cast<int64_t>(records.end - records.begin), kGrain, [&](int64_t from, int64_t to) {
    for (uint64_t k = records.begin + static_cast<uint64_t>(from); k < records.begin + static_cast<uint64_t>(to); ++k) {
      auto *codes = reinterpret_cast<uint8_t *>(records.scalesOf(k));
      quantizeScales(scales, offset, k * kBlocks, {codes, records.blocksIn(k)});
      float groupScale;
      nestScales(scales, offset, k, {&groupScale, 1});
      records.putNested(k, groupScale, offset);
    }
  });
}

/// The rank's records. Their blocks' scales go to `scales`, 256 for each record, or where that is null into the
/// records.
Status quantizeOwn(WeightBlocks &weight, const ParameterRecords &records, float *scales, ParallelFor &parallel) {
  Status status = loadInPieces(parallel, records.begin, records.end, kGrain, [&](uint64_t from, uint64_t to) {
    WeightBlocks mine = weight;
    std::vector<float> own(kBlocks);
    for (uint64_t k = from; k < to; ++k) {
      float *out = scales ? scales + (k - records.begin) * kBlocks : own.data();
      ZP_RETURN_IF_ERROR(mine.quantize(records.firstElement(k), records.elementsIn(k), records.codesOf(k), out));
      if (!scales)
        std::memcpy(records.scalesOf(k), out, records.blocksIn(k) * sizeof(float));
    }
    mine.release();
    return Status();
  });
  const uint64_t first = records.firstElement(records.begin);
  weight.release(first, std::min(records.firstElement(records.end), records.elements) - first);
  return status;
}

/// Nested scales need those of the whole tensor: what other ranks hold is looked at here too.
Status quantizeNested(WeightBlocks &weight, const ParameterRecords &records, ParallelFor &parallel) {
  std::vector<float> scales(records.scales());
  ZP_RETURN_IF_ERROR(loadInPieces(parallel, 0, records.all(), kGrain, [&](uint64_t from, uint64_t to) {
    WeightBlocks mine = weight;
    for (uint64_t k = from; k < to; ++k) {
      const bool held = k >= records.begin && k < records.end;
      const uint64_t first = records.firstElement(k), count = records.elementsIn(k);
      float *out = scales.data() + k * kBlocks;
      ZP_RETURN_IF_ERROR(held ? mine.quantize(first, count, records.codesOf(k), out) : mine.scales(first, count, out));
    }
    mine.release();
    return Status();
  }));
  weight.release(0, records.elements);
  nest(records, scales, parallel);
  return {};
}

} // namespace

DType computeDTypeOf(const fbs::Plan &plan) {
  auto on = [&](std::string_view name) {
    return plan.settings() && std::any_of(plan.settings()->begin(), plan.settings()->end(), [&](const fbs::Setting *setting) {
             return textOf(setting->name()) == name && textOf(setting->value()) == "true";
           });
  };
  return on("bf16") ? DType::BF16 : on("fp16") ? DType::F16 : DType::F32;
}

Status loadRecords(const fbs::Section &section, const WeightSource &source, RecordShare share, std::span<float> scales, ParallelFor &parallel) {
  zeroBytes(parallel, share.bytes.data(), share.bytes.size());
  std::fill(scales.begin(), scales.end(), 0.0f);
  for (const ParameterRecords &records : parametersIn(section, share)) {
    if (section.prequantized() && source.base) {
      ZP_ASSIGN_OR_RETURN(PrequantizedWeight weight, PrequantizedWeight::open(*source.base, records));
      ZP_RETURN_IF_ERROR(loadInPieces(parallel, records.begin, records.end, kGrain,
                                      [&](uint64_t from, uint64_t to) { return weight.copy(records.part(from, to)); }));
      continue;
    }
    const fbs::Parameter &parameter = *records.parameter;
    const BlockFormat format{records.layout.type, static_cast<uint32_t>(records.layout.blockSize)};
    ZP_ASSIGN_OR_RETURN(WeightBlocks weight,
                        WeightBlocks::open(source, textOf(source.base ? parameter.checkpoint() : parameter.name()), shapeOf(parameter), format));
    float *to = scales.empty() ? nullptr : scales.data() + (records.firstOfSection + records.begin - share.first) * kBlocks;
    const bool complete = records.layout.nested && !to;
    ZP_RETURN_IF_ERROR(complete ? quantizeNested(weight, records, parallel) : quantizeOwn(weight, records, to, parallel));
  }
  return {};
}

Status nestRecordScales(const fbs::Section &section, std::span<const float> scales, RecordShare share, ParallelFor &parallel) {
  for (const ParameterRecords &records : parametersIn(section, share))
    nest(records, scales.subspan(records.firstOfSection * kBlocks, records.scales()), parallel);
  return {};
}

} // namespace zp::rt
