// Mistakes that a planner could make, drawn at random: the four kinds that a schedule is proved against.
#ifndef ZP_TESTS_MUTATION_MUTATIONS_H
#define ZP_TESTS_MUTATION_MUTATIONS_H

#include <array>
#include <optional>
#include <random>
#include <string>

#include "runtime/plan/plan_file.h"
#include "tests/mutation/plan_edit.h"

namespace zp::rt::test {

enum class Mutation : uint8_t {
  EventRemoved,       ///< a record and its wait (of ten, one loses the record alone and one the wait alone)
  OffsetMoved,        ///< a buffer lies elsewhere in its arena: at a drawn place, beside or onto another, or a little off
  CollectiveSwapped,  ///< two collectives of an entry change places
  LifeShortened,      ///< a buffer is reused before its last use: the second one moves onto it, or its last reader moves behind
  InstructionRemoved, ///< no mistake of order or place: what the judge of the others is tried on
};
/// Those that the proofs are held to.
inline constexpr std::array kMutations = {Mutation::EventRemoved, Mutation::OffsetMoved, Mutation::CollectiveSwapped, Mutation::LifeShortened};
const char *nameOf(Mutation mutation);

struct Mutant {
  std::vector<uint8_t> payload;
  std::string what; ///< for a report: "entries[2]: event 7 removed"
};

class Mutator {
public:
  explicit Mutator(const PlanFile &file);
  /// Nothing when the plan has no place for the kind, or the draw hit none.
  std::optional<Mutant> draw(Mutation mutation, std::mt19937_64 &random) const;

private:
  struct Life {
    uint32_t buffer, first, last; ///< places of the first and the last use
  };
  std::optional<Mutant> removeEvent(std::mt19937_64 &random) const;
  std::optional<Mutant> moveOffset(std::mt19937_64 &random) const;
  std::optional<Mutant> swapCollectives(std::mt19937_64 &random) const;
  std::optional<Mutant> shortenLife(std::mt19937_64 &random) const;
  std::optional<Mutant> removeInstruction(std::mt19937_64 &random) const;
  std::optional<Mutant> placed(uint32_t buffer, uint64_t offset, const std::string &why) const;
  std::optional<Mutant> reordered(uint32_t entry, const std::vector<uint32_t> &order, const std::string &why) const;
  uint64_t roomFor(uint32_t buffer) const;

  const PlanFile &file;
  const fbs::Plan &plan;
  std::vector<std::vector<uint32_t>> collectives;           // by entry: their places
  std::vector<std::vector<std::array<uint32_t, 2>>> events; // by entry: places of record and wait
  std::vector<std::vector<Life>> lives;                     // by entry: of buffers that aren't persistent
};

} // namespace zp::rt::test

#endif // ZP_TESTS_MUTATION_MUTATIONS_H
