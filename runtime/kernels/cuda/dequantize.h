// From 4-bit codes to elements on a device: the same bits as runtime/kernels/quant gives.
#ifndef ZP_RUNTIME_KERNELS_CUDA_DEQUANTIZE_H
#define ZP_RUNTIME_KERNELS_CUDA_DEQUANTIZE_H

#include "runtime/kernels/cuda/context.h"
#include "runtime/schema/dtypes.h"
#include "runtime/schema/quant_records.h"

namespace zp::rt::cuda {

/// Rows [row, row + rows) and columns [column, column + columns) of a matrix that is `width` elements wide.
struct Panel {
  int64_t row = 0, rows = 0, column = 0, columns = 0, width = 0;
};

/// target[rows, columns] = the panel, dense, rounded once to `dtype`.
void dequantize(const Context &context, const void *records, const QuantRecords &format, const Panel &panel, void *target, DType dtype);

} // namespace zp::rt::cuda

#endif // ZP_RUNTIME_KERNELS_CUDA_DEQUANTIZE_H
