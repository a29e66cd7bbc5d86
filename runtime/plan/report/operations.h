// Floating point operations of an instruction, from the shapes of its operands and nothing else.
#ifndef ZP_RUNTIME_PLAN_REPORT_OPERATIONS_H
#define ZP_RUNTIME_PLAN_REPORT_OPERATIONS_H

#include "runtime/plan/report/plan_index.h"

namespace zp::rt {

/// A multiplication and an addition are two. Products, attention and the loss count; what is done element by element costs
/// memory traffic, not arithmetic, and counts as none. Attention is taken with one document a row and the loss with every
/// label counted: the most that the data can ask for. Requires operands that the kernel's check took.
double operationsOf(const PlanIndex &index, const fbs::Instruction &instruction);

/// The pairs (i, j) that attention looks at in a row of `length` queries and `keyLength` keys: all or, causal, j at most `window - 1`
/// back (0: any).
double attendedPairs(int64_t length, int64_t keyLength, bool causal, int64_t window);

} // namespace zp::rt

#endif // ZP_RUNTIME_PLAN_REPORT_OPERATIONS_H
