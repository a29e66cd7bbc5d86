// The records of a section of 4-bit codes, as the plan describes them.
#ifndef ZP_RUNTIME_PLAN_SECTION_RECORDS_H
#define ZP_RUNTIME_PLAN_SECTION_RECORDS_H

#include "runtime/schema/plan_generated.h"
#include "runtime/schema/quant_records.h"

namespace zp::rt {

/// Of a section of kind Codes.
inline QuantRecords recordsOf(const fbs::Section &section) {
  return {static_cast<QuantType>(section.quant_type()), section.block_size(), section.nested()};
}

} // namespace zp::rt

#endif // ZP_RUNTIME_PLAN_SECTION_RECORDS_H
