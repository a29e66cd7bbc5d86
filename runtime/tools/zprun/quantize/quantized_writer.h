// Writes a model's tensors, those of linears quantised, into the files of a checkpoint.
#ifndef ZP_RUNTIME_TOOLS_ZPRUN_QUANTIZE_QUANTIZED_WRITER_H
#define ZP_RUNTIME_TOOLS_ZPRUN_QUANTIZE_QUANTIZED_WRITER_H

#include <functional>
#include <map>

#include "runtime/io/weight_blocks.h"
#include "runtime/tools/zprun/four_bit_tensors.h"
#include "runtime/tools/zprun/quantize/model_family.h"
#include "runtime/trainer/shards.h"

namespace zp::rt {

struct QuantizedFormat {
  BlockFormat blocks;
  bool nested = false;
  DType dtype = DType::F32;                        ///< of what isn't quantised
  SafetensorsDtype storage = SafetensorsDtype::U8; ///< how packed codes are labelled
  std::string storageName = "uint8";               ///< as the flag spells it
};

class QuantizedWriter {
public:
  /// `step` is told of each tensor that is done; nested scales make two passes over the linears.
  QuantizedWriter(ModelWeights &from, QuantizedFormat format, std::vector<ModelTensor> tensors, std::function<void()> step)
      : from(from), format(std::move(format)), tensors(std::move(tensors)), step(std::move(step)) {}

  /// model.safetensors, or shards and their index.
  Status write(const std::string &directory, uint64_t maxShardBytes);

private:
  Status readOffsets();
  Status layOut();
  Status put(const std::string &name, uint64_t offset, const void *data, uint64_t bytes);
  DType dtypeOf(const ModelTensor &tensor) const;
  Status copyTensor(const ModelTensor &tensor);
  Status quantizeTensor(const ModelTensor &tensor);
  QuantState stateOf(const ModelTensor &tensor) const;
  FourBitTensors partsOf(const ModelTensor &tensor) const;
  StatusOr<WeightBlocks> blocksOf(const ModelTensor &tensor);
  std::string index(const std::vector<Shard> &shards) const;

  ModelWeights &from;
  QuantizedFormat format;
  std::vector<ModelTensor> tensors;
  std::function<void()> step;
  std::map<std::string, float> offsets; // of nested scales, by weight
  std::vector<SafetensorsEntry> entries;
  std::vector<SafetensorsWriter> writers;
  std::map<std::string, size_t> writerOf;
};

} // namespace zp::rt

#endif // ZP_RUNTIME_TOOLS_ZPRUN_QUANTIZE_QUANTIZED_WRITER_H
