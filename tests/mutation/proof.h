// Breaks compiled plans in the ways a planner could, and holds the verifier to finding every break that matters.
//
// Each mutant is sealed with a right checksum under what the unmutated plan computes. One that `zpc check` takes is run on the
// plan's ranks, in arenas and in shadow mode, with the streams in orders that nothing but events forbids: any byte that differs
// from the unmutated plan's is a hole of the verifier.
#ifndef ZP_TESTS_MUTATION_PROOF_H
#define ZP_TESTS_MUTATION_PROOF_H

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace zp::rt::test {

struct MutationOptions {
  std::vector<std::string> plans;
  size_t mutants = 1000; ///< of each kind, over all plans
  uint64_t seed = 1;
  std::string disk;
  bool control = false; ///< removed instructions instead, each plan sealed under what it computes itself: some must differ
};

/// Prints a table and, last, 'N passed, N failed'; 1 when any failed. A control fails when the judge sees no difference.
int runMutations(const MutationOptions &options);

} // namespace zp::rt::test

#endif // ZP_TESTS_MUTATION_PROOF_H
