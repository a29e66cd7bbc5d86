// What a plan computes, as one number: whatever the order of its lists, its streams and the places of its buffers.
//
// Contract. The plan has passed verifyPlan. A value is numbered by how it came to be: the instruction that wrote it, with its
// attributes, and the numbers of the values that it read. The plan's number is made of the values that each entry gives out
// and leaves in persistent buffers. Kernels give the same bits for the same operands, so two plans with one number give the
// same bits when their instructions run in list order, which is what the schedule verifier proves of every other order.
#ifndef ZP_RUNTIME_PLAN_DATAFLOW_H
#define ZP_RUNTIME_PLAN_DATAFLOW_H

#include <cstdint>

#include "runtime/schema/plan_generated.h"

namespace zp::rt {

uint64_t dataflowOf(const fbs::Plan &plan);

} // namespace zp::rt

#endif // ZP_RUNTIME_PLAN_DATAFLOW_H
