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
  std::string hiddenThreshold; ///< place of a stage3_param_persistence_threshold that is auto: 10 x hidden size
  int64_t machines = 1;
  std::string gpuIds; ///< for CUDA_VISIBLE_DEVICES; empty: all

  const SettingWish *wish(const std::string &setting) const {
    for (const SettingWish &wish : wishes)
      if (wish.setting == setting)
        return &wish;
    return nullptr;
  }
};

/// Whether runtime/schema/settings.inc has a setting of this name.
bool isSetting(const std::string &name);

/// `device`: none, auto (none), cpu or nvme, for parameters or the optimizer's state. Config when the stage doesn't go
/// with it, or while there is no setting for it.
Status takeOffload(const std::string &place, const std::string &device, bool parameters, int64_t stage,
                   JobConfig &into);

} // namespace zp::fe

#endif // ZP_FRONTENDS_ACCELERATE_JOBCONFIG_H
