// The compilation as a list of passes, phase by phase.
#ifndef ZP_COMPILER_PIPELINES_PIPELINES_H
#define ZP_COMPILER_PIPELINES_PIPELINES_H

#include "compiler/Pipelines/Phases.h"
#include "mlir/Pass/PassManager.h"

namespace zp {

/// Adds the passes of one phase; Import and Emit have none.
void buildPhase(Phase phase, mlir::OpPassManager &passes);

} // namespace zp

#endif // ZP_COMPILER_PIPELINES_PIPELINES_H
