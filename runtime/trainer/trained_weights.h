// Writes what was trained: PEFT's adapter files, or a whole model's.
#ifndef ZP_RUNTIME_TRAINER_TRAINED_WEIGHTS_H
#define ZP_RUNTIME_TRAINER_TRAINED_WEIGHTS_H

#include <string>
#include <vector>

#include "runtime/executor/executor.h"
#include "runtime/io/checkpoint_shards.h"
#include "runtime/io/model_weights.h"

namespace zp::fbs {
struct Plan;
}

namespace zp::rt {

/// A tensor of the base that is saved beside what was trained.
struct SavedCopy {
  std::string name; ///< that it is saved by
  WeightTensor tensor;
};

struct SavedModel {
  std::string directory; ///< exists and can be written
  std::string baseName;  ///< base_model_name_or_path, as the user spelled it
  uint64_t maxShardBytes = 5'000'000'000;
  DType dtype = DType::F32;                               ///< of a whole model's tensors, a float; an adapter's are f32
  std::string modelConfig;                                ///< config.json of a whole model, but for its dtype; empty: the plan's
  std::vector<std::pair<std::string, std::string>> texts; ///< names and contents of files that go beside the weights
  std::vector<std::string> strangers;                     ///< names of files that don't belong there: another tokenizer's
  std::vector<SavedCopy> copies;                          ///< in an adapter's file
};

/// Every rank calls it. Slices travel to rank 0 a piece at a time, so no rank holds the model; rank 0 writes
/// adapter_config.json and adapter_model.safetensors, or config.json and model.safetensors (in shards when larger). A name
/// appears only when its file is whole.
Status writeTrainedWeights(const fbs::Plan &plan, Executor &executor, Communicator &communicator, const SavedModel &where);

/// The same files from all ranks' masters in a checkpoint, by one process alone: the weights' are streamed, and described.
StatusOr<std::vector<ManifestFile>> writeTrainedWeights(const fbs::Plan &plan, const StateShards &shards, const SavedModel &where);

} // namespace zp::rt

#endif // ZP_RUNTIME_TRAINER_TRAINED_WEIGHTS_H
