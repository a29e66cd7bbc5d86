// The entries of a plan by what they are for.
#ifndef ZP_RUNTIME_TRAINER_PLAN_ENTRIES_H
#define ZP_RUNTIME_TRAINER_PLAN_ENTRIES_H

#include <cstdint>
#include <string_view>
#include <vector>

#include "runtime/base/status.h"

namespace zp::fbs {
struct Plan;
struct Entry;
enum class EntryKind : uint8_t;
} // namespace zp::fbs

namespace zp::rt {

inline constexpr uint32_t kNoTensor = 0xffffffff;

/// Index of the tensor that an entry takes or gives under a name; kNoTensor when it has none.
uint32_t inputOf(const fbs::Entry &entry, std::string_view name);
uint32_t outputOf(const fbs::Entry &entry, std::string_view name);

class PlanEntries {
public:
  explicit PlanEntries(const fbs::Plan &plan) : plan(plan) {}

  /// The entry of a kind; of several row lengths the longest.
  StatusOr<uint32_t> longestEntry(fbs::EntryKind kind) const;
  /// The train_step for micro-batch `micro` of `micros`: the shortest rows that hold `length` tokens.
  StatusOr<uint32_t> trainStep(uint32_t micro, uint32_t micros, uint32_t length) const;
  /// Whether a micro-batch may be left out: no entry is bound to a position in the update.
  bool positionsMatter() const;
  /// Tokens of a row in the longest entry of `kind`; 0 without one.
  uint32_t longest(fbs::EntryKind kind) const;
  /// Tokens of a row for the encoder in entries of `kind`; 0 when the model is a decoder alone.
  uint32_t longestSource(fbs::EntryKind kind) const;
  const fbs::Entry &entry(uint32_t index) const;

private:
  const fbs::Plan &plan;
};

} // namespace zp::rt

#endif // ZP_RUNTIME_TRAINER_PLAN_ENTRIES_H
