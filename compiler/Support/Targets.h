// What a plan is made for: the module's `zp.target`, as a row of runtime/schema/targets.inc.
#ifndef ZP_COMPILER_SUPPORT_TARGETS_H
#define ZP_COMPILER_SUPPORT_TARGETS_H

#include <string>

#include "mlir/IR/BuiltinOps.h"

namespace zp {

struct Target {
  llvm::StringRef name;
  uint64_t reserveBytes, productWorkspaceBytes, panelBytes, attentionBytes, logitBytes;
  bool copyEngines;
};

/// Null when there is none of that name.
const Target *findTarget(llvm::StringRef name);
/// "cpu or cuda"
std::string targetNames();

void setTarget(mlir::ModuleOp module, llvm::StringRef name);
/// The module's target; cpu, when it names none.
const Target &targetOf(mlir::ModuleOp module);

} // namespace zp

#endif // ZP_COMPILER_SUPPORT_TARGETS_H
