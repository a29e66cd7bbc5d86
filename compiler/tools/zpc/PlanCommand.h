// What the verbs that take a plan share: how it is loaded, how an error is told.
#ifndef ZP_COMPILER_TOOLS_ZPC_PLANCOMMAND_H
#define ZP_COMPILER_TOOLS_ZPC_PLANCOMMAND_H

#include <string>

#include "runtime/base/status.h"
#include "runtime/plan/plan_file.h"

namespace zp {

/// A plan that passed every proof: bytes, order, and the kernels' own checks of their operands.
StatusOr<rt::PlanFile> loadProvedPlan(const std::string &path);

/// Prints the error; its exit code.
int reportError(const Status &status);

/// Prints `text` whole. Errors: DiskWrite, DiskFull.
Status printWhole(const std::string &text);

} // namespace zp

#endif // ZP_COMPILER_TOOLS_ZPC_PLANCOMMAND_H
