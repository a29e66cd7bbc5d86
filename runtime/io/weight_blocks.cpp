#include "runtime/io/weight_blocks.h"

#include "runtime/io/convert_elements.h"
#include "runtime/io/synthetic_weights.h"

namespace zp::rt {

static constexpr uint64_t kHeldElements = 1 << 19; // between two releases of pages; a thread

StatusOr<WeightBlocks> WeightBlocks::open(const WeightSource &source, const std::string &name, const std::vector<uint64_t> &shape,
                                          BlockFormat format) {
  WeightBlocks weight(source, format);
  weight.name = name;
  weight.shape = shape;
  for (uint64_t dim : shape)
    weight.total *= dim;
  if (source.base) {
    ZP_ASSIGN_OR_RETURN(WeightTensor tensor, findFloats(*source.base, name, shape, weight.stored, source.expecting));
    weight.tensor = std::move(tensor);
  }
  return weight;
}

WeightPiece WeightBlocks::read(uint64_t first, uint64_t count) {
  piece.resize(bytesOf(source.dtype, count));
  if (readEnd != first)
    announced = first;
  if (tensor && first + count + kHeldElements / 2 > announced) {
    tensor->file->announce(*tensor->info, bytesOf(stored, announced), bytesOf(stored, kHeldElements));
    announced += kHeldElements;
  }
  if (tensor)
    convertElements(tensor->data() + bytesOf(stored, first), stored, piece.data(), source.dtype, count);
  else
    syntheticWeights(name, static_cast<int>(shape.size()), source.seed, first, count, piece.data(), source.dtype);
  if (readEnd != first) {
    release();
    readBegin = first;
  }
  readEnd = first + count;
  if (readEnd - readBegin >= kHeldElements)
    release();
  return {tensor ? std::string_view(tensor->file->path()) : "drawn", name, piece.data(), source.dtype, first, count, total};
}

Status WeightBlocks::quantize(uint64_t first, uint64_t count, uint8_t *packed, float *absmax) {
  return quantizeWeights(format, read(first, count), packed, absmax);
}

Status WeightBlocks::scales(uint64_t first, uint64_t count, float *absmax) { return scalesOfWeights(format, read(first, count), absmax); }

void WeightBlocks::release() {
  release(readBegin, readEnd - readBegin);
  readBegin = readEnd;
}

void WeightBlocks::release(uint64_t first, uint64_t count) {
  if (tensor && count > 0)
    tensor->file->release(*tensor->info, bytesOf(stored, first), bytesOf(stored, count));
}

} // namespace zp::rt
