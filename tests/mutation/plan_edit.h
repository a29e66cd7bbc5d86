// A flatbuffer of a plan that is changed where it lies: orders of instructions and places of buffers, nothing else.
#ifndef ZP_TESTS_MUTATION_PLAN_EDIT_H
#define ZP_TESTS_MUTATION_PLAN_EDIT_H

#include <cstdint>
#include <span>
#include <vector>

#include "runtime/schema/plan_generated.h"

namespace zp::rt::test {

class PlanEdit {
public:
  /// A copy of a verified plan's payload.
  explicit PlanEdit(std::span<const uint8_t> payload) : bytes(payload.begin(), payload.end()) {}

  const fbs::Plan &plan() const { return *fbs::GetPlan(bytes.data()); }
  std::span<const uint8_t> payload() const { return bytes; }

  /// Makes an entry's list that of the old list's places `order`: some may be left out, none repeated.
  void reorder(uint32_t entry, const std::vector<uint32_t> &order);
  /// False where the file has no room for the number, which a buffer at 0 may not have.
  bool moveBuffer(uint32_t buffer, uint64_t offset);

private:
  std::vector<uint8_t> bytes;
};

} // namespace zp::rt::test

#endif // ZP_TESTS_MUTATION_PLAN_EDIT_H
