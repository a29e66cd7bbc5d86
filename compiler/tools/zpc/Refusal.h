// A plan that does not fit: the error that says what is too much, and what would fit.
#ifndef ZP_COMPILER_TOOLS_ZPC_REFUSAL_H
#define ZP_COMPILER_TOOLS_ZPC_REFUSAL_H

#include "compiler/tools/zpc/Compilation.h"
#include "runtime/plan/simulate/cluster.h"

namespace zp {

/// OK when the plan fits in the cluster. Else Budget, naming `input`, the peak by kind and the neighbours of `settings` that fit: each
/// recomputes, offloads or shards more and is compiled to know. A null module has no neighbours.
Status refuseExcess(const rt::PlanFile &plan, const rt::Cluster &cluster, mlir::ModuleOp imported, const JobSettings &settings,
                    const std::string &input);

} // namespace zp

#endif // ZP_COMPILER_TOOLS_ZPC_REFUSAL_H
