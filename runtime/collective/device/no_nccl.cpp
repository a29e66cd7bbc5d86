// Where NCCL isn't: ranks meet in host memory.
#include "runtime/collective/device/device_collectives.h"

namespace zp::rt {

StatusOr<std::unique_ptr<DeviceCollectives>> createNcclCollectives(Communicator &, const std::string &) {
  return Status(ErrorCode::Config,
                "nccl: this build has none, expected staged collectives; set ZP_DEVICE_COLLECTIVES=staged, or build where nccl.h is");
}

} // namespace zp::rt
