// Streams, events and graphs of an emulated device.
//
// What is asked of a stream waits in its queue until somebody waits for a stream. Then things are done one at a time, in an order that
// the events allow and that is otherwise of choice: what a program leaves unordered comes out in an order that it was not written in.
// `ZP_EMULATED_ORDER` (order.h) chooses: `lowest` is the oldest stream as far as events let it, `highest` the youngest.
// `ZP_EMULATED_QUEUE=N`: a stream holds so many tasks, and whoever asks for more waits in that call until it has done some, as a launch on a
// GPU does. `ZP_EMULATED_FAULT=N`: the N-th task breaks the device, which then answers every question by an error and never comes to an end
// of what it frees.
// `ZP_EMULATED_MEMORY=BYTES` is all that it has; `ZP_EMULATED_DEVICES=N` is how many a host has, which its ranks share when they are more.
// A captured graph is replayed beside its streams, as on a GPU; what a GPU refuses in a capture is refused.
// One thread of a process uses the device.
#ifndef ZP_RUNTIME_DEVICE_CUDA_EMULATED_STREAMS_H
#define ZP_RUNTIME_DEVICE_CUDA_EMULATED_STREAMS_H

#include <functional>

#include "runtime/device/cuda/cuda_api.h"

namespace zp::rt::cuda::emulated {

/// Asks for `work` after all that the stream was asked for before.
void ask(Stream stream, std::function<void()> work);
/// Work that is done once it returns true, and is tried again until then while other streams go on: a collective that waits for a peer.
/// True when a capture is under way, whose graph keeps it.
bool askUntil(Stream stream, std::function<bool()> work);
/// Notes a launch that a GPU would refuse: it comes out of `launchError`.
bool isLaunchable(int64_t blocks, int threads);

/// As ZP_EMULATED_ORDER, from now on; for tests.
void useOrder(const std::string &order);

} // namespace zp::rt::cuda::emulated

#endif // ZP_RUNTIME_DEVICE_CUDA_EMULATED_STREAMS_H
