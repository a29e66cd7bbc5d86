// The job's settings as the module carries them (`zp.settings`, by the names of runtime/schema/settings.inc).
#ifndef ZP_COMPILER_SUPPORT_SETTINGS_H
#define ZP_COMPILER_SUPPORT_SETTINGS_H

#include "mlir/IR/BuiltinOps.h"
#include "runtime/schema/settings.h"

namespace zp {

/// Reads `zp.settings`; a setting that is absent has its default. Emits an error for one of the wrong kind or unknown.
mlir::FailureOr<JobSettings> readSettings(mlir::ModuleOp module);

/// Writes every setting into `zp.settings`.
void writeSettings(mlir::ModuleOp module, const JobSettings &settings);

/// Units that phases distribute and schedule bring ahead of use: `prefetch_distance`, or one where that is left open.
inline int64_t unitsAhead(const JobSettings &settings) { return settings.prefetch_distance < 0 ? 1 : settings.prefetch_distance; }

/// The element type of computeDType.
mlir::Type computeType(const JobSettings &settings, mlir::MLIRContext *context);

} // namespace zp

#endif // ZP_COMPILER_SUPPORT_SETTINGS_H
