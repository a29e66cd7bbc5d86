// A plan with one section of 4-bit codes, for tests.
#ifndef ZP_TESTS_UNIT_RUNTIME_PLAN_CODES_PLAN_H
#define ZP_TESTS_UNIT_RUNTIME_PLAN_CODES_PLAN_H

#include "runtime/schema/quant_records.h"
#include "tests/unit/runtime/plan/plan_spec.h"

namespace zp::rt::test {

struct CodesOptions {
  uint32_t ranks = 1;
  bool sharded = true, prequantized = false, bf16 = false;
};

/// A weight's name, which is its checkpoint tensor too, and its shape.
using Weights = std::vector<std::pair<std::string, std::vector<int64_t>>>;

/// `init` loads the section: alone, or where nested scales have to be exchanged with scales, their gather, and
/// nest_scales. train_step gathers the codes of a sharded section. A record is left free after the first weight.
struct CodesPlan : PlanSpec {
  CodesPlan(QuantRecords layout, const Weights &weights, CodesOptions options);
  /// Whether `init` exchanges scales.
  bool exchanges() const { return allScales != kNone; }
  EntrySpec &init() { return entries[0]; }
  SectionSpec &section() { return sections[0]; }

  QuantRecords layout;
  uint32_t codes = kNone, scales = kNone, allScales = kNone, gathered = kNone;
};

/// Two small weights in nf4, nested, blocks of 32, on `ranks` ranks.
CodesPlan smallCodesPlan(uint32_t ranks = 1);

} // namespace zp::rt::test

#endif // ZP_TESTS_UNIT_RUNTIME_PLAN_CODES_PLAN_H
