// The weights of a Hugging Face directory: one model.safetensors, or the files that model.safetensors.index.json names.
// Shards are mapped when a tensor of theirs is first asked for. One thread at a time.
#ifndef ZP_RUNTIME_IO_MODEL_WEIGHTS_H
#define ZP_RUNTIME_IO_MODEL_WEIGHTS_H

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "runtime/io/safetensors.h"

namespace zp::rt {

/// A tensor in a mapped file; keeps the file mapped.
struct WeightTensor {
  std::shared_ptr<const SafetensorsFile> file;
  const SafetensorsInfo *info = nullptr;

  const std::byte *data() const { return file->data(*info); }
};

class ModelWeights {
public:
  /// FileMissing when the directory has no weights. Weights of a base model alone lack the prefix that they have in the whole one
  /// (model., transformer.): they are found by both names.
  static StatusOr<ModelWeights> open(const std::string &directory);
  /// Those of one file, e.g. an adapter's.
  static StatusOr<ModelWeights> openFile(const std::string &path);

  /// TensorMissing names the directory (or the shard that should have it).
  StatusOr<WeightTensor> find(const std::string &name);
  bool contains(const std::string &name) const;
  /// Of all tensors, sorted.
  std::vector<std::string> names() const;
  /// The name by which a tensor is found that is asked for by `name`, which is that name itself unless the prefix makes the difference.
  std::string storedName(const std::string &name) const;
  const std::string &place() const { return where; }

private:
  StatusOr<std::shared_ptr<const SafetensorsFile>> shard(const std::string &file);
  bool stores(const std::string &name) const;

  std::string where;     // the directory, or the one file
  std::string directory; // of the shards
  std::shared_ptr<const SafetensorsFile> single;
  std::map<std::string, std::string> weightMap;
  std::map<std::string, std::shared_ptr<const SafetensorsFile>> shards;
};

} // namespace zp::rt

#endif // ZP_RUNTIME_IO_MODEL_WEIGHTS_H
