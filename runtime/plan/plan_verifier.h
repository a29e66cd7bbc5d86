// From untrusted bytes to a trusted plan: every field present, every number within what it may be.
//
// Contract. The payload has passed FlatBuffers' own verifier. After `verifyPlan` has succeeded, nobody checks an index, an
// offset or a size of this plan again: tensors lie inside their buffers, buffers inside their spaces, operands are as many
// and as optional as the op table says, sections and their tensors agree. It promises "no access out of bounds", not "the
// right program": the order of instructions is schedule_verifier's, dtypes and shapes of operands are the kernels' checks'.
// All arithmetic is checked; scratch memory only. Errors: PlanInvalid, naming the place.
#ifndef ZP_RUNTIME_PLAN_PLAN_VERIFIER_H
#define ZP_RUNTIME_PLAN_PLAN_VERIFIER_H

#include <string>

#include "runtime/base/status.h"
#include "runtime/schema/plan_generated.h"

namespace zp::rt {

Status verifyPlan(const fbs::Plan &plan, const std::string &name);

} // namespace zp::rt

#endif // ZP_RUNTIME_PLAN_PLAN_VERIFIER_H
