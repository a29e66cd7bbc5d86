#include "dialects/Plan/IR/PlanDialect.h"

#include "mlir/IR/DialectImplementation.h"

using namespace mlir;
using namespace zp::plan;

#include "dialects/Plan/IR/PlanDialect.cpp.inc"
#include "dialects/Plan/IR/PlanEnums.cpp.inc"
#include "dialects/Plan/IR/PlanInterfaces.cpp.inc"
#define GET_OP_CLASSES
#include "dialects/Plan/IR/PlanOps.cpp.inc"

namespace zp::plan {
#include "dialects/Plan/IR/PlanInstructions.cpp.inc"
}

void PlanDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "dialects/Plan/IR/PlanOps.cpp.inc"
      >();
}

LogicalResult BufferOp::verify() {
  if (static_cast<int64_t>(getBytes()) <= 0)
    return emitOpError("C1: bytes must be positive");
  if (getOffset() && (static_cast<int64_t>(*getOffset()) < 0 || *getOffset() % 64))
    return emitOpError("C2: offset must be a multiple of 64 and not negative");
  return success();
}

LogicalResult ViewOp::verify() {
  if (static_cast<int64_t>(getOffset()) < 0)
    return emitOpError("C1: offset must not be negative");
  auto type = cast<MemRefType>(getType());
  if (!type.hasStaticShape() || !type.getLayout().isIdentity())
    return emitOpError("C2: the memref must be static and contiguous");
  return success();
}
