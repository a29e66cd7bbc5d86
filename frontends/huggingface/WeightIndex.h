// The safetensors files beside a config.json, when they are there: names, shapes and dtypes, from
// the headers alone, but for the values of a head that may be the embedding's.
#ifndef ZP_FRONTENDS_HUGGINGFACE_WEIGHTINDEX_H
#define ZP_FRONTENDS_HUGGINGFACE_WEIGHTINDEX_H

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "frontends/common/ModelSpec.h"
#include "frontends/huggingface/QuantizationConfig.h"
#include "runtime/io/safetensors.h"

namespace zp::fe {

class WeightIndex {
public:
  /// Nothing when the directory holds neither model.safetensors nor model.safetensors.index.json.
  /// FileMissing for a shard that the index names and isn't there, Safetensors for a damaged file.
  static StatusOr<std::optional<WeightIndex>> open(const std::string &directory);

  /// Whether a head is in the file with values that aren't the embedding's: then it isn't tied, whatever config.json says.
  bool headDiffers(const ModelSpec &spec) const;
  /// A checkpoint of the model without its head names its tensors without the prefix that they have
  /// in the whole model (Family::basePrefix): those that are there only so are read so. A table that several modules
  /// share is read under whichever of their names it is stored.
  void adoptNames(ModelSpec &spec) const;
  /// UnknownArchitecture where encoder or decoder have an embedding of their own, with other values than the shared one.
  Status refuseOwnEmbeddings(const ModelSpec &spec) const;
  /// UnknownArchitecture for a head with a bias that isn't zero (BART's final_logits_bias).
  Status refuseHeadBias() const;
  /// Each tensor of the model that isn't the adapter's is there (TensorMissing), with its shape (TensorShape) and in fp32,
  /// bf16 or fp16 (TensorDtype). Of a checkpoint that is quantised already, the marked linears are packed and have their scales
  /// beside them as `packed` says; what stands in their quant_state is the loader's business.
  Status check(const ModelSpec &spec, const CheckpointQuantization *packed) const;

private:
  struct Entry {
    std::shared_ptr<const rt::SafetensorsFile> file;
    const rt::SafetensorsInfo *info = nullptr;
  };
  /// Whether both are there, with other values.
  static bool differ(const Entry *a, const Entry *b);
  const Entry *find(const std::string &name) const;
  /// The name under which the tensor is there: as it is, or without the base model's prefix.
  std::string storedName(const std::string &name, const std::string &basePrefix) const;
  std::string storedEmbedding(const ModelSpec &spec) const;
  Status checkFloat(const ModelSpec &spec, const ParameterSpec &parameter, bool prequantized) const;
  Status checkPacked(const ModelSpec &spec, const ParameterSpec &weight, const CheckpointQuantization &packed) const;
  void addFile(std::shared_ptr<const rt::SafetensorsFile> file);

  std::string place; ///< model.safetensors, or the index
  std::map<std::string, Entry> entries;
};

} // namespace zp::fe

#endif // ZP_FRONTENDS_HUGGINGFACE_WEIGHTINDEX_H
