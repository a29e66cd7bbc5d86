#include "runtime/tools/zprun/merge/requantized_weight.h"

#include <algorithm>

#include "runtime/quant/nested_scales.h"
#include "runtime/quant/quantize_weights.h"

namespace zp::rt {

static constexpr uint64_t kPiece = 1 << 20; // elements at a time: whole blocks of any format

StatusOr<RequantizedWeight> RequantizedWeight::prepare(const std::string &name, const QuantState &base, SafetensorsDtype storage,
                                                       const std::vector<uint64_t> &shape, const std::string &file, OpenValues open) {
  RequantizedWeight weight;
  weight.tensors = {name, {base.format, DType::F32, shape, std::nullopt}, storage};
  weight.file = file;
  weight.open = std::move(open);
  if (!weight.tensors.storageFits())
    return Status(ErrorCode::QuantFormat, file + ": " + name + ": has " + std::to_string(packedBytesOf(weight.tensors.state.elements())) +
                                              " bytes in 4 bits, expected whole elements of the base's bnb_4bit_quant_storage; leave "
                                              "--requantize out and quantize the result");
  if (base.nestedOffset) {
    ZP_RETURN_IF_ERROR(weight.quantize(nullptr));
    weight.tensors.state.nestedOffset = offsetOfScales(weight.scales);
    weight.scales = {};
  }
  return weight;
}

Status RequantizedWeight::quantize(SafetensorsWriter *writer) {
  ZP_ASSIGN_OR_RETURN(MergedValues values, open());
  const BlockFormat format = tensors.state.format;
  const uint64_t elements = values.elements();
  std::vector<float> piece(std::min(kPiece, elements));
  std::vector<uint8_t> packed(writer ? packedBytesOf(piece.size()) : 0);
  scales.resize(blocksOf(elements, format.blockSize));
  for (uint64_t first = 0; first < elements; first += kPiece) {
    const uint64_t count = std::min(kPiece, elements - first);
    ZP_RETURN_IF_ERROR(values.read(first, count, false, piece.data()));
    const WeightPiece read{file, tensors.name, reinterpret_cast<const std::byte *>(piece.data()), DType::F32, first, count, elements};
    float *absmax = scales.data() + first / format.blockSize;
    if (!writer) {
      ZP_RETURN_IF_ERROR(scalesOfWeights(format, read, absmax));
      continue;
    }
    ZP_RETURN_IF_ERROR(quantizeWeights(format, read, packed.data(), absmax));
    ZP_RETURN_IF_ERROR(writer->write(tensors.name, first / 2, packed.data(), packedBytesOf(count)));
  }
  return {};
}

Status RequantizedWeight::write(const std::string &entry, SafetensorsWriter &writer) {
  if (entry == tensors.name)
    return quantize(&writer);
  if (scales.empty()) // entries of another file than the codes may come in another order
    ZP_RETURN_IF_ERROR(quantize(nullptr));
  const std::string bytes = tensors.beside(entry, scales);
  if (entry == tensors.entries().back().name)
    scales = {};
  return writer.write(entry, 0, bytes.data(), bytes.size());
}

} // namespace zp::rt
