#include "frontends/accelerate/JobConfig.h"

namespace zp::fe {

/// DeepSpeed's own rules of which stage may offload the optimizer's state.
static Status checkStage(const OffloadWish &wish, int64_t stage) {
  std::string needed;
  if (!wish.parameters && stage == 0)
    needed = "stage 1, 2 or 3 for it; raise zero_stage or set none";
  else if (!wish.parameters && *wish.device == "nvme" && stage != 3)
    needed = "stage 3 for NVMe; set zero_stage: 3 or none";
  return needed.empty() ? Status()
                        : Status(ErrorCode::Config,
                                 wish.devicePlace + ": is " + *wish.device + " at zero_stage " + std::to_string(stage) + ", expected " + needed);
}

Status takeOffload(const OffloadWish &wish, int64_t stage, JobConfig &into) {
  const bool offloads = wish.device && *wish.device != "none" && *wish.device != "auto";
  const bool whole = wish.parameters && stage != 3; // there are no shards to offload: DeepSpeed doesn't look at the section
  if (offloads && whole) {
    into.notes.push_back(wish.devicePlace + ": parameters stay on the device at zero_stage " + std::to_string(stage) +
                         ", as in the reference; set zero_stage: 3 to have them on " + *wish.device);
  } else if (offloads) {
    ZP_RETURN_IF_ERROR(checkStage(wish, stage));
    into.wishes.push_back(
        {wish.parameters ? "offload_param_device" : "offload_optimizer_device", *wish.device, wish.devicePlace, /*mustMatch=*/false});
  }
  if (!wish.path || wish.path->empty() || *wish.path == "none" || *wish.path == "auto")
    return Status();
  if (offloads && whole)
    return Status();
  const SettingWish *other = into.wish("nvme_path");
  if (!wish.device || *wish.device != "nvme")
    into.notes.push_back(wish.pathPlace + ": nothing goes to NVMe, the device is not nvme");
  else if (!other)
    into.wishes.push_back({"nvme_path", *wish.path, wish.pathPlace, /*mustMatch=*/false});
  else if (other->value != *wish.path)
    into.notes.push_back(wish.pathPlace + ": one directory holds all that goes to NVMe, that of " + other->place);
  return Status();
}

} // namespace zp::fe
