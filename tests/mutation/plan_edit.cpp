#include "tests/mutation/plan_edit.h"

namespace zp::rt::test {

void PlanEdit::reorder(uint32_t entry, const std::vector<uint32_t> &order) {
  // A vector of tables: its length, then for each the distance from that very word to the table.
  auto *first = bytes.data() + (reinterpret_cast<const uint8_t *>(plan().entries()->Get(entry)->instructions()->Data()) - bytes.data());
  auto wordAt = [&](size_t place) { return first + place * sizeof(uint32_t); };
  std::vector<const uint8_t *> tables;
  for (uint32_t place : order)
    tables.push_back(wordAt(place) + flatbuffers::ReadScalar<uint32_t>(wordAt(place)));
  for (size_t i = 0; i < tables.size(); ++i)
    flatbuffers::WriteScalar(wordAt(i), static_cast<uint32_t>(tables[i] - wordAt(i)));
  flatbuffers::WriteScalar(first - sizeof(uint32_t), static_cast<uint32_t>(tables.size()));
}

bool PlanEdit::moveBuffer(uint32_t buffer, uint64_t offset) {
  size_t at = static_cast<size_t>(reinterpret_cast<const uint8_t *>(plan().buffers()->Get(buffer)) - bytes.data());
  return reinterpret_cast<flatbuffers::Table *>(bytes.data() + at)->SetField<uint64_t>(fbs::Buffer::VT_OFFSET, offset, 0);
}

} // namespace zp::rt::test
