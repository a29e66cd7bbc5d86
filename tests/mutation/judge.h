// Whether a plan that the verifier took does what the unmutated one does, whatever order its streams take.
#ifndef ZP_TESTS_MUTATION_JUDGE_H
#define ZP_TESTS_MUTATION_JUDGE_H

#include <string>

#include "runtime/collective/communicator.h"
#include "runtime/device/device.h"
#include "runtime/plan/plan_file.h"

namespace zp::rt::test {

struct Way {
  StreamOrder order;
  bool shadow; ///< guarded buffers, poisoned outside their lives; else the arenas, where buffers can overlap
};

/// Three updates from drawn weights and tokens: a number for every byte of the state of all sections and of the last metrics.
StatusOr<uint64_t> outcomeOf(const PlanFile &plan, Communicator &communicator, const std::string &disk, Way way, uint64_t seed);

} // namespace zp::rt::test

#endif // ZP_TESTS_MUTATION_JUDGE_H
