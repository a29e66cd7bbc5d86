// How large what a section holds is: a parameter, the records of 4-bit codes.
#ifndef ZP_RUNTIME_SCHEMA_SECTION_RECORDS_H
#define ZP_RUNTIME_SCHEMA_SECTION_RECORDS_H

#include "runtime/schema/plan_generated.h"
#include "runtime/schema/quant_records.h"

namespace zp::rt {

inline uint64_t elementsOf(const fbs::Parameter &parameter) {
  uint64_t elements = 1;
  for (int64_t dim : *parameter.shape())
    elements *= static_cast<uint64_t>(dim);
  return elements;
}

/// Of a section of kind Codes.
inline QuantRecords recordsOf(const fbs::Section &section) {
  return {static_cast<QuantType>(section.quant_type()), section.block_size(), section.nested()};
}

} // namespace zp::rt

#endif // ZP_RUNTIME_SCHEMA_SECTION_RECORDS_H
