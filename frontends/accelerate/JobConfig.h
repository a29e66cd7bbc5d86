// What the configuration files of Accelerate and DeepSpeed ask for, in our words.
#ifndef ZP_FRONTENDS_ACCELERATE_JOBCONFIG_H
#define ZP_FRONTENDS_ACCELERATE_JOBCONFIG_H

#include <optional>
#include <string>
#include <vector>

#include "frontends/accelerate/KeyTable.h"

namespace zp::fe {

struct JobConfig {
  std::vector<SettingWish> wishes;
  std::vector<std::string> notes;        ///< a line for each key that has no effect, with the reason
  std::optional<SettingWish> trainBatch; ///< train_batch_size: rows of an update on all ranks
  std::optional<SettingWish> warmup;     ///< warmup_num_steps: what flags of warm-up must say, if one does
  std::optional<SettingWish> precision;  ///< the launcher's word for the dtype, `no` too, which is no wish
  std::string hiddenThreshold;           ///< place of a stage3_param_persistence_threshold that is auto: 10 x hidden size
  std::string unsaidClipping;            ///< place of a gradient_clipping that isn't there, where DeepSpeed has a default
  int64_t machines = 1;
  std::string openProcesses; ///< where num_processes is -1: a flag has to say
  std::string gpuIds;        ///< for CUDA_VISIBLE_DEVICES; empty: all

  const SettingWish *wish(const std::string &setting) const {
    for (const SettingWish &wish : wishes)
      if (wish.setting == setting)
        return &wish;
    return nullptr;
  }
};

/// Where a file wants shards of parameters, or the optimizer's state; each with its FILE:LINE: key.
struct OffloadWish {
  bool parameters;
  std::optional<std::string> device; ///< none, auto (none), cpu or nvme
  std::optional<std::string> path;   ///< for nvme
  std::string devicePlace, pathPlace;
};
/// Becomes settings, or a note for what nothing uses. Config when the stage doesn't go with the device.
Status takeOffload(const OffloadWish &wish, int64_t stage, JobConfig &into);

} // namespace zp::fe

#endif // ZP_FRONTENDS_ACCELERATE_JOBCONFIG_H
