// Names and lookups over a verified plan that the reports share: what entries are called, which section a tensor belongs to,
// what a parameter is used for.
#ifndef ZP_RUNTIME_PLAN_REPORT_PLAN_INDEX_H
#define ZP_RUNTIME_PLAN_REPORT_PLAN_INDEX_H

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/plan/op_signatures.h"
#include "runtime/plan/read_in_place.h"
#include "runtime/schema/plan_generated.h"
#include "runtime/schema/section_records.h"

namespace zp::rt {

/// What instructions do with a parameter. The order decides where one has several uses: a head may be multiplied with too.
enum class ParameterRole : uint8_t { Other, Linear, Head, Embedding };

/// A part of a section's values that a tensor holds.
struct SectionPart {
  uint32_t section;
  uint64_t bytes;
  bool whole; ///< the values are the section's, not a rank's share
};

/// Where an entry's buffer, or a persistent one, holds a section whole: from byte `offset` of the buffer on.
struct WholeSection {
  uint32_t section;
  uint64_t offset;
};

class PlanIndex {
public:
  explicit PlanIndex(const fbs::Plan &plan);

  const fbs::Plan &plan;
  /// "train_step", "train_step.first", "train_step.512": as short as keeps them apart.
  std::vector<std::string> entryNames;

  const fbs::Tensor &tensor(uint32_t index) const { return *plan.tensors()->Get(index); }
  const fbs::Buffer &buffer(uint32_t index) const { return *plan.buffers()->Get(index); }
  const fbs::Section &section(uint32_t index) const { return *plan.sections()->Get(index); }
  const fbs::Buffer &bufferOf(uint32_t tensorIndex) const { return buffer(tensor(tensorIndex).buffer()); }

  /// The sections whose values lie in a tensor, at home or copied from there (fetched from another space); none for other memory.
  std::vector<SectionPart> partsOf(uint32_t tensor) const;
  std::optional<WholeSection> wholeIn(uint32_t buffer) const;
  /// Whether a copy or an all_gather of a CPU plan finds in its host's memory what it is to bring; a gather where all ranks are on one host.
  bool isInPlace(const fbs::Instruction &instruction) const;
  uint64_t pooledBytes() const { return inPlace.poolBytes; } ///< of all ranks
  /// The section whose values a buffer holds, whole or a rank's share: the first where it holds several.
  std::optional<uint32_t> sectionIn(uint32_t buffer) const;
  ParameterRole roleOf(uint32_t section, uint32_t parameter) const { return roles[section][parameter]; }
  /// "12 matmul": an instruction's place and name.
  std::string place(uint32_t entry, uint32_t instruction) const;

  /// A setting of the plan as text; the default where the plan has none.
  std::string setting(std::string_view name) const;
  /// Micro-batches of an update, at least 1.
  uint64_t accumulation() const;
  /// The entries of one update with how often each runs: the micro-batches with the longest rows, then the optimizer's.
  std::vector<std::pair<uint32_t, uint64_t>> update() const;

private:
  void nameEntries();
  void findCopies();
  void findWholeSections();
  void findRoles();
  std::map<uint32_t, std::vector<uint32_t>> valuesByBuffer; // buffer to sections
  std::map<uint32_t, SectionPart> copies;                   // of a section's values, by buffer
  std::map<uint32_t, WholeSection> wholes;
  std::vector<std::vector<ParameterRole>> roles;
  ReadInPlace inPlace; ///< of rank 0; of a CPU's plan
};

/// What a parameter takes in its section: elements, of codes bytes.
uint64_t extentOf(const fbs::Section &section, const fbs::Parameter &parameter);
/// Bytes of a whole section, padding and all.
uint64_t bytesOf(const fbs::Section &section);

} // namespace zp::rt

#endif // ZP_RUNTIME_PLAN_REPORT_PLAN_INDEX_H
