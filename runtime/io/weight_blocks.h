// The blocks of a weight of floats, quantised as they are asked for, piece by piece. Threads take a copy each.
#ifndef ZP_RUNTIME_IO_WEIGHT_BLOCKS_H
#define ZP_RUNTIME_IO_WEIGHT_BLOCKS_H

#include <optional>

#include "runtime/io/parameter_info.h"
#include "runtime/quant/quantize_weights.h"

namespace zp::rt {

/// Where weights come from. Floats are converted to `dtype` before they are quantised.
struct WeightSource {
  ModelWeights *base = nullptr; ///< null: weights are drawn from `seed` (bench)
  uint64_t seed = 0;
  DType dtype = DType::F32;
  Expecting expecting = kPlanExpects;
};

class WeightBlocks {
public:
  /// TensorMissing, TensorShape, TensorDtype, QuantFormat.
  static StatusOr<WeightBlocks> open(const WeightSource &source, const std::string &name, const std::vector<uint64_t> &shape, BlockFormat format);

  /// Elements [first, first+count) of the flattened weight: whole blocks, but at its end. Writes packedBytesOf(count)
  /// bytes and blocksOf(count) scales. NonFinite names the element.
  Status quantize(uint64_t first, uint64_t count, uint8_t *packed, float *absmax);
  /// The scales alone.
  Status scales(uint64_t first, uint64_t count, float *absmax);
  /// Gives back the file's pages that were read last.
  void release();
  /// And those of [first, first+count), of which copies of this one have read their parts.
  void release(uint64_t first, uint64_t count);

  uint64_t elements() const { return total; }

private:
  WeightBlocks(const WeightSource &source, BlockFormat format) : source(source), format(format) {}
  WeightPiece read(uint64_t first, uint64_t count);

  WeightSource source;
  BlockFormat format;
  std::string name;
  std::vector<uint64_t> shape;
  uint64_t total = 1;
  std::optional<WeightTensor> tensor; // absent: the weight is drawn
  DType stored = DType::F32;
  std::vector<std::byte> piece;        // in the source's dtype
  uint64_t readBegin = 0, readEnd = 0; // elements whose pages are still held
  uint64_t announced = 0;              // where what the file was told of ends
};

} // namespace zp::rt

#endif // ZP_RUNTIME_IO_WEIGHT_BLOCKS_H
