// The nf4 dialect. Semantics: the .td files beside this one; rationale: ../README.md.
#ifndef ZP_DIALECTS_NF4_IR_NF4DIALECT_H
#define ZP_DIALECTS_NF4_IR_NF4DIALECT_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialects/NF4/IR/NF4Dialect.h.inc"
#define GET_TYPEDEF_CLASSES
#include "dialects/NF4/IR/NF4Types.h.inc"
#define GET_OP_CLASSES
#include "dialects/NF4/IR/NF4Ops.h.inc"

#endif // ZP_DIALECTS_NF4_IR_NF4DIALECT_H
