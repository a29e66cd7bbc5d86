#include "tests/unit/runtime/plan/codes_plan.h"

#include "runtime/base/checked_math.h"

namespace zp::rt::test {

CodesPlan::CodesPlan(QuantRecords layout, const Weights &weights, CodesOptions options) : layout(layout) {
  ranks = options.ranks;
  settings = {{"bf16", options.bf16 ? "true" : "false"}, {"use_4bit_quantization", "true"}};
  SectionSpec unit;
  unit.name = "unit0.codes";
  unit.kind = fbs::SectionKind::Codes;
  unit.dtype = static_cast<uint8_t>(DType::U8);
  unit.parametersSharded = options.sharded;
  unit.quantType = static_cast<uint8_t>(layout.type);
  unit.blockSize = static_cast<uint32_t>(layout.blockSize);
  unit.nested = layout.nested;
  unit.prequantized = options.prequantized;
  uint64_t at = 0;
  for (const auto &[name, shape] : weights) {
    unit.parameters.push_back({name, name, "", shape, at, fbs::Initial::Checkpoint});
    uint64_t elements = 1;
    for (int64_t dim : shape)
      elements *= static_cast<uint64_t>(dim);
    at += layout.bytesFor(elements) + (at == 0 ? layout.bytes() : 0);
  }
  unit.elements = alignUp(at, layout.bytes() * ranks);
  const uint64_t held = options.sharded ? unit.elements / ranks : unit.elements;
  codes = unit.values = addBuffered("codes", DType::U8, {static_cast<int64_t>(held)}, true);
  sections = {unit};

  EntrySpec initial;
  initial.kind = fbs::EntryKind::Init;
  initial.rows = initial.length = 0;
  if (layout.nested && !options.prequantized && held != unit.elements) {
    const auto share = static_cast<int64_t>(held / layout.bytes() * QuantRecords::kBlocks);
    scales = addBuffered("scales", DType::F32, {share});
    allScales = addBuffered("all_scales", DType::F32, {share * ranks});
    initial.instructions = {makeLoadQuantized({codes, scales}, 0, 0), makeAllGather({scales, allScales}, 0),
                            makeNestScales({allScales, codes}, 0, 0)};
  } else {
    initial.instructions = {makeLoadQuantized({codes, kNone}, 0, 0)};
  }
  EntrySpec train;
  if (options.sharded) {
    gathered = addBuffered("gathered", DType::U8, {static_cast<int64_t>(unit.elements)});
    train.instructions = {makeAllGather({codes, gathered}, 0)};
    train.outputs = {{"gathered", gathered}};
  }
  entries = {initial, train};
}

CodesPlan smallCodesPlan(uint32_t ranks) {
  return {{QuantType::NF4, 32, true}, {{"q.weight", {96, 128}}, {"k.weight", {33, 64}}}, {ranks, true, false, false}};
}

} // namespace zp::rt::test
