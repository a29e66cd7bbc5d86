// The only list of our dialects and passes.
#ifndef ZP_COMPILER_PIPELINES_REGISTERALL_H
#define ZP_COMPILER_PIPELINES_REGISTERALL_H

#include "mlir/IR/DialectRegistry.h"

namespace zp {

void registerAllDialects(mlir::DialectRegistry &registry);
void registerAllPasses();

} // namespace zp

#endif // ZP_COMPILER_PIPELINES_REGISTERALL_H
