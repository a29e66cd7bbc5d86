// The host's wait for a stream whose work may itself wait for other ranks.
#ifndef ZP_RUNTIME_EXECUTOR_CUDA_AWAIT_STREAM_H
#define ZP_RUNTIME_EXECUTOR_CUDA_AWAIT_STREAM_H

#include "runtime/collective/device/device_collectives.h"

namespace zp::rt {

/// Returns when the stream's work is done. A peer that is gone, or a collective that has failed, is an error within a second: the stream's
/// work has no end then until the collectives are aborted.
Status awaitStream(cuda::Stream stream, DeviceCollectives &collectives);

} // namespace zp::rt

#endif // ZP_RUNTIME_EXECUTOR_CUDA_AWAIT_STREAM_H
