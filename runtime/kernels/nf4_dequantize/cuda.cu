#include "runtime/kernels/cuda/dequantize.h"
#include "runtime/kernels/cuda/elementwise.h"
#include "runtime/kernels/cuda/kernels.h"
#include "runtime/kernels/cuda/records.h"

namespace zp::rt::cuda {
namespace {

/// Whole rows are one run of elements: there is nothing to divide.
template <typename T> __global__ void dequantizeRun(RecordTables tables, Records records, int64_t first, int64_t elements, T *target) {
  __shared__ float values[16], scales[256];
  shareTables(tables, values, scales);
  const int64_t stride = static_cast<int64_t>(gridDim.x) * blockDim.x * kPack;
  for (int64_t i = (static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x) * kPack; i < elements; i += stride) {
    const int count = packAt(i, elements);
    float out[kPack];
    decode(records, values, scales, first + i, count, out);
    store(target + i, count, out);
  }
}

template <typename T> __global__ void dequantizePanel(RecordTables tables, Records records, Panel panel, T *target) {
  __shared__ float values[16], scales[256];
  shareTables(tables, values, scales);
  const int64_t packs = (panel.columns + kPack - 1) / kPack, stride = static_cast<int64_t>(gridDim.x) * blockDim.x;
  for (int64_t p = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; p < panel.rows * packs; p += stride) {
    const int64_t row = p / packs, column = p % packs * kPack;
    const int count = packAt(column, panel.columns);
    float out[kPack];
    decode(records, values, scales, (panel.row + row) * panel.width + panel.column + column, count, out);
    store(target + row * panel.columns + column, count, out);
  }
}

} // namespace

void dequantize(const Context &context, const void *data, const QuantRecords &format, const Panel &panel, void *target, DType dtype) {
  withElement(dtype, [&](auto element) {
    using T = decltype(element);
    const int64_t elements = panel.rows * panel.columns;
    if (panel.columns == panel.width)
      launch(context.stream, residentBlocks(context, packsIn(elements)), kBlockThreads, dequantizeRun<T>, tablesOf(format), recordsAt(data, format),
             panel.row * panel.width, elements, static_cast<T *>(target));
    else
      launch(context.stream, residentBlocks(context, panel.rows * packsIn(panel.columns)), kBlockThreads, dequantizePanel<T>, tablesOf(format),
             recordsAt(data, format), panel, static_cast<T *>(target));
  });
}

Status run(const Context &context, const NF4DequantizeArgs &args) {
  const QuantRecords format{static_cast<QuantType>(args.quantType), static_cast<uint64_t>(args.blockSize), args.nested};
  const int64_t rows = args.target.dims[0], columns = args.target.dims[1];
  dequantize(context, args.weight.data, format, {0, rows, 0, columns, columns}, args.target.data, args.target.dtype);
  return {};
}

} // namespace zp::rt::cuda
