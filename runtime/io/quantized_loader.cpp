#include "runtime/io/quantized_loader.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "runtime/io/parameter_records.h"
#include "runtime/io/prequantized_weight.h"
#include "runtime/quant/nested_scales.h"

namespace zp::rt {

namespace {

constexpr uint64_t kBlocks = QuantRecords::kBlocks;

/// Completes a parameter's records from the scales of the whole tensor.
void nest(const ParameterRecords &records, std::span<const float> scales) {
  const float offset = offsetOfScales(scales);
  for (uint64_t k = records.begin; k < records.end; ++k) {
    auto *codes = reinterpret_cast<uint8_t *>(records.scalesOf(k));
    quantizeScales(scales, offset, k * kBlocks, {codes, records.blocksIn(k)});
    float groupScale;
    nestScales(scales, offset, k, {&groupScale, 1});
    records.putNested(k, groupScale, offset);
  }
}

/// The rank's records. Their blocks' scales go to `scales`, 256 for each record, or where that is null into the
/// records.
Status quantizeOwn(WeightBlocks &weight, const ParameterRecords &records, float *scales) {
  std::vector<float> own(kBlocks);
  for (uint64_t k = records.begin; k < records.end; ++k) {
    float *to = scales ? scales + (k - records.begin) * kBlocks : own.data();
    ZP_RETURN_IF_ERROR(weight.quantize(records.firstElement(k), records.elementsIn(k), records.codesOf(k), to));
    if (!scales)
      std::memcpy(records.scalesOf(k), to, records.blocksIn(k) * sizeof(float));
  }
  weight.release();
  return {};
}

/// Nested scales need those of the whole tensor: what other ranks hold is looked at here too.
Status quantizeNested(WeightBlocks &weight, const ParameterRecords &records) {
  std::vector<float> scales(records.scales());
  for (uint64_t k = 0; k < records.all(); ++k) {
    const bool mine = k >= records.begin && k < records.end;
    const uint64_t first = records.firstElement(k), count = records.elementsIn(k);
    float *to = scales.data() + k * kBlocks;
    ZP_RETURN_IF_ERROR(mine ? weight.quantize(first, count, records.codesOf(k), to) : weight.scales(first, count, to));
  }
  weight.release();
  nest(records, scales);
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

Status loadRecords(const fbs::Section &section, const WeightSource &source, RecordShare share,
                   std::span<float> scales) {
  std::memset(share.bytes.data(), 0, share.bytes.size());
  std::fill(scales.begin(), scales.end(), 0.0f);
  for (const ParameterRecords &records : parametersIn(section, share)) {
    if (section.prequantized() && source.base) {
      ZP_ASSIGN_OR_RETURN(PrequantizedWeight weight, PrequantizedWeight::open(*source.base, records));
      ZP_RETURN_IF_ERROR(weight.copy(records));
      continue;
    }
    const fbs::Parameter &parameter = *records.parameter;
    const BlockFormat format{records.layout.type, static_cast<uint32_t>(records.layout.blockSize)};
    ZP_ASSIGN_OR_RETURN(WeightBlocks weight,
                        WeightBlocks::open(source, textOf(source.base ? parameter.checkpoint() : parameter.name()),
                                           shapeOf(parameter), format));
    float *to =
        scales.empty() ? nullptr : scales.data() + (records.firstOfSection + records.begin - share.first) * kBlocks;
    const bool complete = records.layout.nested && !to;
    ZP_RETURN_IF_ERROR(complete ? quantizeNested(weight, records) : quantizeOwn(weight, records, to));
  }
  return {};
}

Status nestRecordScales(const fbs::Section &section, std::span<const float> scales, RecordShare share) {
  for (const ParameterRecords &records : parametersIn(section, share))
    nest(records, scales.subspan(records.firstOfSection * kBlocks, records.scales()));
  return {};
}

} // namespace zp::rt
