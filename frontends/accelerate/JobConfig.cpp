#include "frontends/accelerate/JobConfig.h"

#include "runtime/schema/settings.h"

namespace zp::fe {

bool isSetting(const std::string &name) {
  bool found = false;
  JobSettings().forEach([&](const char *setting, const auto &, const char *) { found |= name == setting; });
  return found;
}

Status takeOffload(const std::string &place, const std::string &device, bool parameters, int64_t stage,
                   JobConfig &into) {
  if (device == "none" || device == "auto")
    return Status();
  auto refuse = [&](const std::string &reason) { return Status(ErrorCode::Config, place + ": is " + device + reason); };
  const std::string atStage = " at zero_stage " + std::to_string(stage) + ", expected ";
  if (parameters && stage != 3)
    return refuse(atStage + "stage 3 for it; set zero_stage: 3 or none");
  if (!parameters && stage == 0)
    return refuse(atStage + "stage 1, 2 or 3 for it; raise zero_stage or set none");
  if (!parameters && device == "nvme" && stage != 3)
    return refuse(atStage + "stage 3 for NVMe; set zero_stage: 3 or none");
  const std::string setting = parameters ? "offload_param_device" : "offload_optimizer_device";
  if (!isSetting(setting))
    return refuse(", expected none: offload to " + device + " is not built yet; set none");
  into.wishes.push_back({setting, device, place, /*mustMatch=*/false});
  return Status();
}

} // namespace zp::fe
