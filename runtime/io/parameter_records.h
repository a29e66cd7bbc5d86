// The records of one parameter that a rank holds.
#ifndef ZP_RUNTIME_IO_PARAMETER_RECORDS_H
#define ZP_RUNTIME_IO_PARAMETER_RECORDS_H

#include <algorithm>
#include <cstring>
#include <vector>

#include "runtime/io/parameter_info.h"
#include "runtime/io/quantized_loader.h"
#include "runtime/schema/section_records.h"

namespace zp::rt {

/// Records are counted from the parameter's first one.
struct ParameterRecords {
  const fbs::Parameter *parameter = nullptr;
  QuantRecords layout;
  uint64_t elements = 0;        ///< of the whole parameter
  uint64_t firstOfSection = 0;  ///< the section's record that is the parameter's first
  uint64_t begin = 0, end = 0;  ///< records that the rank holds
  std::byte *atBegin = nullptr; ///< where record `begin` lies

  uint64_t all() const { return layout.countFor(elements); }
  uint64_t scales() const { return blocksOf(elements, layout.blockSize); }
  std::byte *at(uint64_t record) const { return atBegin + (record - begin) * layout.bytes(); }
  uint8_t *codesOf(uint64_t record) const { return reinterpret_cast<uint8_t *>(at(record)); }
  std::byte *scalesOf(uint64_t record) const { return at(record) + layout.codeBytes(); }
  /// Elements and blocks that a record holds: fewer in the last one.
  uint64_t firstElement(uint64_t record) const { return record * layout.elements(); }
  uint64_t elementsIn(uint64_t record) const { return std::min(layout.elements(), elements - firstElement(record)); }
  uint64_t blocksIn(uint64_t record) const { return blocksOf(elementsIn(record), layout.blockSize); }

  /// Those of [from, to) alone.
  ParameterRecords part(uint64_t from, uint64_t to) const {
    ParameterRecords records = *this;
    records.begin = from;
    records.end = to;
    records.atBegin = at(from);
    return records;
  }

  /// Group scale and offset of a nested record, beside its 8-bit codes.
  void putNested(uint64_t record, float groupScale, float offset) const {
    std::memcpy(at(record) + layout.groupScaleAt(), &groupScale, sizeof groupScale);
    std::memcpy(at(record) + layout.offsetAt(), &offset, sizeof offset);
  }
};

/// Those parameters of a section that have records in the share, in order.
inline std::vector<ParameterRecords> parametersIn(const fbs::Section &section, RecordShare share) {
  const QuantRecords layout = recordsOf(section);
  const uint64_t shareEnd = share.first + share.bytes.size() / layout.bytes();
  std::vector<ParameterRecords> found;
  for (const fbs::Parameter *parameter : parametersInOrder(section)) {
    ParameterRecords records{parameter, layout, elementsOf(*parameter), parameter->offset() / layout.bytes()};
    uint64_t from = std::max(share.first, records.firstOfSection), to = std::min(shareEnd, records.firstOfSection + records.all());
    if (from >= to)
      continue;
    records.begin = from - records.firstOfSection;
    records.end = to - records.firstOfSection;
    records.atBegin = share.bytes.data() + (from - share.first) * layout.bytes();
    found.push_back(records);
  }
  return found;
}

} // namespace zp::rt

#endif // ZP_RUNTIME_IO_PARAMETER_RECORDS_H
