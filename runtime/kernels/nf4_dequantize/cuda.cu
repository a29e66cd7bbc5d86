#include <algorithm>

#include "runtime/kernels/cuda/dequantize.h"
#include "runtime/kernels/cuda/elementwise.h"
#include "runtime/kernels/cuda/kernels.h"
#include "runtime/kernels/cuda/records.h"

namespace zp::rt::cuda {
namespace {

template <typename T> __global__ void dequantizePanel(RecordTables tables, Records records, Panel panel, T *target) {
  __shared__ CodeValues values;
  __shared__ float scales[256];
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

constexpr int kEach = 4;     ///< packs of a thread, all of which it asks for before it takes the first
constexpr int kResident = 6; ///< blocks of a multiprocessor: with the registers of 8 what was asked for would be spilled

/// Whole packs, by numbers of 32 bits: `packs` of them, rows of rowPacks.value of a matrix whose rows have widthPacks. Pack `first` is where
/// the panel begins.
struct WholePanel {
  uint32_t first, packs, widthPacks;
  Divisor rowPacks;
};

/// kRun: the panel has whole rows, so it is one run of packs.
template <typename T, bool kNested, bool kRun>
__global__ void __launch_bounds__(kBlockThreads, kResident)
    wholePanelKernel(const float *values16, const float *scales256, Records records, WholePanel panel, T *target) {
  __shared__ CodeValues values;
  __shared__ float scales[256];
  if (threadIdx.x < 16)
    values.at[threadIdx.x] = values16[threadIdx.x];
  if constexpr (kNested)
    scales[threadIdx.x] = scales256[threadIdx.x];
  __syncthreads();
  const int packShift = records.blockShift - 3, recordShift = packShift + 8; // of packs to blocks and to records
  for (uint32_t begin = blockIdx.x * kEach * kBlockThreads + threadIdx.x; begin < panel.packs; begin += gridDim.x * kEach * kBlockThreads) {
    uint32_t packs[kEach], words[kEach], codes[kEach];
    float scale[kEach], offset[kEach];
    for (int j = 0; j < kEach; ++j) {
      packs[j] = begin + j * kBlockThreads;
      if (packs[j] >= panel.packs) // the first again, stored twice: without a branch all loads stay before it
        packs[j] = begin;
      uint32_t at = panel.first + packs[j];
      if constexpr (!kRun)
        at += packs[j] / panel.rowPacks * (panel.widthPacks - panel.rowPacks.value);
      const uint8_t *record = records.first + static_cast<uint64_t>(at >> recordShift) * static_cast<uint32_t>(records.bytes);
      const uint8_t *codesEnd = record + static_cast<uint32_t>(records.codeBytes);
      const uint32_t block = at >> packShift & 255;
      words[j] = __ldg(reinterpret_cast<const uint32_t *>(record) + (at & ((1u << recordShift) - 1)));
      if constexpr (kNested) {
        codes[j] = __ldg(codesEnd + block);
        const auto group = __ldg(reinterpret_cast<const unsigned long long *>(codesEnd + 256)); // its scale, the tensor's offset
        scale[j] = __uint_as_float(static_cast<uint32_t>(group));
        offset[j] = __uint_as_float(static_cast<uint32_t>(group >> 32));
      } else {
        scale[j] = __ldg(reinterpret_cast<const float *>(codesEnd) + block);
      }
    }
    for (int j = 0; j < kEach; ++j) {
      if constexpr (kNested)
        scale[j] = added(multiplied(scales[codes[j]], scale[j]), offset[j]);
      float out[kPack];
      decodeWord(words[j], values, scale[j], out);
      store(target + static_cast<int64_t>(packs[j]) * kPack, Whole(), out);
    }
  }
}

/// Whether it takes the panel: numbers of packs have to fit.
template <typename T> bool isWholePanel(const Panel &panel, const T *target) {
  const int64_t end = (panel.row + panel.rows) * panel.width;
  return panel.columns > 0 && panel.width % kPack == 0 && panel.column % kPack == 0 && areWhole(panel.columns, target) &&
         end / kPack <= Divisor::kMost;
}

template <typename T>
void dequantizeWhole(const Context &context, const Records &records, const QuantRecords &format, const Panel &panel, T *target) {
  const WholePanel whole{static_cast<uint32_t>((panel.row * panel.width + panel.column) / kPack),
                         static_cast<uint32_t>(panel.rows * panel.columns / kPack), static_cast<uint32_t>(panel.width / kPack),
                         Divisor(panel.columns / kPack)};
  const int64_t blocks = std::min<int64_t>(blocksOf((whole.packs + kEach - 1) / kEach), context.multiprocessors * kResident);
  auto start = [&](auto kernel) {
    launch(context.stream, blocks, kBlockThreads, kernel, context.quantTables->values[static_cast<int>(format.type)], context.quantTables->scales,
           records, whole, target);
  };
  const bool run = panel.columns == panel.width;
  if (format.nested)
    start(run ? wholePanelKernel<T, true, true> : wholePanelKernel<T, true, false>);
  else
    start(run ? wholePanelKernel<T, false, true> : wholePanelKernel<T, false, false>);
}

} // namespace

void dequantize(const Context &context, const void *data, const QuantRecords &format, const Panel &panel, void *target, DType dtype) {
  const Records records = recordsAt(data, format);
  withElement(dtype, [&](auto element) {
    using T = decltype(element);
    auto *out = static_cast<T *>(target);
    if (isWholePanel(panel, out))
      dequantizeWhole(context, records, format, panel, out);
    else
      launch(context.stream, residentBlocks(context, panel.rows * packsIn(panel.columns)), kBlockThreads, dequantizePanel<T>, tablesOf(format),
             records, panel, out);
  });
}

Status run(const Context &context, const NF4DequantizeArgs &args) {
  const QuantRecords format{static_cast<QuantType>(args.quantType), static_cast<uint64_t>(args.blockSize), args.nested};
  const int64_t rows = args.target.dims[0], columns = args.target.dims[1];
  dequantize(context, args.weight.data, format, {0, rows, 0, columns, columns}, args.target.data, args.target.dtype);
  return {};
}

} // namespace zp::rt::cuda
