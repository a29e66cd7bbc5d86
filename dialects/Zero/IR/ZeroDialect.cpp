#include "dialects/Zero/IR/ZeroDialect.h"

#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace zp::zero;

#include "dialects/Zero/IR/ZeroDialect.cpp.inc"
#include "dialects/Zero/IR/ZeroEnums.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "dialects/Zero/IR/ZeroAttrs.cpp.inc"
#define GET_TYPEDEF_CLASSES
#include "dialects/Zero/IR/ZeroTypes.cpp.inc"
#define GET_OP_CLASSES
#include "dialects/Zero/IR/ZeroOps.cpp.inc"

void ZeroDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/Zero/IR/ZeroAttrs.cpp.inc"
      >();
  addTypes<
#define GET_TYPEDEF_LIST
#include "dialects/Zero/IR/ZeroTypes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/Zero/IR/ZeroOps.cpp.inc"
      >();
}

int64_t SectionOp::roomAt(int64_t offset) {
  int64_t end = getElements();
  for (SlotAttr slot : getSlots().getAsRange<SlotAttr>())
    if (slot.getOffset() > offset)
      end = std::min(end, slot.getOffset());
  return end - offset;
}

std::optional<int64_t> SectionOp::offsetOf(FlatSymbolRefAttr parameter) {
  for (SlotAttr slot : getSlots().getAsRange<SlotAttr>())
    if (slot.getParameter() == parameter)
      return slot.getOffset();
  return std::nullopt;
}
