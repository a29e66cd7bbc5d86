// What tests/support/fake_nccl calls of this program: work in an emulated stream that is tried until it is done.
#include "runtime/device/cuda/emulated/streams.h"

extern "C" void zpAskUntil(void *stream, bool (*work)(void *), void *data) {
  zp::rt::cuda::emulated::askUntil(stream, [=] { return work(data); });
}
