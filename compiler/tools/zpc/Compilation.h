// From a module to a plan in memory: what `zpc compile` writes, and what searches try by the dozen.
#ifndef ZP_COMPILER_TOOLS_ZPC_COMPILATION_H
#define ZP_COMPILER_TOOLS_ZPC_COMPILATION_H

#include <map>
#include <string>
#include <vector>

#include "compiler/Pipelines/Phases.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "runtime/base/status.h"
#include "runtime/plan/plan_file.h"
#include "runtime/schema/settings.h"

namespace zp {

/// The phases from `start` to `stop`, in place. With a directory, the module after each goes there. Errors: Module without a
/// message where diagnostics have told; DiskWrite, DiskFull.
Status runPhases(mlir::ModuleOp module, Phase start, Phase stop, const std::string &dumpDirectory = "");

/// A module as phase fuse leaves it, by the settings that phases train and fuse may read: all but how a job is spread over ranks and
/// memories. For who compiles one module with many settings.
using FusedModules = std::map<std::string, mlir::OwningOpRef<mlir::ModuleOp>>;

/// All phases on a copy of a module of phase import, with these settings; the plan, proved as a loaded one is. Errors: what a
/// phase says, without printing it. Goes on from what `fused` has, and adds to it.
StatusOr<rt::PlanFile> compileWith(mlir::ModuleOp module, const JobSettings &settings, FusedModules *fused = nullptr);

/// MLIR's diagnostics in our one-line form, `error[ZP1009] FILE:LINE:COLUMN: text`.
std::string describe(mlir::Diagnostic &diagnostic);

} // namespace zp

#endif // ZP_COMPILER_TOOLS_ZPC_COMPILATION_H
