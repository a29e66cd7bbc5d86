#include "runtime/kernels/cuda/dequantize.h"
#include "runtime/kernels/cuda/elementwise.h"
#include "runtime/kernels/cuda/kernels.h"
#include "runtime/quant/block_format.h"
#include "runtime/quant/dynamic_map.h"

namespace zp::rt::cuda {
namespace {

/// What codes and nested scales stand for. It travels with the launch.
struct Tables {
  float values[16], scales[256];
};

/// Records as the kernel walks over them.
struct Records {
  const uint8_t *first;
  int64_t bytes, codeBytes; ///< of one
  int blockShift;           ///< a block has 2 to the power of it elements
  bool nested;
};

/// A product and a sum that the compiler must not contract: the codec rounds after each.
ZP_DEVICE float multiplied(float a, float b) {
#ifdef __CUDACC__
  return __fmul_rn(a, b);
#else
  return a * b;
#endif
}
ZP_DEVICE float added(float a, float b) {
#ifdef __CUDACC__
  return __fadd_rn(a, b);
#else
  return a + b;
#endif
}

template <typename T> __global__ void dequantizeKernel(Tables tables, Records records, Panel panel, T *target) {
  __shared__ float values[16], scales[256];
  if (threadIdx.x < 16)
    values[threadIdx.x] = tables.values[threadIdx.x];
  for (unsigned i = threadIdx.x; i < 256; i += blockDim.x)
    scales[i] = tables.scales[i];
  __syncthreads();

  const int64_t packs = (panel.columns + kPack - 1) / kPack, stride = static_cast<int64_t>(gridDim.x) * blockDim.x;
  for (int64_t p = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; p < panel.rows * packs; p += stride) {
    const int64_t row = p / packs, column = p % packs * kPack;
    const int64_t begin = (panel.row + row) * panel.width + panel.column + column;
    const int count = packAt(column, panel.columns);
    float out[kPack] = {}, scale = 0;
    int64_t block = -1;
    const uint8_t *codes = nullptr;
    for (int e = 0; e < count; ++e) {
      const int64_t i = begin + e;
      if (i >> records.blockShift != block) {
        block = i >> records.blockShift;
        const uint8_t *record = records.first + block / 256 * records.bytes;
        const int64_t index = block % 256;
        codes = record + (index << records.blockShift) / 2;
        const uint8_t *scaleCodes = record + records.codeBytes;
        if (records.nested) {
          const auto *group = reinterpret_cast<const float *>(scaleCodes + 256); // the group's scale, the tensor's offset
          scale = added(multiplied(scales[scaleCodes[index]], group[0]), group[1]);
        } else {
          scale = reinterpret_cast<const float *>(scaleCodes)[index];
        }
      }
      const int64_t place = i & ((int64_t{1} << records.blockShift) - 1);
      const uint8_t pair = codes[place / 2];
      out[e] = multiplied(values[place % 2 == 0 ? pair >> 4 : pair & 15], scale);
    }
    store(target + row * panel.columns + column, count, out);
  }
}

} // namespace

void dequantize(const Context &context, const void *data, const QuantRecords &format, const Panel &panel, void *target, DType dtype) {
  Tables tables;
  for (size_t i = 0; i < 16; ++i)
    tables.values[i] = tableOf(format.type).values[i];
  for (size_t i = 0; i < 256; ++i)
    tables.scales[i] = dynamicMap()[i];
  int shift = 0;
  while (uint64_t{1} << shift < format.blockSize)
    ++shift;
  const Records records{static_cast<const uint8_t *>(data), static_cast<int64_t>(format.bytes()), static_cast<int64_t>(format.codeBytes()), shift,
                        format.nested};
  const int64_t packs = panel.rows * packsIn(panel.columns);
  withElement(dtype, [&](auto element) {
    using T = decltype(element);
    launch(context.stream, blocksFor(context, packs), kBlockThreads, dequantizeKernel<T>, tables, records, panel, static_cast<T *>(target));
  });
}

Status run(const Context &context, const NF4DequantizeArgs &args) {
  const QuantRecords format{static_cast<QuantType>(args.quantType), static_cast<uint64_t>(args.blockSize), args.nested};
  const int64_t rows = args.target.dims[0], columns = args.target.dims[1];
  dequantize(context, args.weight.data, format, {0, rows, 0, columns, columns}, args.target.data, args.target.dtype);
  return {};
}

} // namespace zp::rt::cuda
