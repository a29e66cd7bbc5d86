// How zpc writes a module: whole or not at all.
#ifndef ZP_FRONTENDS_CLI_WRITEMODULE_H
#define ZP_FRONTENDS_CLI_WRITEMODULE_H

#include <string>

#include "mlir/IR/BuiltinOps.h"
#include "runtime/base/status.h"

namespace zp::fe {

/// Writes the module as text; `-` is standard output. Errors: DiskWrite, DiskFull.
Status writeModule(mlir::ModuleOp module, const std::string &path);

} // namespace zp::fe

#endif // ZP_FRONTENDS_CLI_WRITEMODULE_H
