// How tensors of an element type lie in memory: bytes of floats, or records of 4-bit elements (runtime/schema/quant_records.h).
#ifndef ZP_COMPILER_SUPPORT_STORAGE_H
#define ZP_COMPILER_SUPPORT_STORAGE_H

#include <optional>

#include "mlir/IR/BuiltinTypes.h"
#include "runtime/schema/quant_records.h"

namespace zp {

/// Of 4-bit elements; nothing for others.
std::optional<QuantRecords> quantRecordsOf(mlir::Type element);

/// Bytes of a tensor.
int64_t storedBytes(mlir::RankedTensorType type);
/// Bytes before element `index` of a flat tensor. A 4-bit element must begin a record.
int64_t byteOffset(mlir::Type element, int64_t index);
/// Elements that a slot's place and a rank's slice are multiples of: `bytes` of floats, a record of 4-bit elements.
int64_t granuleOf(mlir::Type element, int64_t bytes);
/// The type that instructions see a tensor by: itself, or the bytes of its records.
mlir::MemRefType memrefOf(mlir::RankedTensorType type);

} // namespace zp

#endif // ZP_COMPILER_SUPPORT_STORAGE_H
