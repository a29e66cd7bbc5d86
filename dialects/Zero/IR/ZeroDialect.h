// The zero dialect. Semantics: the .td files beside this one; rationale: ../README.md.
#ifndef ZP_DIALECTS_ZERO_IR_ZERODIALECT_H
#define ZP_DIALECTS_ZERO_IR_ZERODIALECT_H

#include <optional>

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialects/Zero/IR/ZeroDialect.h.inc"
#include "dialects/Zero/IR/ZeroEnums.h.inc"
#define GET_ATTRDEF_CLASSES
#include "dialects/Zero/IR/ZeroAttrs.h.inc"
#define GET_TYPEDEF_CLASSES
#include "dialects/Zero/IR/ZeroTypes.h.inc"
#define GET_OP_CLASSES
#include "dialects/Zero/IR/ZeroOps.h.inc"

#endif // ZP_DIALECTS_ZERO_IR_ZERODIALECT_H
