#include "runtime/tools/zprun/quantize/quantized_writer.h"

#include <algorithm>

#include "runtime/io/convert_elements.h"
#include "runtime/io/float_types.h"
#include "runtime/quant/nested_scales.h"
#include "runtime/quant/python_json.h"

namespace zp::rt {

namespace {

constexpr uint64_t kPiece = 1 << 20; // elements at a time: whole blocks
constexpr Expecting kConfigExpects{"config.json", "fetch the checkpoint again, or name another directory with --model"};

uint64_t elementsOf(const ModelTensor &tensor) {
  uint64_t n = 1;
  for (uint64_t dim : tensor.shape)
    n *= dim;
  return n;
}

/// The pieces of a tensor, from its start.
template <typename F> Status forEachPiece(uint64_t elements, F &&f) {
  for (uint64_t first = 0; first < elements; first += kPiece)
    ZP_RETURN_IF_ERROR(f(first, std::min(kPiece, elements - first)));
  return {};
}

} // namespace

Status QuantizedWriter::write(const std::string &directory, uint64_t maxShardBytes) {
  ZP_RETURN_IF_ERROR(readOffsets());
  ZP_RETURN_IF_ERROR(layOut());
  const std::vector<Shard> shards = shardsOf(entries, maxShardBytes);
  const SafetensorsWriter::Metadata metadata = {{"format", "pt"}};
  for (const Shard &shard : shards) {
    for (const SafetensorsEntry &entry : shard.entries)
      writerOf[entry.name] = writers.size();
    ZP_ASSIGN_OR_RETURN(SafetensorsWriter writer, SafetensorsWriter::create(directory + "/" + shard.file, shard.entries, &metadata));
    writers.push_back(std::move(writer));
  }
  for (const ModelTensor &tensor : tensors) {
    ZP_RETURN_IF_ERROR(tensor.linear ? quantizeTensor(tensor) : copyTensor(tensor));
    step();
  }
  for (SafetensorsWriter &writer : writers)
    ZP_RETURN_IF_ERROR(writer.finish());
  return shards.size() > 1 ? writeFileAtomically(directory + "/model.safetensors.index.json", index(shards)) : Status();
}

StatusOr<WeightBlocks> QuantizedWriter::blocksOf(const ModelTensor &tensor) {
  return WeightBlocks::open({&from, 0, format.dtype, kConfigExpects}, tensor.source, tensor.shape, format.blocks);
}

/// The text beside a weight names its offset, and where anything lies in a file hangs on the text's length: offsets
/// come first.
Status QuantizedWriter::readOffsets() {
  for (const ModelTensor &tensor : tensors) {
    if (!tensor.linear || !format.nested)
      continue;
    ZP_ASSIGN_OR_RETURN(WeightBlocks weight, blocksOf(tensor));
    std::vector<float> scales(rt::blocksOf(weight.elements(), format.blocks.blockSize));
    ZP_RETURN_IF_ERROR(forEachPiece(weight.elements(), [&](uint64_t first, uint64_t count) {
      return weight.scales(first, count, scales.data() + first / format.blocks.blockSize);
    }));
    weight.release();
    offsets[tensor.name] = offsetOfScales(scales);
    step();
  }
  return {};
}

/// Of one that isn't quantised.
DType QuantizedWriter::dtypeOf(const ModelTensor &tensor) const { return tensor.staysF32 && format.dtype == DType::F16 ? DType::F32 : format.dtype; }

QuantState QuantizedWriter::stateOf(const ModelTensor &tensor) const {
  QuantState state{format.blocks, format.dtype, tensor.shape, std::nullopt};
  if (format.nested)
    state.nestedOffset = offsets.at(tensor.name);
  return state;
}

FourBitTensors QuantizedWriter::partsOf(const ModelTensor &tensor) const { return {tensor.name, stateOf(tensor), format.storage}; }

Status QuantizedWriter::layOut() {
  for (const ModelTensor &tensor : tensors) {
    if (!tensor.linear) {
      entries.push_back({tensor.name, floatOf(dtypeOf(tensor)).label, tensor.shape});
      continue;
    }
    const FourBitTensors parts = partsOf(tensor);
    if (!parts.storageFits())
      return Status(ErrorCode::Config, "--bnb_4bit_quant_storage_dtype: " + format.storageName + " can't label the " +
                                           std::to_string(packedBytesOf(elementsOf(tensor))) + " bytes of " + tensor.name +
                                           ", expected a type whose size divides them; leave the flag out for uint8");
    for (SafetensorsEntry &entry : parts.entries())
      entries.push_back(std::move(entry));
  }
  return {};
}

Status QuantizedWriter::put(const std::string &name, uint64_t offset, const void *data, uint64_t bytes) {
  return writers[writerOf.at(name)].write(name, offset, data, bytes);
}

Status QuantizedWriter::copyTensor(const ModelTensor &tensor) {
  DType stored;
  const DType dtype = dtypeOf(tensor);
  std::vector<std::byte> piece(bytesOf(dtype, std::min(kPiece, elementsOf(tensor))));
  if (tensor.source.empty())
    return forEachPiece(elementsOf(tensor), [&](uint64_t first, uint64_t count) {
      return put(tensor.name, bytesOf(dtype, first), piece.data(), bytesOf(dtype, count)); // zeros
    });
  ZP_ASSIGN_OR_RETURN(WeightTensor source, findFloats(from, tensor.source, tensor.shape, stored, kConfigExpects));
  return forEachPiece(elementsOf(tensor), [&](uint64_t first, uint64_t count) {
    convertElements(source.data() + bytesOf(stored, first), stored, piece.data(), dtype, count);
    source.file->release(*source.info, bytesOf(stored, first), bytesOf(stored, count));
    return put(tensor.name, bytesOf(dtype, first), piece.data(), bytesOf(dtype, count));
  });
}

Status QuantizedWriter::quantizeTensor(const ModelTensor &tensor) {
  ZP_ASSIGN_OR_RETURN(WeightBlocks weight, blocksOf(tensor));
  std::vector<float> scales(rt::blocksOf(weight.elements(), format.blocks.blockSize));
  std::vector<uint8_t> packed(packedBytesOf(std::min(kPiece, weight.elements())));
  ZP_RETURN_IF_ERROR(forEachPiece(weight.elements(), [&](uint64_t first, uint64_t count) {
    ZP_RETURN_IF_ERROR(weight.quantize(first, count, packed.data(), scales.data() + first / format.blocks.blockSize));
    return put(tensor.name, first / 2, packed.data(), packedBytesOf(count));
  }));
  weight.release();
  const FourBitTensors parts = partsOf(tensor);
  for (const SafetensorsEntry &entry : parts.entries()) {
    if (entry.name == tensor.name)
      continue;
    const std::string bytes = parts.beside(entry.name, scales);
    ZP_RETURN_IF_ERROR(put(entry.name, 0, bytes.data(), bytes.size()));
  }
  return {};
}

/// Parameters are those of the model, two to a byte of codes; scales and maps are none.
std::string QuantizedWriter::index(const std::vector<Shard> &shards) const {
  nlohmann::json index;
  uint64_t bytes = 0, parameters = 0;
  for (const ModelTensor &tensor : tensors)
    if (tensor.isParameter)
      parameters += tensor.linear ? packedBytesOf(elementsOf(tensor)) * 2 : elementsOf(tensor);
  for (const Shard &shard : shards)
    for (const SafetensorsEntry &entry : shard.entries) {
      uint64_t bits = bitsOf(entry.dtype);
      for (uint64_t dim : entry.shape)
        bits *= dim;
      bytes += bits / 8;
      index["weight_map"][entry.name] = shard.file;
    }
  index["metadata"] = {{"total_parameters", parameters}, {"total_size", bytes}};
  return pythonJson(index) + "\n";
}

} // namespace zp::rt
