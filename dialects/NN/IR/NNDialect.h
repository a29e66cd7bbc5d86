// The nn dialect: ops, enums, interface. Semantics: the .td files beside this one; rationale: ../README.md.
#ifndef ZP_DIALECTS_NN_IR_NNDIALECT_H
#define ZP_DIALECTS_NN_IR_NNDIALECT_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialects/NN/IR/NNDialect.h.inc"
#include "dialects/NN/IR/NNEnums.h.inc"
#include "dialects/NN/IR/NNInterfaces.h.inc"
#define GET_OP_CLASSES
#include "dialects/NN/IR/NNOps.h.inc"

#endif // ZP_DIALECTS_NN_IR_NNDIALECT_H
