// What tests/support/fake_nccl calls of this program: work in an emulated stream that is tried until it is done.
#include <memory>

#include "runtime/device/cuda/emulated/streams.h"

extern "C" bool zpAskUntil(void *stream, bool (*work)(void *), void (*forget)(void *), void *data) {
  const std::shared_ptr<void> held(data, forget); // by the work, wherever it lies: in a stream or in a graph
  return zp::rt::cuda::emulated::askUntil(stream, [held, work] { return work(held.get()); });
}
